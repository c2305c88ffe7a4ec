"""CNAME and DNAME: alone at their owner, and leading somewhere."""

from zones import name as names
from zones import rdtypes
from zones.checks.context import Context, Lookup
from zones.checks.registry import (
    CNAME_BESIDE_DATA,
    CNAME_DANGLING,
    CNAME_LOOP,
    CNAME_MULTIPLE,
    DNAME_BESIDE_NS,
    DNAME_CHILDREN,
    DNAME_LOOP,
    DNAME_MULTIPLE,
)
from zones.zone import RRset

# RFC 4034 2.5, RFC 2181 10.1: DNSSEC's own records may stand beside a CNAME.
_BESIDE_CNAME = frozenset((rdtypes.CNAME, rdtypes.RRSIG, rdtypes.NSEC, rdtypes.KEY))


def cname(context: Context, rrset: RRset) -> None:
    """Alone, and one."""
    owner = names.to_text(rrset.owner)
    others = [rdtype for rdtype in context.zone.node(rrset.owner) if rdtype not in _BESIDE_CNAME]
    if others:
        listed = ", ".join(rdtypes.to_text(rdtype) for rdtype in others)
        context.report(
            CNAME_BESIDE_DATA,
            rrset.owner,
            rdtypes.CNAME,
            f"{owner} has a CNAME and {listed}",
            "keep the CNAME or the other data",
        )
    if len(rrset.rdatas) > 1:
        listed = ", ".join(names.to_text(rdata) for rdata in rrset.rdatas)
        context.report(
            CNAME_MULTIPLE, rrset.owner, rdtypes.CNAME, f"{owner} is an alias of {listed}", "keep one", index=1
        )


def chain(context: Context, rrset: RRset) -> None:
    """It ends, and at a name that exists. A loop is reported at each name of it, not at those that lead into it."""
    seen = {rrset.owner}
    target = names.fold(rrset.rdatas[0])
    while True:
        found, owner = context.lookup(target)
        if found is Lookup.MISSING and len(seen) == 1:
            context.report(
                CNAME_DANGLING,
                rrset.owner,
                rdtypes.CNAME,
                f"{names.to_text(rrset.owner)} is an alias of {names.to_text(target)}, which does not exist",
                "add the name or remove the alias; is a final dot missing?",
            )
        if found is not Lookup.CNAME:
            return
        if target in seen or owner in seen:
            if target == rrset.owner or owner == rrset.owner:
                context.report(
                    CNAME_LOOP,
                    rrset.owner,
                    rdtypes.CNAME,
                    f"the alias {names.to_text(rrset.owner)} leads back to itself",
                    "let one name of the loop have data",
                )
            return
        seen.add(target)
        seen.add(owner)
        target = names.fold(context.zone.node(owner)[rdtypes.CNAME].rdatas[0])


def dname(context: Context, rrset: RRset) -> None:
    """One, not beside NS below the apex, not into its own subtree."""
    owner = names.to_text(rrset.owner)
    if len(rrset.rdatas) > 1:
        listed = ", ".join(names.to_text(rdata) for rdata in rrset.rdatas)
        context.report(DNAME_MULTIPLE, rrset.owner, rdtypes.DNAME, f"{owner} leads to {listed}", "keep one", index=1)
    if rrset.owner != context.origin and rdtypes.NS in context.zone.node(rrset.owner):
        context.report(
            DNAME_BESIDE_NS,
            rrset.owner,
            rdtypes.DNAME,
            f"{owner} has a DNAME and NS",
            "delegate the name or redirect it",
        )
    for index, rdata in enumerate(rrset.rdatas):
        if names.is_at_or_below(names.fold(rdata), rrset.owner):
            context.report(
                DNAME_LOOP,
                rrset.owner,
                rdtypes.DNAME,
                f"{owner} leads to {names.to_text(rdata)}, into itself",
                "let it lead outside of its own subtree",
                index=index,
            )


def below_dname(context: Context, owner: bytes, bottom: bytes) -> None:
    """`owner` is below the DNAME at `bottom`."""
    for rdtype in context.zone.node(owner):
        context.report(
            DNAME_CHILDREN,
            owner,
            rdtype,
            f"{names.to_text(owner)} is below the DNAME at {names.to_text(bottom)}",
            "it is never answered: move it or remove the DNAME",
        )
