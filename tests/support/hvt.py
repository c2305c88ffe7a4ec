"""What a tender of the solo5 hvt ABI does before it starts an image: reads the file, and writes the guest's memory.

Nothing here needs more than the standard library: the tender for KVM (`kvm_tender`) runs it in a bed of its own.
"""

import struct
from dataclasses import dataclass
from typing import Final

MAC: Final = bytes.fromhex("020000000001")
MTU: Final = 1500

WALLTIME, PUTS, POLL, BLOCK_WRITE, BLOCK_READ, NET_WRITE, NET_READ, HALT = range(1, 9)
"""Hypercalls; the port of each is PORTS + its number."""
PORTS: Final = 0x500
OK, AGAIN, INVALID = 0, 1, 2
BLOCK_SIZE: Final = 512
ABI, MANIFEST = 0x31494241, 0x3154464D
"""Types of the two notes."""

BOOT_INFORMATION, TABLES = 0x10000, 0x2000
GUEST_BASE: Final = 0x100000
CR0, CR4, EFER = 0x80010021, 0x620, 0x500
"""Registers in which the image begins: 64-bit mode with paging, SSE on."""

_LARGE: Final = 0x200000
_BLOCK, _NETWORK, _RESERVED = 1, 2, 1 << 30
_ENTRY: Final = struct.Struct("<68sI16sQ8s")
_LOAD, _NOTE = 1, 4
_WRITE, _EXECUTE = 2, 1


class BadImage(Exception):
    """The image is none that a tender would start."""


@dataclass(frozen=True)
class _Segment:
    kind: int
    flags: int
    offset: int
    address: int
    file_size: int
    size: int


@dataclass(frozen=True)
class Start:
    """Memory of a guest before its first instruction."""

    entry: int
    writes: tuple[tuple[int, bytes], ...]
    """Addresses and what stands there; all other octets are 0."""


def start(
    data: bytes, parameters: str, memory: int, frequency: int, *, has_network: bool, disk: int | None = None
) -> Start:
    """Lay out an image in `memory` octets; `frequency` is that of its cycle counter in Hz. BadImage says why not.

    `disk` is the size of `storage` in octets, where there is one.
    """
    if note(data, ABI, 4) != struct.pack("<IIII", 1, 2, 0, 0):
        raise BadImage("not for hvt, version 2")
    entry, segments = _segments(data)
    writes = []
    end = GUEST_BASE
    for segment in segments:
        if segment.kind != _LOAD or not segment.file_size:
            continue
        if segment.address & -4096 < end or segment.address + segment.size > memory:
            raise BadImage(f"segment at {segment.address:#x} overlaps another one or the end of memory")
        if segment.flags & _WRITE and segment.flags & _EXECUTE:
            raise BadImage(f"segment at {segment.address:#x} is writable and executable")
        writes.append((segment.address, data[segment.offset : segment.offset + segment.file_size]))
        end = (segment.address + segment.size + 4095) & -4096
    manifest = _attached(note(data, MANIFEST, 8), disk, has_network=has_network)
    manifest_at = BOOT_INFORMATION + 64
    line_at = manifest_at + len(manifest)
    information = struct.pack("<QQQQQIIQ", memory, end, frequency, line_at, manifest_at, 0, 0, 0)
    writes += [
        (BOOT_INFORMATION, information),
        (manifest_at, manifest),
        (line_at, parameters.encode() + b"\0"),
        *_tables(memory),
    ]
    return Start(entry, tuple(writes))


def note(data: bytes, kind: int, alignment: int) -> bytes:
    """Content of the Solo5 note of that type, which has to be the first of its header."""
    for segment in _segments(data)[1]:
        if segment.kind != _NOTE:
            continue
        name_size, size, found = struct.unpack_from("<III", data, segment.offset)
        if found == kind and data[segment.offset + 12 : segment.offset + 18] == b"Solo5\0" and name_size == 6:
            begin = segment.offset + 20
            padding = -20 % alignment  # the structure in the note is aligned to its own start
            return data[begin + padding : begin + size]
    raise BadImage(f"no note of type {kind:#x}")


def _segments(data: bytes) -> tuple[int, list[_Segment]]:
    """Entry and program headers of an ELF executable."""
    if data[:4] != b"\x7fELF" or struct.unpack_from("<HH", data, 16) != (2, 62):
        raise BadImage("no x86-64 executable")
    entry, table = struct.unpack_from("<QQ", data, 24)
    size, count = struct.unpack_from("<HH", data, 54)
    found = []
    for i in range(count):
        kind, flags, offset, address, _, file_size, memory_size, _ = struct.unpack_from(
            "<IIQQQQQQ", data, table + i * size
        )
        found.append(_Segment(kind, flags, offset, address, file_size, memory_size))
    return entry, found


def _attached(manifest: bytes, disk: int | None, *, has_network: bool) -> bytes:
    """The manifest as the image reads it: with what is attached to its devices."""
    filled = bytearray(manifest)
    version, count = struct.unpack_from("<II", filled)
    entries = [_ENTRY.unpack_from(filled, 8 + i * _ENTRY.size) for i in range(count)]
    if version != 1 or entries[0][1] != _RESERVED or entries[1][:2] != (b"service".ljust(68, b"\0"), _NETWORK):
        raise BadImage(f"manifest {entries}")
    if has_network:
        device = struct.pack("<6sH8x", MAC, MTU)
        _ENTRY.pack_into(filled, 8 + _ENTRY.size, entries[1][0], _NETWORK, device, 0, b"\1")
    disks = [name.rstrip(b"\0") for name, kind, *_ in entries if kind == _BLOCK]
    if disks != ([] if disk is None else [b"storage"]):
        raise BadImage(f"the image declares the disks {disks}")  # all that are declared are given, and no others
    if disk is not None:
        device = struct.pack("<QH6x", disk, BLOCK_SIZE)
        _ENTRY.pack_into(filled, 8 + 2 * _ENTRY.size, entries[2][0], _BLOCK, device, 0, b"\1")
    return bytes(filled)


def _tables(memory: int) -> list[tuple[int, bytes]]:
    """Page tables in which all of memory is mapped to itself in large pages, as the real tender leaves it."""
    pointers, directory = TABLES + 0x1000, TABLES + 0x2000
    pages = [address | 0x83 for address in range(0, memory, _LARGE)]
    return [
        (TABLES, struct.pack("<Q", pointers | 3)),
        (pointers, struct.pack("<Q", directory | 3)),
        (directory, struct.pack(f"<{len(pages)}Q", *pages)),
    ]
