"""The TSIG record on the wire.

Read first: RFC 8945 4.2 (format), 5.1 (it is the last record of the additional section).
"""

import struct
from dataclasses import dataclass
from typing import Final

import dns.exception
import dns.name

from dns_server.answer.protocol import CLASS_ANY, HEADER_SIZE
from dns_server.answer.request import Malformed, skip_name
from zones import name as names
from zones import rdtypes

_RECORD: Final = struct.Struct("!HHIH")  # type, class, TTL, RDLENGTH
_TIMES: Final = struct.Struct("!HIHH")  # 48 bits of seconds as 16 and 32, fudge, MAC size
_END: Final = struct.Struct("!HHH")  # original id, error, length of other data
_ARCOUNT: Final = slice(10, 12)


class Error:
    """Extended response codes of TSIG records (RFC 8945 3)."""

    NONE: Final = 0
    BADSIG: Final = 16
    BADKEY: Final = 17
    BADTIME: Final = 18
    BADTRUNC: Final = 22


ERROR_NAMES: Final = {value: name for name, value in vars(Error).items() if isinstance(value, int)}


@dataclass(frozen=True, slots=True)
class Tsig:
    """A TSIG record."""

    name: bytes
    """Of the key, folded wire name."""
    algorithm: bytes
    """Folded wire name."""
    time_signed: int
    """Seconds since 1970."""
    fudge: int
    """Seconds."""
    mac: bytes
    original_id: int
    error: int = Error.NONE
    other: bytes = b""

    def to_wire(self) -> bytes:
        """The whole record."""
        rdata = (
            self.algorithm
            + _TIMES.pack(self.time_signed >> 32 & 0xFFFF, self.time_signed & 0xFFFFFFFF, self.fudge, len(self.mac))
            + self.mac
            + _END.pack(self.original_id, self.error, len(self.other))
            + self.other
        )
        return self.name + _RECORD.pack(rdtypes.TSIG, CLASS_ANY, 0, len(rdata)) + rdata


def append(message: bytes, tsig: Tsig) -> bytes:
    """`message` with the record behind it."""
    count = int.from_bytes(message[_ARCOUNT], "big") + 1
    return message[:10] + count.to_bytes(2, "big") + message[12:] + tsig.to_wire()


def split(wire: bytes) -> tuple[bytes, Tsig] | None:
    """The message as it was signed (its id, the record and its count as before) and the record; None without one.

    Malformed where the record breaks a rule, or the message can't be walked through.
    """
    counts = struct.unpack_from("!HHHH", wire, 4)
    if not counts[3]:
        return None
    position = HEADER_SIZE
    start = found = -1
    try:
        for _ in range(counts[0]):
            position = skip_name(wire, position) + 4
        for index in range(sum(counts[1:])):
            start = position
            position = skip_name(wire, position)
            rdtype, _, _, length = _RECORD.unpack_from(wire, position)
            position += _RECORD.size + length
            if rdtype == rdtypes.TSIG:
                if index != sum(counts[1:]) - 1:
                    raise Malformed("TSIG is not the last record")
                found = start
    except struct.error:
        raise Malformed("a record runs over the end") from None
    if found < 0:
        return None
    if position != len(wire):
        raise Malformed("octets behind the last record, or too few")
    tsig = _read(wire, found)
    message = tsig.original_id.to_bytes(2, "big") + wire[2:10] + (counts[3] - 1).to_bytes(2, "big") + wire[12:found]
    return message, tsig


def _read(wire: bytes, start: int) -> Tsig:
    try:
        owner, used = dns.name.from_wire(wire, start)
        position = start + used
        _, rdclass, ttl, length = _RECORD.unpack_from(wire, position)
        rdata = wire[position + _RECORD.size :]
        algorithm, used = dns.name.from_wire(rdata, 0)
        high, low, fudge, size = _TIMES.unpack_from(rdata, used)
        mac_at = used + _TIMES.size
        original_id, error, other_length = _END.unpack_from(rdata, mac_at + size)
    except (dns.exception.DNSException, struct.error):
        raise Malformed("the TSIG record is out of form") from None
    other = rdata[mac_at + size + _END.size :]
    if rdclass != CLASS_ANY or ttl or len(rdata) != length or len(other) != other_length:
        raise Malformed("the TSIG record is out of form")
    return Tsig(
        _folded(owner),
        _folded(algorithm),
        high << 32 | low,
        fudge,
        rdata[mac_at : mac_at + size],
        original_id,
        error,
        other,
    )


def _folded(name: dns.name.Name) -> bytes:
    return names.fold(name.to_digestable())
