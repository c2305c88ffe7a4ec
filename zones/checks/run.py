"""One walk over a zone that calls every check."""

import itertools
from array import array
from collections.abc import Callable, Mapping
from typing import Final

from zones import name as names
from zones import rdtypes
from zones.checks import alias, apex, content, delegation, keys, nsec, nsec3, owners, signatures, svcb, targets, zonemd
from zones.checks.context import LARGE, OF_SIGNED, Context, limited
from zones.checks.verify import Verify
from zones.findings import Finding
from zones.rrset import RRset
from zones.slices import Sliced, drain
from zones.survey import kinds
from zones.zone import Zone

RRsetCheck = Callable[[Context, RRset], None]

_SLICE: Final = 16  # owners or RRsets between two yields: about 200 microseconds

# What is looked at in authoritative data and at delegations, by type: at once, where the RRset alone is judged, ...
_AT_ONCE: Final[Mapping[int, tuple[RRsetCheck, ...]]] = {
    rdtypes.SOA: (apex.soa,),
    rdtypes.NS: (owners.target_name, targets.addresses),
    rdtypes.CNAME: (alias.cname,),
    rdtypes.DNAME: (alias.dname,),
    rdtypes.PTR: (owners.target_name,),
    rdtypes.MX: (owners.target_name, targets.null_mx, targets.addresses),
    rdtypes.SRV: (owners.target_name, targets.addresses),
    rdtypes.TXT: (content.text,),
    rdtypes.SPF: (content.spf,),
    rdtypes.DS: (delegation.ds,),
    rdtypes.DNSKEY: (apex.apex_only,),
    rdtypes.CDS: (apex.apex_only,),
    rdtypes.CDNSKEY: (apex.apex_only,),
    rdtypes.CSYNC: (apex.apex_only,),
    rdtypes.NSEC3PARAM: (apex.apex_only,),
    rdtypes.ZONEMD: (apex.apex_only,),
}
# ... and later, where it is followed to a name of the zone that a delegation or a DNAME may hide.
_LATER: Final[Mapping[int, tuple[RRsetCheck, ...]]] = {
    rdtypes.NS: (targets.targets, delegation.glue),
    rdtypes.CNAME: (alias.chain,),
    rdtypes.MX: (targets.targets,),
    rdtypes.SRV: (targets.targets,),
    rdtypes.SVCB: (svcb.svcb,),
    rdtypes.HTTPS: (svcb.svcb,),
}
_ENDS_WITH_NAME: Final = frozenset((rdtypes.NS, rdtypes.CNAME, rdtypes.MX, rdtypes.SRV))
# What servers refuse even where a delegation or a DNAME hides it.
_HIDDEN: Final[Mapping[int, tuple[RRsetCheck, ...]]] = {
    rdtypes.SOA: (apex.soa,),
    rdtypes.CNAME: (alias.cname,),
    rdtypes.DNAME: (alias.dname,),
    rdtypes.NS: (owners.target_name,),
    rdtypes.MX: (owners.target_name,),
}
# An apex without any of these is that of a zone without signatures, and of which its parent knows nothing.
_OF_APEX: Final = OF_SIGNED | {rdtypes.CDS, rdtypes.CDNSKEY, rdtypes.CSYNC, rdtypes.ZONEMD}
_NSEC3_NODE: Final = frozenset((rdtypes.NSEC3, rdtypes.RRSIG))
# What no check of an unsigned zone looks at: a single TXT (several may be several policies), and other types of which
# nothing is said above, unless they are very many.
_PLAIN: Final = kinds(tuple({*_AT_ONCE, *_LATER, rdtypes.NSEC3} - {rdtypes.TXT}), {rdtypes.TXT: 1}, otherwise=LARGE)
_HOSTS: Final = bytes(rdtype in owners.HOST_TYPES for rdtype in range(256))
_PASSED_A_SLICE: Final = 128  # plain owners take less than a tenth of the time of others


