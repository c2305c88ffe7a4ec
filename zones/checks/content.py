"""What stands in records that no other file of this folder looks at: policies in TXT, long RRsets."""

from typing import Final

from zones import name as names
from zones import rdtypes
from zones.checks.context import Context
from zones.checks.rdata import strings
from zones.checks.registry import RRSET_LARGE, SPF_MULTIPLE, SPF_OBSOLETE
from zones.rrset import RRset

_SPF: Final = b"v=spf1"


def text(context: Context, rrset: RRset) -> None:
    """One SPF policy an owner."""
    policies = [index for index, rdata in enumerate(rrset.rdatas) if _is_spf(rdata)]
    if len(policies) > 1:
        context.report(
            SPF_MULTIPLE,
            rrset.owner,
            rdtypes.TXT,
            f"{names.to_text(rrset.owner)} has {len(policies)} SPF policies",
            "receivers ignore them all: join them into one",
            index=policies[1],
        )


def spf(context: Context, rrset: RRset) -> None:
    """The type SPF was given up; what it says stands in a TXT."""
    beside = context.zone.node(rrset.owner).get(rdtypes.TXT)
    if beside is None or not any(_is_spf(rdata) for rdata in beside.rdatas):
        context.report(
            SPF_OBSOLETE,
            rrset.owner,
            rdtypes.SPF,
            f"{names.to_text(rrset.owner)} has a record of type SPF and no TXT with v=spf1",
            "receivers look at TXT alone: write it as TXT",
        )


def large(context: Context, rrset: RRset) -> None:
    """RRsets that make answers too long for anything but TCP, or even for that."""
    context.report(
        RRSET_LARGE,
        rrset.owner,
        rrset.rdtype,
        f"{names.to_text(rrset.owner)} has {len(rrset.rdatas)} {rdtypes.to_text(rrset.rdtype)} records",
        "answers with it are slow or too long to be sent, and BIND refuses it: use several names",
    )


def _is_spf(rdata: bytes) -> bool:
    """Whether a TXT is an SPF policy (RFC 7208 4.5): the version alone, or followed by a space."""
    if _SPF not in rdata:
        return False
    joined = b"".join(strings(rdata))
    return joined.startswith(_SPF) and joined[len(_SPF) : len(_SPF) + 1] in (b"", b" ")
