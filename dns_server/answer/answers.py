"""Ready answers: which questions share one, and rendering it when it is asked for first."""

from typing import Final, NamedTuple

from dns_server.answer.core import kinds
from dns_server.answer.denial import NsecChain, prove
from dns_server.answer.lookup import resolve
from dns_server.answer.render import Answer
from dns_server.answer.sections import ends_in_answer, render
from dns_server.answer.steps import Outcome, Step
from dns_server.answer.table import AnswerKey, ZoneTable
from zones.name import canonical_key, parent

_NEGATIVE: Final = {Outcome.NODATA: kinds.NODATA, Outcome.NXDOMAIN: kinds.NXDOMAIN}


_FITS_ALWAYS: Final = 400  # octets of a body that nearly every asker takes


class _Shared(NamedTuple):
    """What questions that share an answer have in common."""

    key: AnswerKey
    base: bytes
    """End of their names that the answer is made for."""
    stand: bytes
    """Name that the compiled core keeps it by; empty where it does not."""
    kind: int = kinds.EXACT
    qtype: int = 0


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
        cover = canonical_key(name) if isinstance(table.chain, NsecChain) else b""
        if not cover or not _in_core(table, shared, do, ready, cover):
            table.keep_denial(shared.key, ready)
        return ready
    return render(table, steps, qtype, do, name)


def _in_core(table: ZoneTable, shared: _Shared, do: bool, answer: Answer, cover: bytes = b"") -> bool:
    """Leave `answer` to the compiled core; whether that is enough, for the core answers with it from now on.

    An answer that may be too long for some askers is kept in both places: those come here again.
    """
    if table.index is None or not shared.stand:
        return False
    kept: bool = table.index.keep(shared.stand, shared.qtype, shared.kind, do, answer, cover)
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
        stand = first.name if found else b""
        return _Shared((first.name, kind, do), first.name, stand, kinds.EXACT, qtype)
    if first.synthesized and not do and _leaves_wildcard(steps):
        stand = first.source if found else b""
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
        return _Shared((first.outcome, proof), table.origin, first.source, kinds.NXDOMAIN)
    if not first.synthesized or not _leaves_wildcard(steps):
        return None
    if ends_in_answer(steps):
        return _Shared((first.source, qtype, proof), parent(first.source), first.source, kinds.WILDCARD, qtype)
    stand = first.source if len(steps) == 1 and first.outcome is Outcome.NODATA else b""
    return _Shared((first.source, last.outcome, proof), parent(first.source), stand, kinds.NODATA)


def _leaves_wildcard(steps: tuple[Step, ...]) -> bool:
    """Whether no later step is by the first one's wildcard: a chain that comes back depends on its first name."""
    return all(step.source != steps[0].source for step in steps[1:])
