"""What an UPDATE message does to a zone: prerequisites, prescan and the update itself. Sans-I/O.

Read first: RFC 2136 3.2 (prerequisites), 3.4.1 (prescan), 3.4.2 (update), with its pseudocode in 3.2.5, 3.4.1.3 and
3.4.2.7.
"""

from collections.abc import Mapping, Sequence
from typing import Final

from dns_server.answer.protocol import CLASS_ANY, CLASS_IN, CLASS_NONE, Rcode
from dns_server.update.message import Record, UpdateMessage
from zones import name as names
from zones import rdtypes
from zones.canonical import canonical_rdata
from zones.rrset import RRset
from zones.serial import is_newer, serial_in
from zones.slices import Sliced
from zones.writeback.edit import Change
from zones.zone import Zone

_WKS: Final = 11
_WKS_KEY: Final = 5  # octets: address and protocol (RFC 1035 3.4.2)
_MAX_TTL: Final = (1 << 31) - 1
# A second one of a name takes the place of the first (RFC 2136 3.4.2.2 and, for DNAME, RFC 6672 2.4).
_SINGLE: Final = frozenset({rdtypes.CNAME, rdtypes.SOA, rdtypes.DNAME})
# What a signer makes. They may stand beside a CNAME (RFC 4035 2.5), and nobody sets them by hand.
_BESIDE_CNAME: Final = frozenset({rdtypes.RRSIG, rdtypes.NSEC, rdtypes.KEY})
SIGNERS: Final = frozenset({rdtypes.RRSIG, rdtypes.NSEC, rdtypes.NSEC3, rdtypes.NSEC3PARAM})


class Refusal(Exception):
    """The message cannot be obeyed."""

    def __init__(self, rcode: int, reason: str) -> None:
        super().__init__(reason)
        self.rcode = rcode
        self.reason = reason


def evaluate(zone: Zone, message: UpdateMessage) -> Sliced[list[Change]]:
    """What `message` does to `zone`; RRsets that stay as they are left out. Refusal.

    The order is the RFC's: prerequisites one by one, then the form of the update section, then the update.
    """
    yield from _check_prerequisites(zone, message.prerequisites)
    for record in message.updates:
        _scan_update(record, message.zone)
        yield
    draft = _Draft(zone)
    for record in message.updates:
        draft.obey(record)
        yield
    return draft.changes()


def is_well_formed(message: UpdateMessage) -> Sliced[bool]:
    """Whether no record of `message` has a form that would be refused by itself, whatever is in the zone."""
    try:
        for record in message.prerequisites:
            _scan_prerequisite(record, message.zone)
            yield
        for record in message.updates:
            _scan_update(record, message.zone)
            yield
    except Refusal:
        return False
    return True


def _scan_prerequisite(record: Record, zone: bytes) -> None:
    if record.ttl:
        raise Refusal(Rcode.FORMERR, f"the prerequisite for {_text(record)} has a TTL")
    _scan_owner(record, zone)
    is_meta = rdtypes.is_meta(record.rdtype)
    if record.rdclass in (CLASS_ANY, CLASS_NONE):
        is_wrong = bool(record.rdata) or (is_meta and record.rdtype != rdtypes.ANY)
    else:
        is_wrong = record.rdclass != CLASS_IN or is_meta
    if is_wrong:
        raise Refusal(Rcode.FORMERR, f"the prerequisite for {_text(record)} is none of RFC 2136's five forms")


def _scan_update(record: Record, zone: bytes) -> None:
    _scan_owner(record, zone)
    is_meta = rdtypes.is_meta(record.rdtype)
    if record.rdclass == CLASS_IN:
        is_wrong = is_meta
    elif record.rdclass == CLASS_ANY:
        is_wrong = bool(record.ttl or record.rdata) or (is_meta and record.rdtype != rdtypes.ANY)
    else:
        is_wrong = record.rdclass != CLASS_NONE or bool(record.ttl) or is_meta
    if is_wrong:
        raise Refusal(Rcode.FORMERR, f"the update of {_text(record)} is none of RFC 2136's four forms")


def _scan_owner(record: Record, zone: bytes) -> None:
    if not names.is_at_or_below(record.owner, zone):
        raise Refusal(Rcode.NOTZONE, f"{names.to_text(record.owner)} is not in {names.to_text(zone)}")


def _check_prerequisites(zone: Zone, prerequisites: Sequence[Record]) -> Sliced[None]:
    """Refusal where one is out of form, or `zone` does not meet it (RFC 2136 3.2.5)."""
    wanted: dict[tuple[bytes, int], set[bytes]] = {}
    for record in prerequisites:
        yield
        _scan_prerequisite(record, zone.origin)
        owner, rdtype = record.owner, record.rdtype
        if record.rdclass == CLASS_IN:
            wanted.setdefault((owner, rdtype), set()).add(canonical_rdata(rdtype, record.rdata))
            continue
        must_be = record.rdclass == CLASS_ANY
        if rdtype == rdtypes.ANY:
            if (owner in zone) != must_be:
                rcode = Rcode.NXDOMAIN if must_be else Rcode.YXDOMAIN
                raise Refusal(rcode, f"{names.to_text(owner)} is {'not ' if must_be else ''}in use")
        elif (zone.rrset(owner, rdtype) is not None) != must_be:
            rcode = Rcode.NXRRSET if must_be else Rcode.YXRRSET
            raise Refusal(rcode, f"{_text(record)} {'does not exist' if must_be else 'exists'}")
    for (owner, rdtype), expected in wanted.items():
        yield
        found = zone.rrset(owner, rdtype)
        if found is None or {canonical_rdata(rdtype, rdata) for rdata in found.rdatas} != expected:
            raise Refusal(Rcode.NXRRSET, f"{names.to_text(owner)} {rdtypes.to_text(rdtype)} is not as it must be")


