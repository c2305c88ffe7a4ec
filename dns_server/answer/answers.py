"""Ready answers: which questions share one, and rendering it when it is asked for first."""

from typing import Final

from dns_server.answer.lookup import Outcome, Step, resolve
from dns_server.answer.render import Answer
from dns_server.answer.sections import ends_in_answer, render
from dns_server.answer.table import AnswerKey, ZoneTable
from zones.name import parent

_NEGATIVE: Final = frozenset({Outcome.NODATA, Outcome.NXDOMAIN})


def answer_for(table: ZoneTable, qname: bytes, name: bytes, qtype: int, do: bool) -> Answer:
    """The answer of the zone for `qname`, whose folded form `name` is in it, and `qtype`."""
    do = do and table.signed
    ready = table.ready.get((name, qtype, do))
    if ready is not None:
        return ready
    steps = resolve(table, qname, qtype)
    shared = _shared(table, steps, qtype, do)
    if shared is None:
        return render(table, steps, qtype, do, name)
    key, base = shared
    ready = table.ready.get(key)
    if ready is None:
        ready = table.ready[key] = render(table, steps, qtype, do, base)
    return ready


def _shared(table: ZoneTable, steps: tuple[Step, ...], qtype: int, do: bool) -> tuple[AnswerKey, bytes] | None:
    """Key of the ready answer for these steps and the end of the name that it is made for; None if it is not kept.

    Types that a name does not have lead to the same steps, so the outcome stands for them in the key: there are
    never more answers than the zone has RRsets and names, whatever is asked.
    """
    first, last = steps[0], steps[-1]
    if len(steps) == 1 and first.outcome in _NEGATIVE and not do:
        return (first.outcome,), table.origin
    if len(steps) == 1 and first.outcome is Outcome.REFERRAL:
        return (first.outcome, first.source, do), first.source
    kind = qtype if ends_in_answer(steps) else last.outcome
    if first.source == first.name:
        return (first.name, kind, do), first.name
    # A chain that comes back to the wildcard depends on the name that it began with.
    if first.synthesized and not do and all(step.source != first.source for step in steps[1:]):
        return (first.source, kind, "wildcard"), parent(first.source)
    return None
