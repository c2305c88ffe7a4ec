"""The apex: SOA, NS, and what stands nowhere else."""

import struct
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
from zones.rrset import RRset

_FIELDS: Final = struct.Struct("!5I")  # what ends an SOA (RFC 1035 3.3.13)


def apex(context: Context) -> None:
    """SOA and NS are there."""
    if rdtypes.SOA not in context.apex:
        text = names.to_text(context.origin)
        context.report(SOA_MISSING, context.origin, rdtypes.SOA, f"{text} has no SOA", "add one at the zone's name")
    if rdtypes.NS not in context.apex:
        text = names.to_text(context.origin)
        context.report(NS_MISSING, context.origin, rdtypes.SOA, f"{text} has no NS", "name the zone's servers")


def soa(context: Context, rrset: RRset) -> None:
    """One, at the apex, with sane fields."""
    if rrset.owner != context.origin:
        hint = f"the zone is {names.to_text(context.origin)}: move or remove it"
        context.report(SOA_NOT_AT_APEX, rrset.owner, rdtypes.SOA, f"SOA at {names.to_text(rrset.owner)}", hint)
        return
    if len(rrset.rdatas) > 1:
        message = f"{names.to_text(rrset.owner)} has {len(rrset.rdatas)} SOA"
        context.report(SOA_MULTIPLE, rrset.owner, rdtypes.SOA, message, "keep one", index=1)
    for index, rdata in enumerate(rrset.rdatas):
        if b"@" in rdata[: len(rdata) - _FIELDS.size]:
            _rname(context, rrset, index)
        _, refresh, retry, expire, _ = _FIELDS.unpack_from(rdata, len(rdata) - _FIELDS.size)
        if not refresh or not retry or expire <= refresh:
            context.report(
                SOA_TIMERS,
                rrset.owner,
                rdtypes.SOA,
                f"REFRESH {refresh}, RETRY {retry}, EXPIRE {expire}",
                "a secondary would drop the zone before it asks again, or ask without a pause",
                index=index,
            )


def _rname(context: Context, rrset: RRset, index: int) -> None:
    """RNAME of record `index` has no @ in its first label."""
    rdata = rrset.rdatas[index]
    _, position = name_at(rdata, 0)
    rname, _ = name_at(rdata, position)
    if b"@" in next(names.labels(rname), b""):
        context.report(
            SOA_RNAME,
            rrset.owner,
            rdtypes.SOA,
            f"RNAME {names.to_text(rname)} holds an @",
            "write hostmaster@example.com as hostmaster.example.com.",
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
