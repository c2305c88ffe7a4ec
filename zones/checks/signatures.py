"""RRSIGs: there where they must be, and with fields that fit zone, RRset, keys and time.

Read first: RFC 4035 2.2. An expired signature is a warning: the zone goes on being served, as by other servers.
"""

import datetime as dt
from typing import Final

from zones import name as names
from zones import rdtypes
from zones.checks.canonical import signed_data
from zones.checks.context import Context, limited
from zones.checks.keys import Keys
from zones.checks.rdata import Signature, signature
from zones.checks.registry import (
    DNSKEY_MISSING,
    RRSIG_ALGORITHMS,
    RRSIG_BOGUS,
    RRSIG_EARLY,
    RRSIG_EXPIRED,
    RRSIG_KEY,
    RRSIG_LABELS,
    RRSIG_MISSING,
    RRSIG_ORPHAN,
    RRSIG_SIGNER,
    RRSIG_TTL,
    Check,
)
from zones.checks.verify import Verify
from zones.rrset import Node, RRset

_SIGNED_AT_CUT: Final = frozenset((rdtypes.DS, rdtypes.NSEC))  # RFC 4035 2.2: the rest is not authoritative
_HALF: Final = 1 << 31
_MASK: Final = (1 << 32) - 1


def is_signed(context: Context, keys: Keys) -> bool:
    """Whether signatures and keys are there at all; one finding if one of the two is missing everywhere."""
    apex = context.zone.node(context.origin)
    origin = names.to_text(context.origin)
    if not keys.by_tag:
        context.report(
            DNSKEY_MISSING,
            context.origin,
            next(
                rdtype for rdtype in (rdtypes.RRSIG, rdtypes.NSEC, rdtypes.NSEC3PARAM, rdtypes.DNSKEY) if rdtype in apex
            ),
            f"{origin} has DNSSEC data and no DNSKEY that signs zones",
            "add the keys, or remove RRSIG, NSEC and NSEC3PARAM",
        )
        return False
    if rdtypes.RRSIG not in apex:
        context.report(
            RRSIG_MISSING,
            context.origin,
            rdtypes.DNSKEY,
            f"{origin} has DNSKEY and no signatures",
            "sign the zone; with a DS at the parent, validators refuse it as it is",
        )
        return False
    return True


def signatures(context: Context, keys: Keys, owner: bytes, node: Node, verify: Verify | None) -> None:
    """The signatures of one authoritative owner, or of an owner of NSEC3."""
    rrsigs = node.get(rdtypes.RRSIG)
    at_cut = owner in context.cuts
    signed_by: dict[int, set[int]] = {}
    if rrsigs is not None:
        for index, rdata in enumerate(limited(rrsigs).rdatas):
            fields = signature(rdata)
            covered = node.get(fields.covered)
            if covered is None or fields.covered == rdtypes.RRSIG or (at_cut and fields.covered not in _SIGNED_AT_CUT):
                _orphan(context, rrsigs, index, fields, is_there=covered is not None)
                continue
            signed_by.setdefault(fields.covered, set()).add(fields.algorithm)
            if _fields(context, keys, rrsigs, index, fields, covered) and verify is not None:
                _verify(context, keys, rrsigs, index, fields, covered, verify)
    for rdtype in node:
        if rdtype == rdtypes.RRSIG or (at_cut and rdtype not in _SIGNED_AT_CUT):
            continue
        algorithms = signed_by.get(rdtype)
        about = f"{rdtypes.to_text(rdtype)} of {names.to_text(owner)}"
        if algorithms is None:
            context.report(RRSIG_MISSING, owner, rdtype, f"{about} has no RRSIG", "sign the zone again")
        elif not algorithms >= keys.algorithms:
            listed = ", ".join(str(algorithm) for algorithm in sorted(keys.algorithms - algorithms))
            hint = "each algorithm of the DNSKEYs signs everything: sign again or remove the keys"
            context.report(RRSIG_ALGORITHMS, owner, rdtype, f"{about} has no RRSIG of algorithm {listed}", hint)


