"""The zone's keys, and what it tells its parent about them: DNSKEY, CDS, CDNSKEY, CSYNC."""

import hashlib
from dataclasses import dataclass, field
from typing import Final

from zones import name as names
from zones import rdtypes
from zones.checks.context import Context, limited
from zones.checks.delegation import SIGNING_ALGORITHMS
from zones.checks.rdata import key_tag
from zones.checks.registry import (
    CDNSKEY_MISMATCH,
    CDNSKEY_MISSING,
    CDS_ALGORITHM,
    CDS_DELETE,
    CDS_DELETE_MIXED,
    CDS_MISMATCH,
    CDS_MISSING,
    CSYNC_FLAGS,
    CSYNC_MULTIPLE,
    DNSKEY_ALGORITHM,
    DNSKEY_FLAGS,
    DNSKEY_KEY,
    DNSKEY_PROTOCOL,
    DNSKEY_TAGS,
    Check,
)
from zones.rrset import RRset

_ZONE: Final = 0x0100  # RFC 4034 2.1.1
_SEP: Final = 0x0001
_REVOKE: Final = 0x0080  # RFC 5011 7
_PROTOCOL: Final = 3
_RSA: Final = frozenset((5, 7, 8, 10))
_KEY_OCTETS: Final = {13: 64, 14: 96, 15: 32, 16: 57}  # RFC 6605 4, RFC 8080 3
_DIGESTS: Final = {1: "sha1", 2: "sha256", 4: "sha384"}
_DELETE_CDS: Final = bytes(5)  # RFC 8078 4
_DELETE_CDNSKEY: Final = b"\0\0\3\0\0"
_CSYNC_KNOWN: Final = 0x0003


@dataclass(frozen=True, slots=True)
class Keys:
    """The keys that sign the zone."""

    by_tag: dict[tuple[int, int], list[bytes]] = field(default_factory=dict)
    """Rdata of DNSKEYs with the zone flag, by key tag and algorithm."""
    algorithms: set[int] = field(default_factory=set)
    """Algorithms of those that are not revoked."""


def keys(context: Context) -> Keys:
    """Check the DNSKEY RRset; the keys in it."""
    found = Keys()
    rrset = context.zone.rrset(context.origin, rdtypes.DNSKEY)
    if rrset is None:
        return found
    for index, rdata in enumerate(limited(rrset).rdatas):
        flags, protocol, algorithm = int.from_bytes(rdata[:2], "big"), rdata[2], rdata[3]
        tag = key_tag(rdata)
        about = f"DNSKEY with key tag {tag}"
        if not flags & _ZONE or flags & ~(_ZONE | _SEP | _REVOKE):
            _report(context, DNSKEY_FLAGS, rrset, index, f"{about} has flags {flags}", "256 or 257 are usual")
        if protocol != _PROTOCOL:
            _report(context, DNSKEY_PROTOCOL, rrset, index, f"{about} has protocol {protocol}", "it is always 3")
        if algorithm not in SIGNING_ALGORITHMS:
            hint = "13 (ECDSA P-256) and 15 (Ed25519) are usual"
            _report(context, DNSKEY_ALGORITHM, rrset, index, f"{about} has algorithm {algorithm}", hint)
        elif wrong := _wrong_key(algorithm, rdata[4:]):
            _report(context, DNSKEY_KEY, rrset, index, f"{about} {wrong}", "copy the key again")
        if flags & _ZONE:
            same = found.by_tag.setdefault((tag, algorithm), [])
            if same:
                hint = "validators try few of them: make another key"
                _report(context, DNSKEY_TAGS, rrset, index, f"two keys have tag {tag}, algorithm {algorithm}", hint)
            same.append(rdata)
            if not flags & _REVOKE:
                found.algorithms.add(algorithm)
    return found


def _wrong_key(algorithm: int, key: bytes) -> str:
    """What is wrong with the octets of a public key; empty if nothing is."""
    octets = _KEY_OCTETS.get(algorithm)
    if octets is not None:
        return "" if len(key) == octets else f"has a key of {len(key)} octets, algorithm {algorithm} has {octets}"
    if algorithm in _RSA:
        # RFC 3110 2: length of the exponent in one octet, or 0 and two octets.
        if len(key) < 3:
            return "has a key that is cut off"
        start, length = (1, key[0]) if key[0] else (3, int.from_bytes(key[1:3], "big"))
        modulus = len(key) - start - length
        if not length or modulus < 64:
            return "has an RSA key of less than 512 bits" if length and modulus > 0 else "has a key that is cut off"
    return ""


