"""One walk over a zone that calls every check."""

from collections.abc import Callable, Mapping
from typing import Final

from zones import name as names
from zones import rdtypes
from zones.checks import alias, apex, content, delegation, owners, svcb, targets
from zones.checks.context import Context
from zones.findings import Finding
from zones.slices import Sliced
from zones.zone import RRset, Zone

RRsetCheck = Callable[[Context, RRset], None]

_SLICE: Final = 32  # owners or RRsets between two yields: about 200 microseconds

# What is looked at in authoritative data and at delegations, by type.
_BY_TYPE: Final[Mapping[int, tuple[RRsetCheck, ...]]] = {
    rdtypes.SOA: (apex.soa,),
    rdtypes.NS: (targets.targets, owners.target_name, content.doubled, delegation.glue),
    rdtypes.CNAME: (alias.cname, alias.chain),
    rdtypes.DNAME: (alias.dname,),
    rdtypes.PTR: (owners.target_name, content.doubled),
    rdtypes.MX: (targets.targets, targets.null_mx, owners.target_name, content.doubled),
    rdtypes.SRV: (targets.targets, owners.target_name, content.doubled),
    rdtypes.TXT: (content.text,),
    rdtypes.SPF: (content.spf,),
    rdtypes.DS: (delegation.ds,),
    rdtypes.SVCB: (svcb.svcb,),
    rdtypes.HTTPS: (svcb.svcb,),
    rdtypes.DNSKEY: (apex.apex_only,),
    rdtypes.CDS: (apex.apex_only,),
    rdtypes.CDNSKEY: (apex.apex_only,),
    rdtypes.CSYNC: (apex.apex_only,),
    rdtypes.NSEC3PARAM: (apex.apex_only,),
    rdtypes.ZONEMD: (apex.apex_only,),
}
# What servers refuse even where a delegation or a DNAME hides it.
_BY_TYPE_HIDDEN: Final[Mapping[int, tuple[RRsetCheck, ...]]] = {
    rdtypes.SOA: (apex.soa,),
    rdtypes.CNAME: (alias.cname,),
    rdtypes.DNAME: (alias.dname,),
    rdtypes.NS: (owners.target_name,),
    rdtypes.MX: (owners.target_name,),
}
_NSEC3_NODE: Final = frozenset((rdtypes.NSEC3, rdtypes.RRSIG))


def check(zone: Zone, now: float) -> Sliced[list[Finding]]:
    """Everything that is wrong with `zone` at the time `now` (seconds since 1970), in the order of its files.

    Linear in the number of records. Of each check, at most `context.LIMIT` findings are listed, and how many more.
    """
    context = Context(zone, now)
    apex.apex(context)
    pending = yield from _survey(context)
    for count, (rrset, functions) in enumerate(pending):
        if not count % _SLICE:
            yield
        for function in functions:
            function(context, rrset)
    for count, (owner, bottom) in enumerate(context.hidden):
        if not count % _SLICE:
            yield
        if bottom in context.cuts:
            delegation.occluded(context, owner, bottom)
        else:
            alias.below_dname(context, owner, bottom)
    return context.result()


def _survey(context: Context) -> Sliced[list[tuple[RRset, tuple[RRsetCheck, ...]]]]:
    """Sort the names of the zone into the kinds that `Context` has; the result is what to look at closer.

    The checks of targets need to know all delegations and DNAMEs, so they come in a second pass.
    """
    zone, origin = context.zone, context.origin
    pending: list[tuple[RRset, tuple[RRsetCheck, ...]]] = []
    bottom = b""
    for count, owner in enumerate(zone.names()):
        if not count % _SLICE:
            yield
        node = zone.node(owner)
        if not owner.endswith(origin) or not names.is_at_or_below(owner, origin):
            apex.out_of_zone(context, owner)
            continue
        if rdtypes.NSEC3 in node and _NSEC3_NODE.issuperset(node):
            context.hashed.append(owner)
            continue
        by_type = _BY_TYPE
        if bottom and names.is_at_or_below(owner, bottom):
            context.hidden.append((owner, bottom))
            by_type = _BY_TYPE_HIDDEN
        else:
            context.authoritative.append(owner)
            bottom = context.note(owner, node)
        owners.owner_name(context, owner, node)
        for rdtype, rrset in node.items():
            functions = by_type.get(rdtype)
            if functions is not None:
                pending.append((rrset, functions))
    return pending
