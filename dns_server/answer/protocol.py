"""Numbers of the DNS protocol that answering needs, in the spelling of their RFCs."""

import enum
from typing import Final

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
CLASS_NONE: Final = 254  # RFC 2136 2.4
CLASS_ANY: Final = 255

OPT_SIZE: Final = 11  # octets of an OPT record without options (RFC 6891 6.1.2)
DO: Final = 0x8000  # of the flags of an OPT record: DNSSEC OK (RFC 3225 3)


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
