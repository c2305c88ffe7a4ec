"""Ready answers: which questions share one, and rendering it when it is asked for first."""

from typing import Final, NamedTuple

from dns_server.answer.core import kinds
from dns_server.answer.denial import prove
from dns_server.answer.lookup import resolve
from dns_server.answer.render import Answer
from dns_server.answer.sections import ends_in_answer, render
from dns_server.answer.steps import Outcome, Step
from dns_server.answer.table import AnswerKey, ZoneTable
from zones import rdtypes
from zones.name import parent

_NEGATIVE: Final = {Outcome.NODATA: kinds.NODATA, Outcome.NXDOMAIN: kinds.NXDOMAIN}


_FITS_ALWAYS: Final = 400  # octets of a body that nearly every asker takes
# Where an alias leads to a name without the type, the core keeps the answer by the type asked for: so that nobody can
# fill it with types that nobody uses, only up to this one.
_LAST_COMMON: Final = rdtypes.HTTPS


class _Shared(NamedTuple):
    """What questions that share an answer have in common."""

    key: AnswerKey
    base: bytes
    """End of their names that the answer is made for."""
    stand: bytes
    """Name that the compiled core keeps it by; empty where it does not."""
    kind: int = kinds.EXACT
    qtype: int = 0
    cover: bytes = b""
    """Sort key of what is shown not to exist, where the answer depends on the name asked for by that."""


def answer_for(table: ZoneTable, qname: bytes, name: bytes, qtype: int, do: bool) -> Answer:
    """The answer of the zone for `qname`, whose folded form `name` is in it, and `qtype`.

    What was rendered is kept, in the zone's index too, so that the compiled core answers the same next time.
    """
    do = do and table.signed
    ready = table.ready.get((name, qtype, do))
    if ready is not None:
        if table.index is not None:
            table.index.keep(name, qtype, kinds.EXACT, do, ready)  # it may have been dropped there
        return ready
    steps = resolve(table, qname, qtype)
    shared = _shared(table, steps, qtype, do)
    if shared is not None:
        ready = table.ready.get(shared.key) or render(table, steps, qtype, do, shared.base)
        if not _in_core(table, shared, do, ready):
            table.ready[shared.key] = ready
        return ready
    shared = _proved(table, steps, qtype) if do else None
    if shared is not None:
        ready = table.denial(shared.key) or render(table, steps, qtype, do, shared.base)
        if not _in_core(table, shared, do, ready):
            table.keep_denial(shared.key, ready)
        return ready
    return render(table, steps, qtype, do, name)


def _in_core(table: ZoneTable, shared: _Shared, do: bool, answer: Answer) -> bool:
    """Leave `answer` to the compiled core; whether that is enough, for the core answers with it from now on.

    An answer that may be too long for some askers is kept in both places: those come here again.
    """
    if table.index is None or not shared.stand:
        return False
    kept: bool = table.index.keep(shared.stand, shared.qtype, shared.kind, do, answer, shared.cover)
    return kept and len(answer.body) <= _FITS_ALWAYS


def _shared(table: ZoneTable, steps: tuple[Step, ...], qtype: int, do: bool) -> _Shared | None:
    """What questions with these steps share; None if the answer is not kept.

    Types that a name does not have lead to the same steps, so the outcome stands for them in the key: there are
    never more answers than the zone has RRsets and names, whatever is asked.
    """
    first, last = steps[0], steps[-1]
    if len(steps) == 1 and first.outcome in _NEGATIVE and not do:
        return _Shared((first.outcome,), table.origin, table.origin, _NEGATIVE[first.outcome])
    if len(steps) == 1 and first.outcome is Outcome.REFERRAL:
        return _Shared((first.outcome, first.source, do), first.source, first.source, kinds.REFERRAL)
    found = ends_in_answer(steps)
    kind = qtype if found else last.outcome
    if first.source == first.name:
        if len(steps) == 1 and first.outcome is Outcome.NODATA:
            return _Shared((first.name, kind, do), first.name, first.name, kinds.NODATA)
        stand = first.name if found or qtype <= _LAST_COMMON else b""
        return _Shared((first.name, kind, do), first.name, stand, kinds.EXACT, qtype)
    if first.synthesized and not do and _leaves_wildcard(steps):
        stand = first.source if _is_for_all(steps, qtype) else b""
        key = (first.source, kind, "wildcard")
        return _Shared(key, parent(first.source), stand, kinds.WILDCARD, qtype)
    return None


def _proved(table: ZoneTable, steps: tuple[Step, ...], qtype: int) -> _Shared | None:
    """As `_shared`, for answers that depend on the name asked for by what proves that it does not exist."""
    first, last = steps[0], steps[-1]
    if table.chain is None:
        return None
    proof = tuple(prove(table.chain, table.zone, first))
    if len(steps) == 1 and first.outcome is Outcome.NXDOMAIN:
        cover = table.chain.denied(first)
        return _Shared((first.outcome, proof), table.origin, first.source, kinds.NXDOMAIN, cover=cover)
    if not first.synthesized or not _leaves_wildcard(steps):
        return None
    cover = table.chain.denied(first)
    base = parent(first.source)
    if ends_in_answer(steps):
        return _Shared((first.source, qtype, proof), base, first.source, kinds.WILDCARD, qtype, cover)
    key = (first.source, last.outcome, proof)
    if first.outcome is Outcome.NODATA:
        return _Shared(key, base, first.source, kinds.NODATA, cover=cover)
    return _Shared(key, base, first.source if _is_for_all(steps, qtype) else b"", kinds.WILDCARD, qtype, cover)


def _is_for_all(steps: tuple[Step, ...], qtype: int) -> bool:
    """Whether all names that the wildcard stands in for get this answer: a loop may begin with this name alone."""
    return ends_in_answer(steps) or (steps[-1].outcome is not Outcome.LOOP and qtype <= _LAST_COMMON)


def _leaves_wildcard(steps: tuple[Step, ...]) -> bool:
    """Whether no later step is by the first one's wildcard: a chain that comes back depends on its first name."""
    return all(step.source != steps[0].source for step in steps[1:])
