"""The walk from a question to the data that answers it, in named steps.

Read first: RFC 1034 4.3.2, RFC 4592, RFC 6672 3. A question takes one step, and one more for each CNAME or DNAME that
is followed inside the zone. The steps say what to render (`sections`), what to prove (`proofs`) and, printed, why the
answer is what it is.
"""

from typing import Final

from dns_server.answer.steps import FOLLOWED, Outcome, Step, wildcard_of
from dns_server.answer.table import ZoneTable
from zones import rdtypes
from zones.name import MAX_NAME, fold, is_at_or_below

MAX_STEPS: Final = 16  # of one chain; a longer one ends where it is, and the asker goes on with its last name


# Types that a DNAME's alias answers by itself (RFC 6672 3.2 for CNAME).
_TAKES_ALIAS: Final = frozenset({rdtypes.CNAME, rdtypes.ANY})


def resolve(table: ZoneTable, qname: bytes, qtype: int) -> tuple[Step, ...]:
    """The steps for `qname`, which is in the zone, and `qtype`; one at least."""
    steps = [step := find(table, qname, qtype)]
    seen = {step.name}
    while step.outcome in FOLLOWED:
        if step.outcome is Outcome.DNAME and qtype in _TAKES_ALIAS:
            break
        target = fold(step.target)
        if not is_at_or_below(target, table.origin):
            step = Step(Outcome.OUTSIDE, target, target)
        elif target in seen:
            step = Step(Outcome.LOOP, target, target)
        elif len(steps) == MAX_STEPS:
            step = Step(Outcome.LIMIT, target, target)
        else:
            step = find(table, step.target, qtype)
            seen.add(target)
        steps.append(step)
    return tuple(steps)


def find(table: ZoneTable, shown: bytes, qtype: int) -> Step:
    """The one step for the name `shown`, aliases not followed; what a DNAME makes of it keeps its letter case."""
    name = fold(shown)
    encloser = table.origin
    for above in _down_to(name, table.origin):
        if above in table.cuts and not (above == name and qtype == rdtypes.DS):
            return Step(Outcome.REFERRAL, name, above)
        if above == name:
            return _at(table, name, name, qtype) if table.exists(name) else _beside(table, name, encloser, qtype)
        if not table.exists(above):
            return _beside(table, name, encloser, qtype)
        if above in table.dnames:
            return _substitute(table, shown, above)
        encloser = above
    raise AssertionError("the walk ends at the name")


def _down_to(name: bytes, origin: bytes) -> list[bytes]:
    """The names from `origin` down to `name`, both included."""
    path = [name]
    while len(name) > len(origin):
        name = name[1 + name[0] :]
        path.append(name)
    path.reverse()
    return path


def _at(table: ZoneTable, name: bytes, source: bytes, qtype: int) -> Step:
    """The step for `name` with the records of `source`, which is the name or the wildcard that stands in for it."""
    node = table.zone.node(source)
    if qtype in node or (qtype == rdtypes.ANY and node):
        if qtype == rdtypes.CNAME or rdtypes.CNAME not in node or qtype in _BESIDE_CNAME:
            return Step(Outcome.ANSWER, name, source)
    elif rdtypes.CNAME not in node:
        return Step(Outcome.NODATA, name, source)
    return Step(Outcome.CNAME, name, source, node[rdtypes.CNAME].rdatas[0])


# RFC 2181 10.1, RFC 4034 2.5: what may stand beside a CNAME, and ANY, is answered without following it.
_BESIDE_CNAME: Final = frozenset({rdtypes.ANY, rdtypes.RRSIG, rdtypes.NSEC})


def _beside(table: ZoneTable, name: bytes, encloser: bytes, qtype: int) -> Step:
    """The step for `name`, which does not exist: RFC 4592 3.3.1."""
    wildcard = wildcard_of(encloser)
    if not table.exists(wildcard):
        return Step(Outcome.NXDOMAIN, name, encloser)
    return _at(table, name, wildcard, qtype)


def _substitute(table: ZoneTable, shown: bytes, owner: bytes) -> Step:
    """The step for `shown` below the DNAME at `owner` (RFC 6672 2.2)."""
    name = fold(shown)
    target = shown[: len(shown) - len(owner)] + table.zone.node(owner)[rdtypes.DNAME].rdatas[0]
    if len(target) > MAX_NAME:
        return Step(Outcome.TOO_LONG, name, owner)
    return Step(Outcome.DNAME, name, owner, target)
