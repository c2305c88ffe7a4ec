"""Rendering of the steps that a question took, section by section.

Read first: RFC 1034 4.3.2, RFC 4035 3.1, RFC 9471. RRsets go in with their signatures behind them, each one once.
"""

from collections.abc import Iterator
from typing import Final, NamedTuple

from dns_server.answer import rdata as rdatas
from dns_server.answer.denial import prove
from dns_server.answer.lookup import find
from dns_server.answer.protocol import CLASS_IN, Rcode
from dns_server.answer.render import Answer, Renderer, Section
from dns_server.answer.steps import FOLLOWED, Outcome, Step
from dns_server.answer.table import ZoneTable
from zones import rdtypes
from zones.name import fold, is_at_or_below
from zones.rrset import Node, RRset

_RCODES: Final = {Outcome.NXDOMAIN: Rcode.NXDOMAIN, Outcome.TOO_LONG: Rcode.YXDOMAIN}
_NEGATIVE: Final = frozenset({Outcome.NODATA, Outcome.NXDOMAIN})


def render(table: ZoneTable, steps: tuple[Step, ...], qtype: int, do: bool, base: bytes) -> Answer:
    """The answer for the steps; `base` is the end of the question's name that it is made for."""
    return _Composer(table, steps, qtype, do, base).compose()


class _Source(NamedTuple):
    """An RRset of the answer, which may ask for additional data."""

    name: bytes
    shown: bytes | None
    """As `_Composer._add` has it."""
    rrset: RRset


class _Want(NamedTuple):
    """Records that would help the asker."""

    target: bytes
    """Folded."""
    shown: bytes | None
    """As `_Composer._add` has it."""
    rdtype: int
    reason: int
    """Type of the record that leads to them."""