def check(zone: Zone, now: float, verify: Verify | None = None) -> Sliced[list[Finding]]:
    """Everything that is wrong with `zone` at the time `now` (seconds since 1970), in the order of its files.

    Linear in the number of records. Of each check, at most `context.LIMIT` findings are listed, and how many more.
    Signatures are verified by `verify`, if it is given.
    """
    context = Context(zone, now)
    apex.apex(context)
    later = yield from _survey(context)
    for count, (position, index) in enumerate(zip(*later, strict=True), 1):
        if not count % _SLICE:
            yield
        rrset = limited(zone.rrset_at(index, zone.owner_at(position)))
        for function in _LATER[rrset.rdtype]:
            function(context, rrset)
    for count, (owner, bottom) in enumerate(context.hidden):
        if not count % _SLICE:
            yield
        if bottom in context.cuts:
            delegation.occluded(context, owner, bottom)
        else:
            alias.below_dname(context, owner, bottom)
    if not _OF_APEX.isdisjoint(context.apex):
        yield from _apex(context, verify)
    if context.signed or context.hidden or context.hashed:
        yield from drain(context.parts)
    return context.result()


def _apex(context: Context, verify: Verify | None) -> Sliced[None]:
    """The checks of what signers and parents look at, the signatures of all the zone with them."""
    found = keys.keys(context)
    keys.for_parent(context)
    keys.csync(context)
    announced = nsec3.parameters(context)
    yield from zonemd.zonemd(context)
    if context.signed and signatures.is_signed(context, found):
        yield from _signed(context, found, announced, verify)


def _signed(context: Context, found: keys.Keys, announced: set[bytes], verify: Verify | None) -> Sliced[None]:
    """The checks of a signed zone."""
    zone = context.zone
    has_nsec3 = bool(context.hashed or announced)
    for count, owner in enumerate(itertools.chain(context.authoritative, context.hashed)):
        if not count % _SLICE or verify is not None:
            yield
        node = zone.node(owner)
        signatures.signatures(context, found, owner, node, verify)
        if has_nsec3 and rdtypes.NSEC in node:
            nsec.superfluous(context, owner, "beside NSEC3")
    for count, (owner, bottom) in enumerate(context.hidden):
        if not count % _SLICE:
            yield
        node = zone.node(owner)
        signatures.hidden_signatures(context, owner, bottom, node)
        if owner != bottom and rdtypes.NSEC in node:
            nsec.superfluous(context, owner, f"hidden by {names.to_text(bottom)}")
    yield from nsec3.nsec3(context, announced) if has_nsec3 else nsec.nsec(context)


def _survey(context: Context) -> Sliced[tuple["array[int]", "array[int]"]]:
    """Sort the names of the zone into the kinds that `Context` has, and check what can be checked at once.

    The result is what to look at when all delegations and DNAMEs are known: positions of owners, and indexes of RRsets
    beside them. Two flat sequences: to free a million small objects would hold the event loop for long.
    """
    zone = context.zone
    later_positions = array("I")
    later_indexes = array("I")
    bottom = above = plain_above = b""
    survey = zone.survey()
    position = budget = 0
    while position < survey.count:
        if budget <= 0:
            yield
            budget = _SLICE
        if not bottom and not context.signed:
            start = position
            position = survey.next_notable(position, plain_above, _PLAIN, _HOSTS)
            budget -= (position - start) // _PASSED_A_SLICE
            if position == survey.count:
                break
        budget -= 1
        owner, types = zone.owner_at(position), zone.types_at(position)
        position += 1
        if rdtypes.NSEC3 in types and _NSEC3_NODE.issuperset(types):
            context.hashed.append(owner)
            continue
        # What comes behind the apex is mostly right below it, what comes behind others mostly beside them.
        next_above = owner if owner == context.origin else owner[1 + owner[0] :]
        owners.owner_name(context, owner, types, plain_above=plain_above != b"" and next_above == above)
        indexes = survey.notable_sets(position - 1, _PLAIN)
        if bottom and names.is_at_or_below(owner, bottom):
            context.hidden.append((owner, bottom))
            for index in indexes:
                rrset = limited(zone.rrset_at(index, owner))
                for function in _HIDDEN.get(rrset.rdtype, ()):
                    function(context, rrset)
            continue
        if next_above != above:
            above = next_above
            plain_above = above if owners.is_hostname(above) else b""
        bottom = context.note(owner, types)
        for index in indexes:
            rrset = zone.rrset_at(index, owner)
            if len(rrset.rdatas) > LARGE:
                content.large(context, rrset)
            if rrset.rdtype == rdtypes.NS:
                context.note_servers(rrset)
            rrset = limited(rrset)
            for function in _AT_ONCE.get(rrset.rdtype, ()):
                function(context, rrset)
            if rrset.rdtype in _LATER and (
                rrset.rdtype not in _ENDS_WITH_NAME or targets.may_lead_inside(context, rrset)
            ):
                later_positions.append(position - 1)
                later_indexes.append(index)
    return later_positions, later_indexes
