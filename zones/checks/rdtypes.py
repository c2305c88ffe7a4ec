"""Numbers of the record types that a check tells apart (IANA, Resource Record TYPEs)."""

from typing import Final

import dns.rdatatype

A: Final = 1
NS: Final = 2
CNAME: Final = 5
SOA: Final = 6
PTR: Final = 12
MX: Final = 15
TXT: Final = 16
KEY: Final = 25
AAAA: Final = 28
SRV: Final = 33
DNAME: Final = 39
DS: Final = 43
RRSIG: Final = 46
NSEC: Final = 47
DNSKEY: Final = 48
NSEC3: Final = 50
NSEC3PARAM: Final = 51
CDS: Final = 59
CDNSKEY: Final = 60
CSYNC: Final = 62
ZONEMD: Final = 63
SVCB: Final = 64
HTTPS: Final = 65
SPF: Final = 99

ADDRESSES: Final = (A, AAAA)


def text(rdtype: int) -> str:
    """Mnemonic of a type, `TYPEnnn` where it has none (RFC 3597 5)."""
    return dns.rdatatype.to_text(dns.rdatatype.RdataType.make(rdtype))
