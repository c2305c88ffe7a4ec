"""The apex: SOA, NS, and what stands nowhere else."""

from typing import Final

from zones import name as names
from zones import rdtypes
from zones.checks.context import Context
from zones.checks.rdata import name_at
from zones.checks.registry import (
    NOT_AT_APEX,
    NS_MISSING,
    SOA_MISSING,
    SOA_MULTIPLE,
    SOA_NOT_AT_APEX,
    SOA_RNAME,
    SOA_TIMERS,
)
from zones.zone import RRset

_TIMERS: Final = 20  # octets of the five 32-bit fields that end an SOA (RFC 1035 3.3.13)


def apex(context: Context) -> None:
    """SOA and NS are there."""
    node = context.zone.node(context.origin)
    if rdtypes.SOA not in node:
        text = names.to_text(context.origin)
        context.report(SOA_MISSING, context.origin, rdtypes.SOA, f"{text} has no SOA", "add one at the zone's name")
    if rdtypes.NS not in node:
        text = names.to_text(context.origin)
        context.report(NS_MISSING, context.origin, rdtypes.SOA, f"{text} has no NS", "name the zone's servers")


def soa(context: Context, rrset: RRset) -> None:
    """One, at the apex, with sane fields."""
    owner = names.to_text(rrset.owner)
    if rrset.owner != context.origin:
        origin = names.to_text(context.origin)
        context.report(
            SOA_NOT_AT_APEX, rrset.owner, rdtypes.SOA, f"SOA at {owner}", f"the zone is {origin}: move or remove it"
        )
        return
    if len(rrset.rdatas) > 1:
        context.report(
            SOA_MULTIPLE, rrset.owner, rdtypes.SOA, f"{owner} has {len(rrset.rdatas)} SOA", "keep one", index=1
        )
    for index, rdata in enumerate(rrset.rdatas):
        _, position = name_at(rdata, 0)
        rname, _ = name_at(rdata, position)
        first = next(names.labels(rname), b"")
        if b"@" in first:
            context.report(
                SOA_RNAME,
                rrset.owner,
                rdtypes.SOA,
                f"RNAME {names.to_text(rname)} holds an @",
                "write hostmaster@example.com as hostmaster.example.com.",
                index=index,
            )
        timers = rdata[len(rdata) - _TIMERS :]
        _, refresh, retry, expire, _ = (int.from_bytes(timers[at : at + 4], "big") for at in range(0, _TIMERS, 4))
        if not refresh or not retry or expire <= refresh:
            context.report(
                SOA_TIMERS,
                rrset.owner,
                rdtypes.SOA,
                f"REFRESH {refresh}, RETRY {retry}, EXPIRE {expire}",
                "a secondary would drop the zone before it asks again, or ask without a pause",
                index=index,
            )


def apex_only(context: Context, rrset: RRset) -> None:
    """Types that mean something at the apex alone."""
    if rrset.owner != context.origin:
        context.report(
            NOT_AT_APEX,
            rrset.owner,
            rrset.rdtype,
            f"{rdtypes.to_text(rrset.rdtype)} at {names.to_text(rrset.owner)}",
            f"it belongs at {names.to_text(context.origin)}",
        )