def hidden_signatures(context: Context, owner: bytes, bottom: bytes, node: Node) -> None:
    """Signatures below a delegation: the data there is not this zone's."""
    rrsigs = node.get(rdtypes.RRSIG)
    if rrsigs is not None and owner != bottom:
        for index, rdata in enumerate(limited(rrsigs).rdatas):
            _orphan(context, rrsigs, index, signature(rdata), is_there=True)


def _orphan(context: Context, rrsigs: RRset, index: int, fields: Signature, *, is_there: bool) -> None:
    covered = rdtypes.to_text(fields.covered)
    why = "which is not to be signed" if is_there else "which is not there"
    _report(context, RRSIG_ORPHAN, rrsigs, index, fields, f"covers {covered}, {why}", "remove it or sign again")


def _fields(context: Context, keys: Keys, rrsigs: RRset, index: int, fields: Signature, covered: RRset) -> bool:
    """Check each field; whether a verification of the signature makes sense."""
    owner = rrsigs.owner
    now = int(context.now) & _MASK
    again = "sign the zone again"
    good = True

    def report(check: Check, what: str, hint: str = again) -> None:
        nonlocal good
        good = False
        _report(context, check, rrsigs, index, fields, what, hint)

    if fields.signer != context.origin:
        report(RRSIG_SIGNER, f"names the signer {names.to_text(fields.signer)}", "the zone signs itself")
    elif (fields.key_tag, fields.algorithm) not in keys.by_tag:
        report(RRSIG_KEY, f"is of a key that is not here (tag {fields.key_tag}, algorithm {fields.algorithm})")
    count = names.count_labels(owner) - owner.startswith(names.WILDCARD_LABEL)
    if fields.labels != count:
        report(RRSIG_LABELS, f"counts {fields.labels} labels, its owner has {count}")
    if fields.original_ttl != covered.ttl:
        report(RRSIG_TTL, f"is for TTL {fields.original_ttl}, the RRset has {covered.ttl}")
    # RFC 4034 3.1.5: times are compared by serial number arithmetic (RFC 1982).
    if (now - fields.expiration) & _MASK < _HALF and now != fields.expiration:
        report(RRSIG_EXPIRED, f"expired {_time(fields.expiration)}")
    elif (fields.inception - now) & _MASK < _HALF and now != fields.inception:
        report(RRSIG_EARLY, f"is not valid before {_time(fields.inception)}", "wait, or sign with an earlier inception")
    elif (fields.inception - fields.expiration) & _MASK < _HALF and fields.inception != fields.expiration:
        report(RRSIG_EARLY, f"begins {_time(fields.inception)}, after its end {_time(fields.expiration)}")
    return good


def _verify(
    context: Context, keys: Keys, rrsigs: RRset, index: int, fields: Signature, covered: RRset, verify: Verify
) -> None:
    data = signed_data(rrsigs.owner, fields.covered, covered.rdatas, rrsigs.rdatas[index])
    for key in keys.by_tag[fields.key_tag, fields.algorithm]:
        if verify(key, data, fields.signature) is not False:
            return
    what = f"does not verify with the key {fields.key_tag}"
    _report(context, RRSIG_BOGUS, rrsigs, index, fields, what, "the records or the signature changed: sign again")


def _time(seconds: int) -> str:
    return dt.datetime.fromtimestamp(seconds, dt.UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


def _report(context: Context, check: Check, rrsigs: RRset, index: int, fields: Signature, what: str, hint: str) -> None:
    about = f"RRSIG of {rdtypes.to_text(fields.covered)} at {names.to_text(rrsigs.owner)}"
    context.report(check, rrsigs.owner, rdtypes.RRSIG, f"{about} {what}", hint, index=index)
