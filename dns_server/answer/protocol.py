"""Numbers of the DNS protocol that answering needs, in the spelling of their RFCs."""

import enum
from typing import Final

from zones import rdtypes

HEADER_SIZE: Final = 12
MAX_MESSAGE: Final = 65535
UDP_MINIMUM: Final = 512  # RFC 1035 2.3.4: what every asker takes
UDP_PAYLOAD: Final = 1232  # RFC 9715 3.2: no fragments on paths of IPv6's minimum MTU

# Header bits of octets 2 and 3 as one 16-bit number (RFC 1035 4.1.1).
QR: Final = 0x8000
AA: Final = 0x0400
TC: Final = 0x0200
RD: Final = 0x0100
OPCODE_SHIFT: Final = 11

CLASS_IN: Final = 1
CLASS_CH: Final = 3


class Transport(enum.Enum):
    """How a query came; it decides how long the reply may be and what may be asked."""

    UDP = "udp"
    TCP = "tcp"


class Opcode:
    """RFC 1035 4.1.1, RFC 1996, RFC 2136."""

    QUERY: Final = 0
    NOTIFY: Final = 4
    UPDATE: Final = 5


class Rcode:
    """RFC 1035 4.1.1, RFC 6672 2.2 (YXDOMAIN), RFC 2136 2.2 (updates), RFC 6891 9, RFC 7873 8, RFC 8945 5.2."""

    NOERROR: Final = 0
    FORMERR: Final = 1
    SERVFAIL: Final = 2
    NXDOMAIN: Final = 3
    NOTIMP: Final = 4
    REFUSED: Final = 5
    YXDOMAIN: Final = 6
    YXRRSET: Final = 7
    NXRRSET: Final = 8
    NOTAUTH: Final = 9
    NOTZONE: Final = 10
    BADVERS: Final = 16
    BADCOOKIE: Final = 23


class Type:
    """Record types that are treated in their own way."""

    A: Final = 1
    NS: Final = 2
    MD: Final = 3
    MF: Final = 4
    CNAME: Final = 5
    SOA: Final = 6
    MB: Final = 7
    MG: Final = 8
    MR: Final = 9
    PTR: Final = 12
    MINFO: Final = 14
    MX: Final = 15
    TXT: Final = 16
    AFSDB: Final = 18
    RT: Final = 21
    AAAA: Final = 28
    SRV: Final = 33
    NAPTR: Final = 35
    KX: Final = 36
    DNAME: Final = 39
    OPT: Final = 41
    DS: Final = 43
    RRSIG: Final = 46
    NSEC: Final = 47
    DNSKEY: Final = 48
    NSEC3: Final = 50
    NSEC3PARAM: Final = 51
    SVCB: Final = 64
    HTTPS: Final = 65
    NXNAME: Final = 128
    TSIG: Final = 250
    IXFR: Final = 251
    AXFR: Final = 252
    ANY: Final = 255


def is_meta(qtype: int) -> bool:
    """Whether no zone can have records of `qtype`; but ANY is answered, and 0 is a type that nothing has."""
    return qtype not in (0, Type.ANY) and rdtypes.is_meta(qtype)


class Option:
    """EDNS option codes: RFC 5001, RFC 7314, RFC 7873, RFC 8914, RFC 9660."""

    NSID: Final = 3
    EXPIRE: Final = 9
    COOKIE: Final = 10
    EDE: Final = 15
    ZONEVERSION: Final = 19


class Ede:
    """Extended errors (RFC 8914 4, RFC 9824 3.5)."""

    OTHER: Final = 0
    NOT_READY: Final = 14
    PROHIBITED: Final = 18
    NOT_AUTHORITATIVE: Final = 20
    NOT_SUPPORTED: Final = 21
    INVALID_QUERY_TYPE: Final = 30
