"""Delegations: glue, what is hidden by them, and DS."""

from typing import Final

from zones import name as names
from zones import rdtypes
from zones.checks.context import AT_CUT, Context
from zones.checks.registry import (
    DS_ALGORITHM,
    DS_AT_APEX,
    DS_CONFLICT,
    DS_DIGEST_LENGTH,
    DS_DIGEST_TYPE,
    DS_WITHOUT_NS,
    GLUE_MISSING,
    GLUE_SIBLING,
    OCCLUDED,
)
from zones.rrset import RRset

_DNSSEC: Final = frozenset((rdtypes.RRSIG, rdtypes.NSEC))
_DIGEST_OCTETS: Final = {1: 20, 2: 32, 3: 32, 4: 48, 5: 32, 6: 32}  # IANA, DS digest algorithms
# IANA, DNS security algorithm numbers, without 0 (deletion, only in CDS), 1 (RFC 8624: MUST NOT) and the unassigned.
SIGNING_ALGORITHMS: Final = frozenset((3, 5, 6, 7, 8, 10, 12, 13, 14, 15, 16, 17, 23, 253, 254))


def glue(context: Context, rrset: RRset) -> None:
    """Name servers of the delegation at `rrset.owner` that lie in delegated names of this zone have addresses."""
    for index, rdata in enumerate(rrset.rdatas):
        target = names.fold(rdata)
        if not names.is_at_or_below(target, context.origin):
            continue
        bottom = context.bottom(target)
        if bottom is None or bottom not in context.cuts or _has_address(context, target):
            continue
        own = bottom == rrset.owner
        context.report(
            GLUE_MISSING if own else GLUE_SIBLING,
            rrset.owner,
            rdtypes.NS,
            f"{names.to_text(rrset.owner)} is delegated to {names.to_text(target)}, "
            + ("inside itself, " if own else f"inside the delegation {names.to_text(bottom)}, ")
            + "which has no address here",
            f"add A or AAAA for {names.to_text(target)}",
            index=index,
        )


def _has_address(context: Context, name: bytes) -> bool:
    types = context.zone.types(name)
    return rdtypes.A in types or rdtypes.AAAA in types


def occluded(context: Context, owner: bytes, bottom: bytes) -> None:
    """Data at or below the delegation `bottom` that no answer will ever hold."""
    for rdtype in context.zone.types(owner):
        if rdtype in rdtypes.ADDRESSES and owner in context.servers:
            continue
        if rdtype in _DNSSEC or (owner == bottom and rdtype in AT_CUT):
            continue  # `signatures` and `nsec` tell about those
        context.report(
            OCCLUDED,
            owner,
            rdtype,
            f"{rdtypes.to_text(rdtype)} of {names.to_text(owner)} is hidden by the delegation {names.to_text(bottom)}",
            "it is never answered: move it to the delegated zone or remove the delegation",
        )


def ds(context: Context, rrset: RRset) -> None:
    """At a delegation, with an algorithm and a digest that exist and agree."""
    owner = names.to_text(rrset.owner)
    if rrset.owner == context.origin:
        context.report(DS_AT_APEX, rrset.owner, rdtypes.DS, f"DS at the apex {owner}", "give it to the parent zone")
        return
    if rdtypes.NS not in context.zone.node(rrset.owner):
        context.report(DS_WITHOUT_NS, rrset.owner, rdtypes.DS, f"{owner} has DS and no NS", "delegate it or remove DS")
    digests: dict[bytes, bytes] = {}
    for index, rdata in enumerate(rrset.rdatas):
        tag, algorithm, digest_type = int.from_bytes(rdata[:2], "big"), rdata[2], rdata[3]
        about = f"DS of {owner} with key tag {tag}"
        if algorithm not in SIGNING_ALGORITHMS:
            context.report(
                DS_ALGORITHM,
                rrset.owner,
                rdtypes.DS,
                f"{about} has algorithm {algorithm}",
                "13 (ECDSA P-256) and 15 (Ed25519) are usual",
                index=index,
            )
        octets = _DIGEST_OCTETS.get(digest_type)
        if octets is None:
            context.report(
                DS_DIGEST_TYPE,
                rrset.owner,
                rdtypes.DS,
                f"{about} has digest type {digest_type}",
                "2 (SHA-256) is usual",
                index=index,
            )
        elif len(rdata) - 4 != octets:
            context.report(
                DS_DIGEST_LENGTH,
                rrset.owner,
                rdtypes.DS,
                f"{about} has a digest of {len(rdata) - 4} octets",
                f"digest type {digest_type} has {octets}",
                index=index,
            )
        if digests.setdefault(rdata[:4], rdata) != rdata:
            context.report(
                DS_CONFLICT,
                rrset.owner,
                rdtypes.DS,
                f"{about}, algorithm {algorithm}, digest type {digest_type} comes with two digests",
                "remove the wrong one",
                index=index,
            )
