"""CNAME and DNAME: alone at their owner, and leading somewhere."""

from typing import Final

from zones import name as names
from zones import rdtypes
from zones.checks.context import Context, Lookup
from zones.checks.registry import (
    CNAME_BESIDE_DATA,
    CNAME_DANGLING,
    CNAME_LONG,
    CNAME_LOOP,
    CNAME_MULTIPLE,
    DNAME_BESIDE_NS,
    DNAME_CHILDREN,
    DNAME_LOOP,
    DNAME_MULTIPLE,
)
from zones.rrset import RRset

# RFC 4034 2.5, RFC 2181 10.1: DNSSEC's own records may stand beside a CNAME.
_BESIDE_CNAME: Final = frozenset((rdtypes.CNAME, rdtypes.RRSIG, rdtypes.NSEC, rdtypes.KEY))
_MAX_LINKS: Final = 16  # what resolvers follow at most: 11 (Unbound) to 17 (BIND)


def cname(context: Context, rrset: RRset) -> None:
    """Alone, and one."""
    others = [rdtype for rdtype in context.zone.types(rrset.owner) if rdtype not in _BESIDE_CNAME]
    if others:
        owner = names.to_text(rrset.owner)
        listed = ", ".join(rdtypes.to_text(rdtype) for rdtype in others)
        context.report(
            CNAME_BESIDE_DATA,
            rrset.owner,
            rdtypes.CNAME,
            f"{owner} has a CNAME and {listed}",
            "keep the CNAME or the other data",
        )
    if len(rrset.rdatas) > 1:
        message = f"{names.to_text(rrset.owner)} is an alias of {', '.join(map(names.to_text, rrset.rdatas))}"
        context.report(CNAME_MULTIPLE, rrset.owner, rdtypes.CNAME, message, "keep one", index=1)


def chain(context: Context, rrset: RRset) -> None:
    """It ends soon, and at a name that exists. A loop is reported at each of its names, not at those before it."""
    seen = {rrset.owner}
    target = names.fold(rrset.rdatas[0])
    for link in range(_MAX_LINKS):
        found, owner = context.lookup(target)
        if found is Lookup.MISSING and not link:
            message = f"{names.to_text(rrset.owner)} is an alias of {names.to_text(target)}, which does not exist"
            hint = "add the name or remove the alias; is a final dot missing?"
            context.report(CNAME_DANGLING, rrset.owner, rdtypes.CNAME, message, hint)
        if found is not Lookup.CNAME:
            return
        if target in seen or owner in seen:
            if rrset.owner in (target, owner):
                message = f"the alias {names.to_text(rrset.owner)} leads back to itself"
                context.report(CNAME_LOOP, rrset.owner, rdtypes.CNAME, message, "let one name of the loop have data")
            return
        seen.add(target)
        seen.add(owner)
        target = names.fold(context.zone.node(owner)[rdtypes.CNAME].rdatas[0])
    message = f"the alias {names.to_text(rrset.owner)} leads through more than {_MAX_LINKS} others"
    context.report(CNAME_LONG, rrset.owner, rdtypes.CNAME, message, "resolvers give up: name the last one")


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
