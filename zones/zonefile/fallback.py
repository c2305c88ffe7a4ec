"""Rdata by dnspython: rare types from text to wire, a check of wire rdata, and every type from wire to text.

Its modules are imported when they are first needed: most zones have nothing but common types.
"""

from typing import Final

import dns.exception
import dns.name
import dns.rdata
import dns.rdataclass
import dns.rdatatype

from zones import rdtypes
from zones.zonefile.errors import Fault, quote

MAX_TEXT: Final = 4096
"""Characters of rdata: dnspython takes a microsecond for each, and can't be interrupted."""

_IN: Final = dns.rdataclass.IN
# dnspython refuses parameters in AliasMode (priority 0), which RFC 9460 2.4.2 tells clients to ignore: such rdata is
# given to it with priority 1.
_SERVICE_BINDINGS: Final = frozenset((rdtypes.SVCB, rdtypes.HTTPS))
_ALIAS: Final = b"\0\0"
_SERVICE: Final = b"\0\1"


def read_rdata(rdtype: int, fields: list[bytes], first: int, origin: bytes) -> bytes:
    """Wire rdata of `fields` from `first` on. Fault when dnspython refuses it."""
    mnemonic = rdtypes.to_text(rdtype)
    if rdtype not in rdtypes.MNEMONICS:
        shown = quote(fields[first]) if first < len(fields) else "nothing"
        raise Fault(
            first, f"{shown} in place of rdata", f"{mnemonic} is no known type: write its rdata as \\# LENGTH HEX"
        )
    is_alias = rdtype in _SERVICE_BINDINGS and fields[first : first + 1] == [b"0"]
    written = [b"1", *fields[first + 1 :]] if is_alias else fields[first:]
    text = " ".join(_closed(field).decode("ascii") for field in written)
    if len(text) > MAX_TEXT:
        hint = "write it as \\# LENGTH HEX, which has no such limit"
        raise Fault(first, f"rdata of {mnemonic} longer than {MAX_TEXT} characters", hint)
    try:
        relative_to = dns.name.from_wire(origin, 0)[0]
        rdata = dns.rdata.from_text(
            _IN, dns.rdatatype.RdataType.make(rdtype), text, origin=relative_to, relativize=False
        )
        wire = rdata.to_wire() or b""
        return _ALIAS + wire[len(_ALIAS) :] if is_alias else wire
    except (dns.exception.DNSException, ValueError) as error:
        text = " ".join(_closed(field).decode("ascii") for field in fields[first:])
        raise Fault(first, f"{quote(text.encode())} is no rdata of {mnemonic}: {error}") from None


def _closed(field: bytes) -> bytes:
    return field + b'"' if field[:1] == b'"' else field


def check_rdata(rdtype: int, rdata: bytes, first: int) -> None:
    """Fault, for field `first`, unless `rdata` is well-formed for `rdtype`."""
    try:
        _from_wire(rdtype, rdata)
    except (dns.exception.DNSException, ValueError) as error:
        message = f"these octets are no rdata of {rdtypes.to_text(rdtype)}: {error}"
        raise Fault(first, message, "rdata in wire format, names uncompressed") from None


def to_text(rdtype: int, rdata: bytes) -> str:
    """Presentation format of wire `rdata`, names absolute; as RFC 3597 5 has it where dnspython can't read it."""
    try:
        text = _from_wire(rdtype, rdata).to_text()
    except (dns.exception.DNSException, ValueError):
        return f"\\# {len(rdata)} {rdata.hex()}".rstrip()
    return f"0{text[1:]}" if _is_alias(rdtype, rdata) else text


def _from_wire(rdtype: int, rdata: bytes) -> dns.rdata.Rdata:
    if _is_alias(rdtype, rdata):
        rdata = _SERVICE + rdata[len(_SERVICE) :]
    return dns.rdata.from_wire(_IN, dns.rdatatype.RdataType.make(rdtype), rdata, 0, len(rdata))


def _is_alias(rdtype: int, rdata: bytes) -> bool:
    return rdtype in _SERVICE_BINDINGS and rdata.startswith(_ALIAS)