def for_parent(context: Context) -> None:
    """CDS and CDNSKEY say the same, and that of keys which are here."""
    apex = context.zone.node(context.origin)
    cds, cdnskey, dnskey = (
        limited(apex[rdtype]) if rdtype in apex else None for rdtype in (rdtypes.CDS, rdtypes.CDNSKEY, rdtypes.DNSKEY)
    )
    keys = dnskey.rdatas if dnskey is not None else ()
    if cds is not None:
        if cdnskey is None:
            _report(context, CDNSKEY_MISSING, cds, 0, "CDS without CDNSKEY", "parents may read either: publish both")
        _cds(context, cds, keys, cdnskey)
        _deletion(context, cds, _DELETE_CDS, cdnskey, _DELETE_CDNSKEY)
    if cdnskey is not None:
        if cds is None:
            _report(context, CDS_MISSING, cdnskey, 0, "CDNSKEY without CDS", "parents may read either: publish both")
        _cdnskey(context, cdnskey, keys, cds)
        _deletion(context, cdnskey, _DELETE_CDNSKEY, cds, _DELETE_CDS)


def _cds(context: Context, cds: RRset, keys: tuple[bytes, ...], cdnskey: RRset | None) -> None:
    algorithms = {key[3] for key in keys}
    of_keys = _digests(context, keys)
    of_cdnskey = _digests(context, cdnskey.rdatas) if cdnskey is not None else of_keys
    for index, rdata in enumerate(cds.rdatas):
        if rdata == _DELETE_CDS:
            continue
        about = f"CDS with key tag {int.from_bytes(rdata[:2], 'big')}"
        if rdata[2] not in algorithms:
            _no_such_algorithm(context, cds, index, rdata[2])
        elif rdata[3] in _DIGESTS and rdata not in of_keys:
            _report(context, CDS_MISMATCH, cds, index, f"{about} is the digest of no DNSKEY", "make it from the DNSKEY")
        elif rdata[3] in _DIGESTS and rdata not in of_cdnskey:
            _report(context, CDS_MISMATCH, cds, index, f"{about} is the digest of no CDNSKEY", "publish both of a key")


def _cdnskey(context: Context, cdnskey: RRset, keys: tuple[bytes, ...], cds: RRset | None) -> None:
    algorithms = {key[3] for key in keys}
    for index, rdata in enumerate(cdnskey.rdatas):
        if rdata == _DELETE_CDNSKEY:
            continue
        about = f"CDNSKEY with key tag {key_tag(rdata)}"
        if rdata[3] not in algorithms:
            _no_such_algorithm(context, cdnskey, index, rdata[3])
        elif rdata not in keys:
            _report(context, CDNSKEY_MISMATCH, cdnskey, index, f"{about} is no DNSKEY", "copy it from the DNSKEY")
        elif cds is not None and _digests(context, (rdata,)).isdisjoint(cds.rdatas):
            _report(context, CDNSKEY_MISMATCH, cdnskey, index, f"{about} has no CDS", "publish both of a key")


def _digests(context: Context, keys: tuple[bytes, ...]) -> set[bytes]:
    """Rdata of the CDS of each key, by each digest type (RFC 4034 5.1.4)."""
    found: set[bytes] = set()
    for key in keys:
        head = key_tag(key).to_bytes(2, "big") + key[3:4]
        for number, algorithm in _DIGESTS.items():
            digest = hashlib.new(algorithm, context.origin + key, usedforsecurity=False).digest()
            found.add(head + bytes((number,)) + digest)
    return found


def _no_such_algorithm(context: Context, rrset: RRset, index: int, algorithm: int) -> None:
    """A parent that obeys such a record would cut the zone off."""
    message = f"{rdtypes.to_text(rrset.rdtype)} has algorithm {algorithm}, which no DNSKEY of the zone has"
    _report(context, CDS_ALGORITHM, rrset, index, message, "make it from the DNSKEY, or remove it")


def _deletion(context: Context, rrset: RRset, mark: bytes, other: RRset | None, other_mark: bytes) -> None:
    """The mark of deletion stands alone, and in both RRsets."""
    if mark not in rrset.rdatas:
        return
    index = rrset.rdatas.index(mark)
    about = f"{rdtypes.to_text(rrset.rdtype)} asks the parent to delete DS"
    if len(rrset.rdatas) > 1:
        _report(context, CDS_DELETE_MIXED, rrset, index, f"{about} and to have some", "remove one or the other")
    if other is not None and other_mark not in other.rdatas:
        message = f"{about}, {rdtypes.to_text(other.rdtype)} does not"
        _report(context, CDS_DELETE, rrset, index, message, "let both ask for the same")


def csync(context: Context) -> None:
    """One CSYNC, with flags that parents know."""
    rrset = context.zone.rrset(context.origin, rdtypes.CSYNC)
    if rrset is None:
        return
    if len(rrset.rdatas) > 1:
        _report(context, CSYNC_MULTIPLE, rrset, 1, "more than one CSYNC", "parents do nothing then: keep one")
    for index, rdata in enumerate(limited(rrset).rdatas):
        flags = int.from_bytes(rdata[4:6], "big")
        if flags & ~_CSYNC_KNOWN:
            hint = "parents do nothing then: 1 is immediate, 2 soaminimum, 3 both"
            _report(context, CSYNC_FLAGS, rrset, index, f"CSYNC has flags {flags}", hint)


def _report(context: Context, check: Check, rrset: RRset, index: int, what: str, hint: str) -> None:
    context.report(check, rrset.owner, rrset.rdtype, f"{names.to_text(rrset.owner)}: {what}", hint, index=index)