class _Draft:
    """The nodes of a zone that an update touches, as they are to become (RFC 2136 3.4.2.7)."""

    def __init__(self, zone: Zone) -> None:
        self._zone = zone
        self._nodes: dict[bytes, dict[int, RRset]] = {}
        self._rdatas: dict[tuple[bytes, int], dict[bytes, bytes]] = {}
        """Of RRsets that records were added to or taken from, by canonical form: there may be thousands."""

    def obey(self, record: Record) -> None:
        """Do what a record says that has passed the prescan."""
        if record.rdclass == CLASS_IN:
            self._add(record)
        elif record.rdclass == CLASS_ANY:
            self._delete_rrsets(record)
        else:
            self._delete_record(record)

    def changes(self) -> list[Change]:
        found = []
        for owner, node in self._nodes.items():
            before = self._zone.node(owner)
            for rdtype in dict.fromkeys([*before, *node]):
                after = node.get(rdtype)
                if after != before.get(rdtype):
                    found.append(Change(owner, rdtype, after))
        return found

    def _node(self, owner: bytes) -> dict[int, RRset]:
        return self._nodes.setdefault(owner, dict(self._zone.node(owner)))

    def _known(self, present: RRset) -> dict[bytes, bytes]:
        """The rdatas of `present`, which is in the draft, by their canonical form."""
        key = present.owner, present.rdtype
        if key not in self._rdatas:
            self._rdatas[key] = {canonical_rdata(present.rdtype, rdata): rdata for rdata in present.rdatas}
        return self._rdatas[key]

    def _add(self, record: Record) -> None:
        """RFC 2136 3.4.2.2."""
        owner, rdtype, _, ttl, rdata = record
        node = self._node(owner)
        if rdtype not in _BESIDE_CNAME and self._collides(node, rdtype):
            return
        present = node.get(rdtype)
        if rdtype == rdtypes.SOA and (present is None or not _is_newer_soa(rdata, present.rdatas[0])):
            return
        ttl = ttl if ttl <= _MAX_TTL else 0  # RFC 2181 8
        if present is None or rdtype in _SINGLE:
            self._rdatas.pop((owner, rdtype), None)
            node[rdtype] = RRset(owner, rdtype, ttl, (_kept_or_new(rdtype, rdata, present),))
            return
        known = self._known(present)
        if rdtype == _WKS:
            for canonical in [form for form, other in known.items() if _is_replaced(other, rdata)]:
                del known[canonical]
        known.setdefault(canonical_rdata(rdtype, rdata), rdata)
        # RFC 2181 5.2: records of one RRset have one TTL, so that of the one that came counts for all, as in BIND.
        node[rdtype] = RRset(owner, rdtype, ttl, tuple(known.values()))

    def _collides(self, node: Mapping[int, RRset], rdtype: int) -> bool:
        """Whether a CNAME would stand beside other data, and so nothing is added."""
        if rdtype == rdtypes.CNAME:
            return any(other != rdtypes.CNAME and other not in _BESIDE_CNAME for other in node)
        return rdtypes.CNAME in node

    def _delete_rrsets(self, record: Record) -> None:
        """RFC 2136 3.4.2.3; SOA and NS of the apex stay."""
        node = self._node(record.owner)
        spared = {rdtypes.SOA, rdtypes.NS} if record.owner == self._zone.origin else frozenset()
        for rdtype in list(node) if record.rdtype == rdtypes.ANY else [record.rdtype]:
            if rdtype not in spared:
                node.pop(rdtype, None)
                self._rdatas.pop((record.owner, rdtype), None)

    def _delete_record(self, record: Record) -> None:
        """RFC 2136 3.4.2.4; the SOA and the last NS of the apex stay."""
        owner, rdtype, _, _, rdata = record
        node = self._node(owner)
        present = node.get(rdtype)
        if present is None or rdtype == rdtypes.SOA:
            return
        known, canonical = self._known(present), canonical_rdata(rdtype, rdata)
        if canonical not in known or (len(known) == 1 and rdtype == rdtypes.NS and owner == self._zone.origin):
            return
        del known[canonical]
        if known:
            node[rdtype] = present._replace(rdatas=tuple(known.values()))
        else:
            del node[rdtype], self._rdatas[owner, rdtype]


def _kept_or_new(rdtype: int, rdata: bytes, present: RRset | None) -> bytes:
    """The one rdata of a type that has one: the letter case of the file is kept where nothing else differs."""
    if present is not None and _is_same(rdtype, present.rdatas[0], rdata):
        return present.rdatas[0]
    return rdata


def _is_same(rdtype: int, one: bytes, other: bytes) -> bool:
    return one == other or canonical_rdata(rdtype, one) == canonical_rdata(rdtype, other)


def _is_replaced(known: bytes, rdata: bytes) -> bool:
    """Whether `rdata` of type WKS takes the place of `known`, another of the same address and protocol."""
    return known != rdata and known[:_WKS_KEY] == rdata[:_WKS_KEY]


def _is_newer_soa(rdata: bytes, present: bytes) -> bool:
    return is_newer(serial_in(rdata), than=serial_in(present))


def _text(record: Record) -> str:
    return f"{names.to_text(record.owner)} {rdtypes.to_text(record.rdtype)}"
