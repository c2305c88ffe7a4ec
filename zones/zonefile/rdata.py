"""Rdata of a record from text to wire: by a reader of ours, in the form of RFC 3597, or by dnspython."""

from collections.abc import Callable
from typing import Final

from zones import rdtypes
from zones.canonical import names_end
from zones.zonefile.errors import Fault
from zones.zonefile.fields import hexadecimal, unsigned
from zones.zonefile.rdata_bindings import BINDINGS
from zones.zonefile.rdata_common import COMMON, STRINGS
from zones.zonefile.rdata_layouts import LAYOUTS

MAX_RDATA: Final = 65535  # RFC 1035 3.2.1: RDLENGTH has 16 bits

Reader = Callable[[list[bytes], int, bytes], bytes]
"""Takes the fields of an entry, the index of the first one of the rdata and the origin; gives wire rdata or a Fault."""

READERS: Final[dict[int, Reader]] = {**BINDINGS, **LAYOUTS, **COMMON}
"""Types that are read without dnspython, or mostly so."""

# Types of RFC 1035 3.3 that dnspython can't check: as many names, and nothing else. Answers compress them.
_NAMES_ALONE: Final = {
    rdtypes.NUMBERS[mnemonic]: count
    for mnemonic, count in {"MD": 1, "MF": 1, "MB": 1, "MG": 1, "MR": 1, "MINFO": 2}.items()
}


def read_rdata(rdtype: int, fields: list[bytes], first: int, origin: bytes) -> bytes:
    """Wire rdata of a record of `rdtype` whose rdata begins at field `first`. Fault when it is none."""
    reader = READERS.get(rdtype)
    if first < len(fields) and fields[first] == b"\\#":
        rdata = _generic(rdtype, fields, first)
    elif reader is not None:
        rdata = reader(fields, first, origin)
    else:
        from zones.zonefile import fallback  # costs the import of dnspython, which most zones never need

        rdata = fallback.read_rdata(rdtype, fields, first, origin)
    if len(rdata) > MAX_RDATA:
        raise Fault(first, f"rdata of {len(rdata)} octets", f"at most {MAX_RDATA}")
    return rdata


def _generic(rdtype: int, fields: list[bytes], first: int) -> bytes:
    """Rdata in the form for unknown types, which known types may use too (RFC 3597 5)."""
    length = unsigned(fields, first + 1, MAX_RDATA, "rdata length")
    rdata = hexadecimal(fields, first + 2, "rdata") if length or first + 2 < len(fields) else b""
    if len(rdata) != length:
        raise Fault(first + 1, f"rdata of {len(rdata)} octets", f"{length} octets, as the length says")
    if rdtype in STRINGS:
        _check_strings(rdata, first)
    elif rdtype in _NAMES_ALONE:
        if names_end(rdata, 0, _NAMES_ALONE[rdtype]) != len(rdata):
            mnemonic = rdtypes.to_text(rdtype)
            raise Fault(first, f"these octets are no rdata of {mnemonic}", "names in wire format, uncompressed")
    elif rdtype in rdtypes.MNEMONICS:
        from zones.zonefile import fallback

        fallback.check_rdata(rdtype, rdata, first)
    return rdata


def _check_strings(rdata: bytes, first: int) -> None:
    """Fault unless `rdata` is a row of character-strings."""
    position = 0
    while position < len(rdata):
        position += 1 + rdata[position]
    if position != len(rdata) or not rdata:
        raise Fault(first, "these octets are no row of strings", "each string behind an octet with its length")
