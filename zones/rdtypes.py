"""Types of resource records: numbers and mnemonics (IANA's registry; RFC 3597 section 5 for the rest)."""

from typing import Final

MNEMONICS: Final[dict[int, str]] = {
    1: "A",
    2: "NS",
    3: "MD",
    4: "MF",
    5: "CNAME",
    6: "SOA",
    7: "MB",
    8: "MG",
    9: "MR",
    10: "NULL",
    11: "WKS",
    12: "PTR",
    13: "HINFO",
    14: "MINFO",
    15: "MX",
    16: "TXT",
    17: "RP",
    18: "AFSDB",
    19: "X25",
    20: "ISDN",
    21: "RT",
    22: "NSAP",
    23: "NSAP-PTR",
    24: "SIG",
    25: "KEY",
    26: "PX",
    27: "GPOS",
    28: "AAAA",
    29: "LOC",
    30: "NXT",
    33: "SRV",
    35: "NAPTR",
    36: "KX",
    37: "CERT",
    38: "A6",
    39: "DNAME",
    41: "OPT",
    42: "APL",
    43: "DS",
    44: "SSHFP",
    45: "IPSECKEY",
    46: "RRSIG",
    47: "NSEC",
    48: "DNSKEY",
    49: "DHCID",
    50: "NSEC3",
    51: "NSEC3PARAM",
    52: "TLSA",
    53: "SMIMEA",
    55: "HIP",
    56: "NINFO",
    59: "CDS",
    60: "CDNSKEY",
    61: "OPENPGPKEY",
    62: "CSYNC",
    63: "ZONEMD",
    64: "SVCB",
    65: "HTTPS",
    66: "DSYNC",
    67: "HHIT",
    68: "BRID",
    99: "SPF",
    103: "UNSPEC",
    104: "NID",
    105: "L32",
    106: "L64",
    107: "LP",
    108: "EUI48",
    109: "EUI64",
    128: "NXNAME",
    249: "TKEY",
    250: "TSIG",
    251: "IXFR",
    252: "AXFR",
    253: "MAILB",
    254: "MAILA",
    255: "ANY",
    256: "URI",
    257: "CAA",
    258: "AVC",
    260: "AMTRELAY",
    261: "RESINFO",
    262: "WALLET",
    32768: "TA",
    32769: "DLV",
}
"""Mnemonic by number, of every type that has one."""

NUMBERS: Final[dict[str, int]] = {mnemonic: number for number, mnemonic in MNEMONICS.items()}

# Types that code tells apart.
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
KEY: Final = 25
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
CDS: Final = 59
CDNSKEY: Final = 60
CSYNC: Final = 62
ZONEMD: Final = 63
SVCB: Final = 64
HTTPS: Final = 65
SPF: Final = 99
NXNAME: Final = 128
TSIG: Final = 250
IXFR: Final = 251
AXFR: Final = 252
ANY: Final = 255

ADDRESSES: Final = (A, AAAA)

# RFC 6895 3.1: 128 to 255 are question and meta types, OPT is one too, 0 is reserved.
META_FIRST: Final = 128
META_LAST: Final = 255


def is_meta(rdtype: int) -> bool:
    """Whether `rdtype` stands in questions or in the protocol only and never in a zone."""
    return rdtype in (0, OPT) or META_FIRST <= rdtype <= META_LAST


def to_text(rdtype: int) -> str:
    """Mnemonic of `rdtype`, `TYPEnnn` where it has none."""
    return MNEMONICS.get(rdtype) or f"TYPE{rdtype}"


def from_text(text: str) -> int | None:
    """Number of a mnemonic in any letter case or of `TYPEnnn`; None when it is neither."""
    mnemonic = text.upper()
    number = NUMBERS.get(mnemonic)
    if number is None and mnemonic.startswith("TYPE"):
        digits = mnemonic[4:]
        if digits.isascii() and digits.isdigit() and len(digits) <= 5 and int(digits) <= 65535:
            return int(digits)
    return number