class _Composer:
    """One answer in the making."""

    def __init__(self, table: ZoneTable, steps: tuple[Step, ...], qtype: int, do: bool, base: bytes) -> None:
        self._table = table
        self._steps = steps
        self._qtype = qtype
        self._do = do
        self._renderer = Renderer(base)
        self._done: set[tuple[bytes, int]] = set()
        self._sources: list[_Source] = []
        """RRsets of the answer and authority sections that were not looked at for additional data yet."""
        self._added: list[_Source] = []
        """Those of the additional section."""

    def compose(self) -> Answer:
        for index, step in enumerate(self._steps):
            self._answer(step, first=not index)
        self._authority(self._steps[-1])
        self._additional(self._steps[-1])
        rcode = _RCODES.get(self._steps[-1].outcome, Rcode.NOERROR)
        # RFC 1035 4.1.1: with several owners in the answer section, AA belongs to the first.
        return self._renderer.answer(rcode, authoritative=self._steps[0].outcome is not Outcome.REFERRAL)

    def _answer(self, step: Step, *, first: bool) -> None:
        """The answer section's part of one step."""
        node = self._table.zone.node(step.source)
        owner = None if first and step.synthesized else step.name
        if step.outcome is Outcome.ANSWER:
            for rrset in _selected(node, self._qtype):
                self._add(Section.ANSWER, step.name, rrset, node, shown=owner)
        elif step.outcome is Outcome.CNAME:
            self._add(Section.ANSWER, step.name, node[rdtypes.CNAME], node, shown=owner)
        elif step.outcome in (Outcome.DNAME, Outcome.TOO_LONG):
            dname = node[rdtypes.DNAME]
            self._add(Section.ANSWER, step.source, dname, node, shown=step.source)
            if step.outcome is Outcome.DNAME:  # RFC 6672 3.1: the alias has the DNAME's TTL and no signature
                alias = RRset(step.name, rdtypes.CNAME, dname.ttl, (step.target,))
                self._add(Section.ANSWER, step.name, alias, {}, shown=step.name)

    def _authority(self, last: Step) -> None:
        """The authority section: a negative answer's SOA or where the delegation leads, and the proofs of all steps."""
        if last.outcome in _NEGATIVE:
            apex = self._table.zone.node(self._table.origin)
            self._add(Section.AUTHORITY, self._table.origin, self._table.negative_soa(), apex)
        elif last.outcome is Outcome.REFERRAL:
            node = self._table.zone.node(last.source)
            self._add(Section.AUTHORITY, last.source, node[rdtypes.NS], {})
            if self._do and rdtypes.DS in node:  # RFC 4035 3.1.4
                self._add(Section.AUTHORITY, last.source, node[rdtypes.DS], node)
        if self._do and self._table.chain is not None:
            for step in self._steps:
                for owner in prove(self._table.chain, self._table.zone, step):
                    node = self._table.zone.node(owner)
                    self._add(Section.AUTHORITY, owner, node[self._table.chain.rdtype], node)

    def _additional(self, last: Step) -> None:
        """The additional section: glue that a referral needs first, then what saves the asker questions."""
        wanted = self._wanted(self._sources)
        if last.outcome is Outcome.REFERRAL:
            for want in wanted:
                if is_at_or_below(want.target, last.source):
                    self._glue(want.target, want.rdtype, needed=True)  # RFC 9471 3.1: all of it, or TC
        self._helpful(wanted)
        self._helpful(self._wanted(self._added))  # SRV records behind NAPTR, SVCB behind its alias mode

    def _wanted(self, sources: list[_Source]) -> list[_Want]:
        """What the records of `sources` ask for in the zone; empties the list."""
        wanted = [
            _Want(fold(target or source.name), source.shown if target is None else b"", rdtype, source.rrset.rdtype)
            for source in sources
            for rdata in source.rrset.rdatas
            for target, types in rdatas.additional(source.rrset.rdtype, rdata)
            for rdtype in types
        ]
        sources.clear()
        return [want for want in wanted if is_at_or_below(want.target, self._table.origin)]

    def _helpful(self, wanted: list[_Want]) -> None:
        """Add what is there of `wanted`; it is left out when there is no room."""
        for want in wanted:
            step = find(self._table, want.target, want.rdtype)
            if step.outcome is Outcome.ANSWER:
                node = self._table.zone.node(step.source)
                self._add(Section.ADDITIONAL, want.target, node[want.rdtype], node, shown=want.shown, needed=False)
            elif step.outcome is Outcome.REFERRAL and want.reason == rdtypes.NS:
                self._glue(want.target, want.rdtype, needed=False)

    def _glue(self, target: bytes, rdtype: int, *, needed: bool) -> None:
        """Address records at or below a cut: not the zone's own, so never signed (RFC 4035 2.2)."""
        rrset = self._table.zone.rrset(target, rdtype)
        if rrset is not None:
            self._add(Section.ADDITIONAL, target, rrset, {}, needed=needed)

    def _add(
        self,
        section: int,
        name: bytes,
        rrset: RRset,
        node: Node,
        *,
        shown: bytes | None = b"",
        needed: bool = True,
    ) -> None:
        """Add `rrset` for the owner `name` with its signatures from `node`, unless it is there.

        `shown` is what is written as the owner where that is not `name`; None for a pointer to the question.
        """
        if (name, rrset.rdtype) in self._done:
            return
        self._done.add((name, rrset.rdtype))
        owner = name if shown == b"" else shown
        self._renderer.add(section, owner, rrset.rdtype, CLASS_IN, rrset.ttl, rrset.rdatas)
        if self._do:
            signatures = tuple(signatures_of(node, rrset.rdtype))
            self._renderer.add(section, owner, rdtypes.RRSIG, CLASS_IN, rrset.ttl, signatures)
        self._renderer.mark(needed=needed)
        sources = self._added if section == Section.ADDITIONAL else self._sources
        sources.append(_Source(name, shown, rrset))


def signatures_of(node: Node, rdtype: int) -> Iterator[bytes]:
    """Rdata of the RRSIGs in `node` that cover `rdtype` (RFC 4034 3.1.1)."""
    if rdtypes.RRSIG in node:
        covered = rdtype.to_bytes(2, "big")
        yield from (rdata for rdata in node[rdtypes.RRSIG].rdatas if rdata.startswith(covered))


def _selected(node: Node, qtype: int) -> Iterator[RRset]:
    """The RRset of `node` that answers `qtype`; of ANY and RRSIG one is picked (RFC 8482 4.1 and 7)."""
    if qtype == rdtypes.ANY:
        yield node[min(node, key=lambda rdtype: (rdtype in (rdtypes.RRSIG, rdtypes.NSEC), rdtype))]
    elif qtype == rdtypes.RRSIG:
        rrsigs = node[rdtypes.RRSIG]
        covered = min(rdata[:2] for rdata in rrsigs.rdatas)
        rrset = node.get(int.from_bytes(covered, "big"))
        picked = tuple(rdata for rdata in rrsigs.rdatas if rdata.startswith(covered))
        yield RRset(rrsigs.owner, rdtypes.RRSIG, rrsigs.ttl if rrset is None else rrset.ttl, picked)
    else:
        yield node[qtype]


def ends_in_answer(steps: tuple[Step, ...]) -> bool:
    """Whether the type asked for was found, so that the answer depends on it."""
    last = steps[-1].outcome
    return last is Outcome.ANSWER or last in FOLLOWED
