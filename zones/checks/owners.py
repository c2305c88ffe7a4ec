"""Owner names and targets: host names where hosts are meant, wildcards where they work."""

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import Final

from zones import name as names
from zones import rdtypes
from zones.checks.context import Context
from zones.checks.rdata import TARGET_STARTS
from zones.checks.registry import HOSTNAME, HOSTNAME_TARGET, WILDCARD_NOT_LEFTMOST, WILDCARD_NS, WILDCARD_TYPE
from zones.rrset import RRset

# RFC 952, RFC 1123 2.1: letters, digits and inner hyphens.
_LABEL: Final = re.compile(rb"[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?")
# Characters of labels without hyphens, and length octets that are no printable character: what is left of a plain
# host name without them is nothing, so that the pattern is tried for few names.
_PLAIN: Final = bytes((*range(33), *b"abcdefghijklmnopqrstuvwxyz", *b"ABCDEFGHIJKLMNOPQRSTUVWXYZ", *b"0123456789"))
_REVERSE: Final = (b"\7in-addr\4arpa\0", b"\3ip6\4arpa\0")
HOST_TYPES: Final = frozenset((rdtypes.A, rdtypes.AAAA, rdtypes.MX))
"""What belongs to host names."""
_NOT_WILDCARD: Final = frozenset((rdtypes.NS, rdtypes.DNAME, rdtypes.DS))
_GC_MSDCS: Final = b"\2gc\6_msdcs"


@lru_cache(maxsize=1 << 10)
def is_hostname(name: bytes) -> bool:
    """Whether each label of `name` is letters, digits and inner hyphens; a zone asks for few names again and again."""
    if name.translate(None, _PLAIN):
        position = 0
        while length := name[position]:
            if not _LABEL.fullmatch(name, position + 1, position + 1 + length):
                return False
            position += 1 + length
    return True


def owner_name(context: Context, owner: bytes, types: Sequence[int], *, plain_above: bool) -> None:
    """The owner of addresses and mail exchanges is a host name; `plain_above` says that its parent is one."""
    if not (plain_above and owner[1 : 1 + owner[0]].isalnum()) and owner.translate(None, _PLAIN):
        _odd_owner(context, owner, types)


def _odd_owner(context: Context, owner: bytes, types: Sequence[int]) -> None:
    """`owner` has characters beyond letters and digits."""
    wildcard = owner.startswith(names.WILDCARD_LABEL)
    rest = names.parent(owner) if wildcard else owner
    if b"\x01*" in rest and b"*" in names.labels(rest):
        context.report(
            WILDCARD_NOT_LEFTMOST,
            owner,
            types[0],
            f"{names.to_text(owner)} has the label * inside",
            "it stands for itself there, not for any label",
        )
    if wildcard:
        for rdtype in _NOT_WILDCARD.intersection(types):
            context.report(
                WILDCARD_NS if rdtype == rdtypes.NS else WILDCARD_TYPE,
                owner,
                rdtype,
                f"{rdtypes.to_text(rdtype)} at the wildcard {names.to_text(owner)}",
                "write it at each name: servers and resolvers treat it differently",
            )
    hosts = HOST_TYPES.intersection(types)
    # Active Directory's global catalogue has addresses at gc._msdcs, as BIND knows.
    if hosts and not owner.startswith(_GC_MSDCS) and not is_hostname(rest):
        rdtype = min(hosts)
        context.report(
            HOSTNAME,
            owner,
            rdtype,
            f"{names.to_text(owner)} has {rdtypes.to_text(rdtype)} and is no host name",
            "host names have letters, digits and inner hyphens; some clients refuse others",
        )


def target_name(context: Context, rrset: RRset) -> None:
    """Targets of NS, MX, SRV and of PTR in the reverse trees are host names."""
    if rrset.rdtype == rdtypes.PTR and not rrset.owner.endswith(_REVERSE):
        return
    start = TARGET_STARTS[rrset.rdtype]
    for index, rdata in enumerate(rrset.rdatas):
        target = rdata[start:]
        if not is_hostname(target):
            context.report(
                HOSTNAME_TARGET,
                rrset.owner,
                rrset.rdtype,
                f"{rdtypes.to_text(rrset.rdtype)} of {names.to_text(rrset.owner)} names {names.to_text(target)}, "
                "which is no host name",
                "host names have letters, digits and inner hyphens; some clients refuse others",
                index=index,
            )
