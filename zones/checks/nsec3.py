"""The chains of NSEC3: one a set of parameters, each a ring over the hashes of the names. Read first: RFC 5155 7.1."""

import base64
import binascii
import bisect
import hashlib
from typing import Final, NamedTuple

from zones import name as names
from zones import rdtypes
from zones.checks.context import Context, limited
from zones.checks.nsec import compare_bitmap
from zones.checks.rdata import Hashed, hashed
from zones.checks.registry import (
    NSEC3_BITMAP,
    NSEC3_CHAIN,
    NSEC3_EXTRA,
    NSEC3_ITERATIONS,
    NSEC3_MISSING,
    NSEC3_OPT_OUT,
    NSEC3_OWNER,
    NSEC3PARAM_ALGORITHM,
    NSEC3PARAM_FLAGS,
    NSEC3PARAM_MISSING,
    Check,
)
from zones.slices import Sliced

_SLICE: Final = 16
_SHA1: Final = 1
_MAX_ITERATIONS: Final = 50  # RFC 9276 3.2: validators treat zones with more as insecure or bogus


class _Link(NamedTuple):
    """One NSEC3 of a chain."""

    hash: bytes
    owner: bytes
    record: int
    """Its index in the RRset."""
    fields: Hashed


def nsec3(context: Context, announced: set[bytes]) -> Sliced[None]:
    """All chains of a signed zone that has NSEC3 or NSEC3PARAM; `announced` is what `parameters` gives."""
    chains = yield from _chains(context)
    for unused in announced - chains.keys():
        text = _text(unused)
        message = f"no NSEC3 has the parameters {text} of the NSEC3PARAM"
        context.report(NSEC3_MISSING, context.origin, rdtypes.NSEC3PARAM, message, "sign the zone again")
    names_of_zone: dict[bytes, bool] = {}
    if chains:
        names_of_zone = yield from _names(context)
    for shared, links in chains.items():
        if shared not in announced:
            message = f"NSEC3 has the parameters {_text(shared)}, which no NSEC3PARAM of the apex has"
            _report(context, NSEC3PARAM_MISSING, links[0], message, "add the NSEC3PARAM or sign again")
        if shared[0] == _SHA1:
            yield from _ring(context, links)
            yield from _coverage(context, shared, links, names_of_zone)


def parameters(context: Context) -> set[bytes]:
    """Check NSEC3PARAM; the parameters that it announces, without flags, as `Hashed` has them."""
    announced: set[bytes] = set()
    rrset = context.zone.rrset(context.origin, rdtypes.NSEC3PARAM)
    if rrset is None:
        return announced
    if all(rdata[0] != _SHA1 for rdata in rrset.rdatas):
        context.report(
            NSEC3PARAM_ALGORITHM,
            context.origin,
            rdtypes.NSEC3PARAM,
            f"NSEC3PARAM has hash algorithm {rrset.rdatas[0][0]}",
            "1 (SHA-1) is the only one",
        )
    for index, rdata in enumerate(limited(rrset).rdatas):
        flags, iterations = rdata[1], int.from_bytes(rdata[2:4], "big")
        announced.add(rdata[:1] + rdata[2 : 5 + rdata[4]])
        if flags:
            context.report(
                NSEC3PARAM_FLAGS,
                context.origin,
                rdtypes.NSEC3PARAM,
                f"NSEC3PARAM has flags {flags}",
                "servers ignore it: opt-out is a flag of NSEC3 alone",
                index=index,
            )
        if iterations > _MAX_ITERATIONS:
            context.report(
                NSEC3_ITERATIONS,
                context.origin,
                rdtypes.NSEC3PARAM,
                f"NSEC3PARAM has {iterations} iterations",
                "validators give up on it: sign again with 0",
                index=index,
            )
    return announced


def _chains(context: Context) -> Sliced[dict[bytes, list[_Link]]]:
    """NSEC3 records by their parameters, in the order of hashes."""
    chains: dict[bytes, list[_Link]] = {}
    for count, owner in enumerate(context.hashed):
        if not count % _SLICE:
            yield
        digest = _decode(owner, context.origin)
        for index, rdata in enumerate(limited(context.zone.node(owner)[rdtypes.NSEC3]).rdatas):
            fields = hashed(rdata)
            if digest is None or len(digest) != len(fields.next):
                message = f"NSEC3 at {names.to_text(owner)}, which is no hash under the apex"
                hint = "sign the zone again"
                context.report(NSEC3_OWNER, owner, rdtypes.NSEC3, message, hint, index=index)
                continue
            chains.setdefault(fields.parameters, []).append(_Link(digest, owner, index, fields))
    return chains


