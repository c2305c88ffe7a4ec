"""Questions worth asking of a zone: each name and type, and what lies just beside them."""

import re
from collections import Counter
from collections.abc import Iterator

import dns.flags
import dns.message
import dns.name
import dns.rdatatype

from zones.name import MAX_NAME, ancestors, labels, to_text
from zones.zone import Zone

SAME_SHAPE = 3  # names that differ in their digits alone, of which this many are enough
HASHED = {46, 50}  # RRSIG, NSEC3
COMMON_TYPES = ("A", "AAAA", "NS", "SOA", "CNAME", "DNAME", "MX", "TXT", "DS", "SRV", "HTTPS", "ANY", "TYPE65280")
CNAME = 5
DNAME = 39


def names(zone: Zone) -> list[bytes]:
    """Owners, names between, targets of aliases, and near misses of them, without repetition."""
    found: dict[bytes, None] = {}
    shapes: Counter[bytes] = Counter()
    for owner, node in zone.nodes():
        if node.keys() <= HASHED:  # NSEC3 records are no names of the tree: asking for them is enough
            found[owner] = None
            continue
        shape = re.sub(rb"\d+", b"#", owner)
        shapes[shape] += 1
        if shapes[shape] > SAME_SHAPE:
            continue
        for name in ancestors(owner):
            if len(name) < len(zone.origin):
                break
            found[name] = None
            for near in (b"\x04miss" + name, b"\x01a\x01b" + name, b"\x01*" + name, _sibling(name)):
                if len(near) <= MAX_NAME and near.endswith(zone.origin):
                    found[near] = None
        for rdtype, rrset in node.items():
            if rdtype in (CNAME, DNAME):
                found[rrset.rdatas[0]] = None
    return list(found)


def _sibling(name: bytes) -> bytes:
    """`name` with its first label one octet longer or other."""
    if name == b"\0":
        return name
    first = next(labels(name))
    rest = name[1 + name[0] :]
    changed = first + b"-" if len(first) < 63 else first[:-1] + b"-"
    return bytes((len(changed),)) + changed + rest


def queries(zone: Zone, *, do: bool = False) -> Iterator[bytes]:
    """Wire queries for `zone`: each name of `names` with each common type and those of the zone at that name."""
    for index, name in enumerate(names(zone)):
        types = dict.fromkeys(dns.rdatatype.from_text(text) for text in COMMON_TYPES)
        types.update(dict.fromkeys(dns.rdatatype.RdataType(rdtype) for rdtype in zone.node(name)))
        for rdtype in types:
            yield query(name, rdtype, do=do, edns=do or index % 2 == 0)


def query(name: bytes, rdtype: int, *, do: bool = False, edns: bool = True, payload: int = 1232) -> bytes:
    """A query in wire format with the id 1."""
    message = dns.message.make_query(
        dns.name.from_text(to_text(name)), dns.rdatatype.RdataType(rdtype), want_dnssec=do, id=1, flags=dns.flags.RD
    )
    if edns or do:
        message.use_edns(0, dns.flags.DO if do else 0, payload)
    return message.to_wire()
