"""Programs for the kernel's packet filters: a small assembler of classic BPF, which needs no privilege.

Read first: Documentation/networking/filter.rst of Linux, McCanne and Jacobson, "The BSD Packet Filter" (1993).
"""

import struct
from array import array
from typing import Final

from dns_platform.protocols import Mark

# linux/bpf_common.h. A is the accumulator, X the index, K a constant of the instruction.
LOAD_HALF: Final = 0x28  # A = two octets of the packet at K
LOAD_OCTET: Final = 0x30  # A = octet of the packet at K
LOAD_AT_X: Final = 0x40  # A = word of the packet at X + K
LOAD_LENGTH: Final = 0x80  # A = octets of the packet
ADD: Final = 0x04
SUBTRACT: Final = 0x14
MODULO: Final = 0x94
A_TO_X: Final = 0x07
IF_EQUAL: Final = 0x15
IF_AT_LEAST: Final = 0x35
RETURN: Final = 0x06
RETURN_A: Final = 0x16

UDP: Final = 17
KNOWN_PROTOCOLS: Final = (1, 6, 58)
"""ICMP, TCP and ICMPv6 (IANA's protocol numbers): what the network and those who speak TCP can't do without."""
_TYPE_AT: Final = 12  # of an Ethernet frame
PROTOCOLS_AT: Final = {0x0800: 23, 0x86DD: 20}  # of IPv4 and of IPv6; extension headers are for nobody that asks
_WHOLE: Final = 0xFFFFFFFF  # the packet is taken, and none of it cut off

_INSTRUCTION: Final = struct.Struct("=HBBI")
_PROGRAM: Final = struct.Struct("@HP")


class Assembler:
    """A program in the making. Jumps lead forward, to labels."""

    def __init__(self) -> None:
        self._lines: list[tuple[int, int, str, str]] = []
        self._labels: dict[str, int] = {}

    def add(self, code: int, constant: int = 0) -> None:
        """An instruction without a jump."""
        self._lines.append((code, constant, "", ""))

    def branch(self, code: int, constant: int, *, then: str = "", otherwise: str = "") -> None:
        """A condition; an empty label means the instruction that follows."""
        self._lines.append((code, constant, then, otherwise))

    def label(self, name: str) -> None:
        """The next instruction has that name."""
        self._labels[name] = len(self._lines)

    def program(self) -> bytes:
        """The instructions as the kernel takes them."""
        return b"".join(
            _INSTRUCTION.pack(code, self._distance(place, then), self._distance(place, otherwise), constant)
            for place, (code, constant, then, otherwise) in enumerate(self._lines)
        )

    def _distance(self, place: int, label: str) -> int:
        return self._labels[label] - place - 1 if label else 0


def option(program: bytes) -> "tuple[bytes, array[int]]":
    """`program` as setsockopt(2) takes it, and what has to live until that has returned."""
    kept = array("B", program)
    return _PROGRAM.pack(len(program) // _INSTRUCTION.size, kept.buffer_info()[0]), kept


def look_for(program: Assembler, mark: Mark, *, found: str, missing: str) -> None:
    """Jump by whether the packet has `mark`."""
    program.add(LOAD_LENGTH)
    program.branch(IF_AT_LEAST, mark.distance, otherwise=missing)
    program.add(SUBTRACT, mark.distance)
    program.add(A_TO_X)
    program.add(LOAD_AT_X, 0)
    program.branch(IF_EQUAL, mark.word, then=found, otherwise=missing)


def frames(mark: Mark, *, waiting: bool) -> bytes:
    """Takes Ethernet frames with UDP datagrams that lack `mark`, if `waiting`, else all others."""
    program = Assembler()
    program.add(LOAD_HALF, _TYPE_AT)
    for kind, place in PROTOCOLS_AT.items():
        other = f"not {kind}"
        program.branch(IF_EQUAL, kind, otherwise=other)
        program.add(LOAD_OCTET, place)
        for protocol in KNOWN_PROTOCOLS:
            program.branch(IF_EQUAL, protocol, then="first")
        program.branch(IF_EQUAL, UDP, then="datagram", otherwise="second")
        program.label(other)
    program.label("first")
    program.add(RETURN, 0 if waiting else _WHOLE)
    program.label("datagram")
    look_for(program, mark, found="marked", missing="second")
    program.label("marked")
    program.add(RETURN, 0 if waiting else _WHOLE)
    program.label("second")
    program.add(RETURN, _WHOLE if waiting else 0)
    return program.program()