def _ring(context: Context, links: list[_Link]) -> Sliced[None]:
    """Each next hash is that of the following NSEC3, of the last that of the first."""
    for count, link in enumerate(links):
        if not count % _SLICE:
            yield
        after = links[(count + 1) % len(links)]
        if after.hash == link.hash and len(links) > 1:
            _report(context, NSEC3_CHAIN, after, f"two NSEC3 at {names.to_text(after.owner)}", "sign the zone again")
        elif link.fields.next != after.hash:
            message = f"NSEC3 at {names.to_text(link.owner)} names {_label(link.fields.next)} as the next"
            _report(context, NSEC3_CHAIN, link, message, f"that is {_label(after.hash)}: sign the zone again")


def _names(context: Context) -> Sliced[dict[bytes, bool]]:
    """Names that have an NSEC3: authoritative ones and empty non-terminals; whether opt-out may leave each out.

    RFC 5155 7.1: that is so for insecure delegations, and for what is above nothing else.
    """
    found: dict[bytes, bool] = {}
    for count, owner in enumerate(context.authoritative):
        if not count % _SLICE:
            yield
        optional = owner in context.cuts and rdtypes.DS not in context.zone.node(owner)
        found[owner] = optional
        above = owner
        while above != context.origin:
            above = names.parent(above)
            if above in context.zone or found.get(above) is False or (optional and above in found):
                break
            found[above] = optional
    return found


def _coverage(context: Context, shared: bytes, links: list[_Link], names_of_zone: dict[bytes, bool]) -> Sliced[None]:
    """Each name has its NSEC3 with its types, and each NSEC3 its name."""
    iterations, salt = int.from_bytes(shared[1:3], "big"), shared[4:]
    by_hash: dict[bytes, _Link] = {}
    for count, each in enumerate(links):
        if not count % _SLICE:
            yield
        by_hash[each.hash] = each
    is_ring = len(by_hash) == len(links)
    missing: list[tuple[bytes, bytes]] = []
    needed: set[bytes] = set()
    for name, optional in names_of_zone.items():
        yield
        digest = hashlib.sha1(name + salt, usedforsecurity=False).digest()
        for _ in range(iterations):
            digest = hashlib.sha1(digest + salt, usedforsecurity=False).digest()
        link = by_hash.pop(digest, None)
        if link is None:
            missing.append((name, digest))
            continue
        found = link.fields.bitmap
        compare_bitmap(context, NSEC3_BITMAP, link.owner, rdtypes.NSEC3, found, name, index=link.record)
        if optional:
            # RFC 5155 7.1: a delegation that opt-out might have left out, but did not, needs what is above it.
            for above in names.ancestors(name):
                if above in needed or above == context.origin:
                    break
                needed.add(above)
    for name, digest in missing:
        yield
        about = f"{names.to_text(name)} has no NSEC3 ({_label(digest)})"
        place, rdtype = context.origin, rdtypes.NSEC3PARAM
        if name in context.zone:
            place, rdtype = name, next(iter(context.zone.node(name)))
        if name in needed or not names_of_zone[name]:
            context.report(NSEC3_MISSING, place, rdtype, about, "sign the zone again")
            continue
        # Owners in canonical order are hashes in order; the last one covers what is before the first.
        covering = links[bisect.bisect_left(links, digest, key=_hash) - 1]
        if is_ring and not covering.fields.opt_out:
            message = f"{about}, and the one that covers it is without opt-out"
            context.report(NSEC3_OPT_OUT, place, rdtype, message, "sign the zone again")
    for left in by_hash.values():
        message = f"NSEC3 at {names.to_text(left.owner)} is the hash of no name"
        _report(context, NSEC3_EXTRA, left, message, "sign the zone again")


def _decode(owner: bytes, origin: bytes) -> bytes | None:
    """The hash that an owner of NSEC3 stands for; None when it is none."""
    if names.parent(owner) != origin:
        return None
    try:
        return base64.b32hexdecode(owner[1 : 1 + owner[0]].upper())
    except binascii.Error:
        return None


def _hash(link: _Link) -> bytes:
    return link.hash


def _label(digest: bytes) -> str:
    return base64.b32hexencode(digest).decode().lower()


def _text(shared: bytes) -> str:
    """Parameters as NSEC3PARAM shows them, without the flags."""
    return f"{shared[0]} {int.from_bytes(shared[1:3], 'big')} {shared[4:].hex() or '-'}"


def _report(context: Context, check: Check, link: _Link, message: str, hint: str) -> None:
    context.report(check, link.owner, rdtypes.NSEC3, message, hint, index=link.record)
