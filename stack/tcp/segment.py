"""TCP segments: octets to a `Segment` and back, checksum included.

Read first: RFC 9293 3.1.
"""

import struct
from typing import Final, NamedTuple

from dns_platform.protocols import Octets
from stack.tcp import options
from stack.tcp.options import Options
from stack.wire.checksum import checksum, is_valid
from stack.wire.error import WireError

PROTOCOL: Final = 6
"""TCP in the protocol field of IPv4 and the next header field of IPv6."""

HEADER: Final = 20
"""Octets of the header without options."""

# Control bits. Plain ints: a segment tests several of them, and enum.IntFlag costs more than the rest of the test.
FIN: Final = 0x01
SYN: Final = 0x02
RST: Final = 0x04
PSH: Final = 0x08
ACK: Final = 0x10
URG: Final = 0x20

_FIXED: Final = struct.Struct("!HHIIHHHH")  # ports, sequence, acknowledgment, offset and bits, window, checksum, urgent
_CONTROL_BITS: Final = 0x3F  # ECE and CWR (RFC 3168) are not used, the rest is reserved


class Segment(NamedTuple):
    """One segment. Sequence numbers are those of the wire, 32 bits; `window` is not scaled yet."""

    source_port: int
    destination_port: int
    sequence: int
    acknowledgment: int
    flags: int
    window: int
    options: Options = options.NONE
    payload: bytes = b""

    @property
    def length(self) -> int:
        """SEG.LEN: octets of sequence space, in which SYN and FIN take one each (RFC 9293 3.4)."""
        return len(self.payload) + (self.flags >> 1 & 1) + (self.flags & 1)

    def __str__(self) -> str:
        names = [name for name, bit in (("SYN", SYN), ("FIN", FIN), ("RST", RST), ("ACK", ACK)) if self.flags & bit]
        control = ",".join(names) or "-"
        return f"<SEQ={self.sequence}><ACK={self.acknowledgment}><CTL={control}><LEN={len(self.payload)}>"


def parse(data: Octets, pseudo_header: int) -> Segment:
    """The segment in `data`, all of an IP packet's payload; `pseudo_header` is the sum of its words.

    WireError when the checksum is wrong, or the header is cut short or contradicts itself.
    """
    if len(data) < HEADER:
        raise WireError("tcp", "truncated")
    if not is_valid(data, pseudo_header):
        raise WireError("tcp", "checksum")
    source_port, destination_port, sequence, acknowledgment, control, window, _, _ = _FIXED.unpack_from(data)
    offset = control >> 12 << 2
    if offset < HEADER or offset > len(data):
        raise WireError("tcp", "data-offset")
    return Segment(
        source_port,
        destination_port,
        sequence,
        acknowledgment,
        control & _CONTROL_BITS,
        window,
        options.parse(bytes(data[HEADER:offset])) if offset > HEADER else options.NONE,
        bytes(data[offset:]),
    )


class Template:
    """What many segments of one connection have in common: all but position, flags and payload."""

    __slots__ = ("_acknowledgment", "_options", "_ports", "_sum", "_window", "_words")

    def __init__(
        self, ports: tuple[int, int], acknowledgment: int, window: int, options_: Options, pseudo_header: int
    ) -> None:
        """`ports` are source and destination; `pseudo_header` is the sum of its words without the length."""
        self._ports = ports
        self._acknowledgment = acknowledgment
        self._window = window
        self._options = b"" if options_ is options.NONE else options.emit(options_)
        self._words = HEADER + len(self._options) << 10
        # 65536 is 1 modulo 65535, so a number of several words leaves what the sum of its words leaves.
        self._sum = (
            sum(ports)
            + acknowledgment
            + window
            + self._words
            + int.from_bytes(self._options)
            + pseudo_header
            + HEADER
            + len(self._options)
        )

    def emit(self, sequence: int, flags: int, payload: bytes) -> bytes:
        """A segment in wire form with its checksum."""
        # RFC 8200 8.1: a length above 65535 (a jumbogram) is summed as two words; a segment never gets there.
        check = checksum(payload, self._sum + sequence + flags + len(payload))
        header = _FIXED.pack(*self._ports, sequence, self._acknowledgment, self._words | flags, self._window, check, 0)
        return b"".join((header, self._options, payload))


def emit(segment: Segment, pseudo_header: int) -> bytes:
    """`segment` in wire form with its checksum; `pseudo_header` is the sum of its words without the length."""
    ports = segment.source_port, segment.destination_port
    template = Template(ports, segment.acknowledgment, segment.window, segment.options, pseudo_header)
    return template.emit(segment.sequence, segment.flags, segment.payload)
