"""The NSEC chain: one at each authoritative name, a ring, bitmaps that tell the truth. Read first: RFC 4035 2.3."""

from typing import Final

from zones import name as names
from zones import rdtypes
from zones.checks.context import AT_CUT, Context
from zones.checks.rdata import bitmap, bitmap_types, name_at
from zones.checks.registry import NSEC_BITMAP, NSEC_CHAIN, NSEC_EXTRA, NSEC_MISSING, Check
from zones.slices import Sliced

_SLICE: Final = 32


def nsec(context: Context) -> Sliced[None]:
    """The chain of a zone that is signed with NSEC."""
    links: list[tuple[int, bytes, bytes]] = []
    if rdtypes.NSEC not in context.zone.node(context.origin):
        context.report(
            NSEC_MISSING,
            context.origin,
            rdtypes.SOA,
            f"{names.to_text(context.origin)} is signed and has neither NSEC nor NSEC3",
            "nothing proves that a name does not exist: sign the zone again",
        )
        return
    for count, owner in enumerate(context.authoritative):
        if not count % _SLICE:
            yield
        node = context.zone.node(owner)
        rrset = node.get(rdtypes.NSEC)
        if rrset is None or len(rrset.rdatas) > 1:
            count_text = "no" if rrset is None else "more than one"
            context.report(
                NSEC_MISSING,
                owner,
                next(iter(node)) if rrset is None else rdtypes.NSEC,
                f"{names.to_text(owner)} has {count_text} NSEC",
                "sign the zone again",
            )
            if rrset is None:
                continue
        next_name, end = name_at(rrset.rdatas[0], 0)
        links.append((count, owner, names.fold(next_name)))
        compare_bitmap(context, NSEC_BITMAP, owner, rdtypes.NSEC, rrset.rdatas[0][end:], owner)
    for count, (position, owner, after) in enumerate(links):
        if not count % _SLICE:
            yield
        # A name without NSEC is reported already, so the chain may lead to it or past it.
        following = context.authoritative[(position + 1) % len(context.authoritative)]
        expected = links[(count + 1) % len(links)][1]
        if after not in (following, expected):
            context.report(
                NSEC_CHAIN,
                owner,
                rdtypes.NSEC,
                f"NSEC of {names.to_text(owner)} names {names.to_text(after)} as the next",
                f"that is {names.to_text(expected)}: sign the zone again",
            )


def superfluous(context: Context, owner: bytes, why: str) -> None:
    """An NSEC where none belongs."""
    context.report(NSEC_EXTRA, owner, rdtypes.NSEC, f"NSEC at {names.to_text(owner)}, {why}", "sign the zone again")


def compare_bitmap(
    context: Context, check: Check, owner: bytes, rdtype: int, found: bytes, name: bytes, *, index: int = 0
) -> None:
    """Report unless the bitmap `found` of record `index` at `owner` lists the types of `name`."""
    node = context.zone.node(name)
    types = AT_CUT.intersection(node) if name in context.cuts else set(node)
    if bitmap(list(types)) == found:
        return
    listed = set(bitmap_types(found))
    missing = " ".join(rdtypes.to_text(each) for each in sorted(types - listed))
    surplus = " ".join(rdtypes.to_text(each) for each in sorted(listed - types))
    what = [f"lacks {missing}"] if missing else []
    what += [f"lists {surplus}, not there"] if surplus else []
    about = f"{rdtypes.to_text(rdtype)} of {names.to_text(name)}"
    message = f"{about} {' and '.join(what) or 'has a bitmap of a wrong form'}"
    context.report(check, owner, rdtype, message, "sign the zone again", index=index)
