"""Programs for the kernel's packet filters: a small assembler of classic BPF, which needs no privilege.

Read first: Documentation/networking/filter.rst of Linux, McCanne and Jacobson, "The BSD Packet Filter" (1993).
"""

import struct
from array import array
from typing import Final

# linux/bpf_common.h. A is the accumulator, X the index, M the memory of 16 words, K a constant of the instruction.
LOAD: Final = 0x20  # A = word of the packet at K
LOAD_HALF: Final = 0x28  # A = two octets of the packet at K
LOAD_OCTET: Final = 0x30  # A = octet of the packet at K
LOAD_AT_X: Final = 0x40  # A = word of the packet at X + K
LOAD_HALF_AT_X: Final = 0x48
LOAD_OCTET_AT_X: Final = 0x50
LOAD_LENGTH: Final = 0x80  # A = octets of the packet
LOAD_HEADER_SIZE: Final = 0xB1  # X = 4 * (octet of the packet at K & 15), the length of an IPv4 header
ADD: Final = 0x04
SUBTRACT: Final = 0x14
MODULO: Final = 0x94
A_TO_X: Final = 0x07
JUMP: Final = 0x05
IF_EQUAL: Final = 0x15
IF_GREATER: Final = 0x25
IF_AT_LEAST: Final = 0x35
IF_SET: Final = 0x45  # some bit of K is
RETURN: Final = 0x06
RETURN_A: Final = 0x16

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
