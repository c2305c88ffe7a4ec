"""Names that NS, MX and SRV point to: no aliases, with addresses where this zone knows."""

import re
from typing import Final

from zones import name as names
from zones import rdtypes
from zones.checks.context import Context, Lookup
from zones.checks.rdata import TARGET_STARTS
from zones.checks.registry import (
    ADDRESS_AS_NAME,
    DELEGATION_TARGET_ALIAS,
    DELEGATION_TARGET_MISSING,
    MX_NULL,
    MX_TARGET_ALIAS,
    MX_TARGET_MISSING,
    NS_TARGET_ALIAS,
    NS_TARGET_MISSING,
    SRV_TARGET_ALIAS,
    SRV_TARGET_MISSING,
    Check,
)
from zones.rrset import RRset

# The checks of an alias and of a target without addresses.
_RULES: Final = {
    rdtypes.NS: (DELEGATION_TARGET_ALIAS, DELEGATION_TARGET_MISSING),
    rdtypes.MX: (MX_TARGET_ALIAS, MX_TARGET_MISSING),
    rdtypes.SRV: (SRV_TARGET_ALIAS, SRV_TARGET_MISSING),
}
_DIGITS: Final = re.compile(rb"[0-9]{1,3}")
_IPV6: Final = re.compile(rb"(?=.*:.*:)[0-9a-f:]+")
_REVERSE: Final = b"\7in-addr\4arpa\0"


def may_lead_inside(context: Context, rrset: RRset) -> bool:
    """Whether a name that ends the rdata of an RRset may be in the zone."""
    for rdata in rrset.rdatas:  # noqa: SIM110 -- a generator would take three times as long
        if names.fold(rdata).endswith(context.origin):
            return True
    return False


def addresses(context: Context, rrset: RRset) -> None:
    """No target of an NS, MX or SRV RRset is an IP address."""
    start = TARGET_STARTS[rrset.rdtype]
    for index, rdata in enumerate(rrset.rdatas):
        name = names.fold(rdata[start:])
        if name != names.ROOT and _is_address(name):
            context.report(
                ADDRESS_AS_NAME,
                rrset.owner,
                rrset.rdtype,
                f"{rdtypes.to_text(rrset.rdtype)} of {names.to_text(rrset.owner)} names {names.to_text(name)}",
                "give the address to a name by A, and write that name here",
                index=index,
            )


def targets(context: Context, rrset: RRset) -> None:
    """What the zone says of each target of an NS, MX or SRV RRset."""
    start = TARGET_STARTS[rrset.rdtype]
    alias, missing = _RULES[rrset.rdtype]
    if rrset.rdtype == rdtypes.NS and rrset.owner == context.origin:
        alias, missing = NS_TARGET_ALIAS, NS_TARGET_MISSING
    for index, rdata in enumerate(rrset.rdatas):
        name = names.fold(rdata[start:])
        if name != names.ROOT:  # RFC 7505, RFC 2782: no such service
            _target(context, rrset, index, name, alias, missing)


def _target(context: Context, rrset: RRset, index: int, name: bytes, alias: Check, missing: Check) -> None:
    found, owner = context.lookup(name)
    if found in (Lookup.ADDRESS, Lookup.OUTSIDE, Lookup.DELEGATED):
        return  # glue of delegations is `delegation`'s
    about = f"{rdtypes.to_text(rrset.rdtype)} of {names.to_text(rrset.owner)} names {names.to_text(name)}, which "
    if found in (Lookup.CNAME, Lookup.BELOW_DNAME):
        decided = "" if owner == name else f" ({names.to_text(owner)})"
        context.report(
            alias, rrset.owner, rrset.rdtype, f"{about}{found.value}{decided}", "name its target instead", index=index
        )
    else:
        context.report(
            missing,
            rrset.owner,
            rrset.rdtype,
            f"{about}{found.value}",
            "add its A or AAAA; is a final dot missing?",
            index=index,
        )


def null_mx(context: Context, rrset: RRset) -> None:
    """`0 .` says that there is no mail, so it stands alone."""
    if len(rrset.rdatas) == 1:
        return
    for index, rdata in enumerate(rrset.rdatas):
        if rdata[2:] == names.ROOT:
            context.report(
                MX_NULL,
                rrset.owner,
                rdtypes.MX,
                f"{names.to_text(rrset.owner)} has a null MX and others",
                "keep the null MX alone, or remove it",
                index=index,
            )


def _is_address(name: bytes) -> bool:
    """Whether a name is an IP address that was written where a name belongs, with or without the origin appended."""
    if not (48 <= name[1] <= 57 or b":" in name[1 : 1 + name[0]]):  # the usual case, quickly: no digit, no colon
        return False
    first = list(names.labels(name))
    if _IPV6.fullmatch(first[0]):
        return True
    return (
        len(first) >= 4
        and not name.endswith(_REVERSE)
        and all(_DIGITS.fullmatch(label) and int(label) < 256 for label in first[:4])
    )
