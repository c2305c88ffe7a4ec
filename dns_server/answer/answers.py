"""Ready answers: which questions share one, and rendering it when it is asked for first."""

from typing import Final

from dns_server.answer.denial import prove
from dns_server.answer.lookup import resolve
from dns_server.answer.render import Answer
from dns_server.answer.sections import ends_in_answer, render
from dns_server.answer.steps import Outcome, Step
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
    if shared is not None:
        key, base = shared
        ready = table.ready.get(key)
        if ready is None:
            ready = table.ready[key] = render(table, steps, qtype, do, base)
        return ready
    proved = _proved(table, steps, qtype) if do else None
    if proved is not None:
        key, base = proved
        ready = table.denial(key)
        if ready is None:
            ready = render(table, steps, qtype, do, base)
            table.keep_denial(key, ready)
        return ready
    return render(table, steps, qtype, do, name)


def _shared(table: ZoneTable, steps: tuple[Step, ...], qtype: int, do: bool) -> tuple[AnswerKey, bytes] | None:
    """Key of the ready answer for these steps and the end of the name that it is made for; None if there is none.

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
    if first.synthesized and not do and _leaves_wildcard(steps):
        return (first.source, kind, "wildcard"), parent(first.source)
    return None


def _proved(table: ZoneTable, steps: tuple[Step, ...], qtype: int) -> tuple[AnswerKey, bytes] | None:
    """As `_shared`, for answers that depend on the name asked for by what proves that it does not exist."""
    first = steps[0]
    if table.chain is None:
        return None
    proof = tuple(prove(table.chain, table.zone, first))
    if len(steps) == 1 and first.outcome is Outcome.NXDOMAIN:
        return (first.outcome, proof), table.origin
    if first.synthesized and _leaves_wildcard(steps):
        return (first.source, qtype if ends_in_answer(steps) else steps[-1].outcome, proof), parent(first.source)
    return None


def _leaves_wildcard(steps: tuple[Step, ...]) -> bool:
    """Whether no later step is by the first one's wildcard: a chain that comes back depends on its first name."""
    return all(step.source != steps[0].source for step in steps[1:])
