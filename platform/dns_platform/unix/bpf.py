"""The few operations of bpf(2) that sending an interface's frames to AF_XDP sockets takes.

Read first: bpf(2), Documentation/bpf/map_xskmap.rst of Linux.
"""

import ctypes
import os
import socket
import struct
import sys
from collections.abc import Iterable, Iterator

from dns_platform.protocols import Mark
from dns_platform.unix import filters, libc

_SYSCALL = {"x86_64": 321, "aarch64": 280}

# linux/bpf.h
_MAP_CREATE, _MAP_UPDATE, _PROG_LOAD, _LINK_CREATE = 0, 2, 5, 28
_MAP_TYPE_XSKMAP = 17
_PROG_TYPE_XDP = 6
_ATTACH_XDP = 37
XDP_SKB_MODE = 2
XDP_DRIVER_MODE = 4

_HEADERS_AT = 12  # of a frame: its type and what follows

_ATTRIBUTES = 128  # octets of union bpf_attr that we pass; unused ones are zero


def make_socket_map(entries: int) -> int:
    """File descriptor of a map from receive queue to AF_XDP socket."""
    return _bpf(_MAP_CREATE, struct.pack("IIII", _MAP_TYPE_XSKMAP, 4, 4, entries))


def put_socket(socket_map: int, queue: int, descriptor: int) -> None:
    """Frames of `queue` go to the socket `descriptor`."""
    key, value = ctypes.c_uint32(queue), ctypes.c_uint32(descriptor)
    _bpf(_MAP_UPDATE, struct.pack("IxxxxQQQ", socket_map, ctypes.addressof(key), ctypes.addressof(value), 0))


def load_redirect(socket_map: int) -> int:
    """File descriptor of the program that gives each frame to the socket of its queue, else to the kernel."""
    return _load(
        (
            _instruction(0x61, 2, 1, 16),  # r2 = ctx->rx_queue_index
            *_redirect(socket_map),
        )
    )


def load_sorting(socket_map: int, mark: Mark) -> int:
    """File descriptor of the program that gives UDP datagrams without `mark` to socket 1, all other frames to socket 0.

    OSError before Linux 5.18, which lacks what it calls.
    """
    found = int.from_bytes(mark.word.to_bytes(4, "big"), sys.byteorder, signed=True)
    program = _Jumps()
    program.add(_instruction(0xBF, 6, 1, 0))  # r6 = ctx
    program.load_octets(_HEADERS_AT, 12, otherwise="first")
    for kind, place in filters.PROTOCOLS_AT.items():
        program.add(_instruction(0x69, 1, 10, -16))  # r1 = type of the frame
        program.unless_equal(1, socket.htons(kind), f"not {kind}")
        program.add(_instruction(0x71, 1, 10, place - _HEADERS_AT - 16))  # r1 = protocol
        program.jump("protocol")
        program.label(f"not {kind}")
    program.jump("first")
    program.label("protocol")
    for protocol in filters.KNOWN_PROTOCOLS:
        program.if_equal(1, protocol, "first")
    program.unless_equal(1, filters.UDP, "second")
    program.add(_instruction(0xBF, 1, 6, 0))  # r1 = ctx
    program.add(_instruction(0x85, 0, 0, 0, 188))  # r0 = bpf_xdp_get_buff_len(r1)
    program.if_less(0, mark.distance, "second")
    program.add(_instruction(0x07, 0, 0, 0, -mark.distance))  # r0 -= distance
    program.add(_instruction(0xBF, 2, 0, 0))  # r2 = r0
    program.load_octets(None, 4, otherwise="second")
    program.add(_instruction(0x61, 1, 10, -16))  # r1 = the word
    program.if_equal(1, found, "first")
    program.label("second")
    program.add(_instruction(0xB7, 2, 0, 0, 1))  # r2 = 1
    program.jump("redirect")
    program.label("first")
    program.add(_instruction(0xB7, 2, 0, 0, 0))  # r2 = 0
    program.label("redirect")
    return _load((*program.instructions(), *_redirect(socket_map)))


class _Jumps:
    """Instructions with jumps forward, to labels."""

    def __init__(self) -> None:
        self._lines: list[tuple[bytes, str]] = []
        self._labels: dict[str, int] = {}

    def add(self, instruction: bytes) -> None:
        self._lines.append((instruction, ""))

    def label(self, name: str) -> None:
        self._labels[name] = len(self._lines)

    def jump(self, label: str) -> None:
        self._lines.append((_instruction(0x05, 0, 0, 0), label))

    def if_equal(self, register: int, value: int, label: str) -> None:
        self._lines.append((_instruction(0x16, register, 0, 0, value), label))  # of 32 bits

    def unless_equal(self, register: int, value: int, label: str) -> None:
        self._lines.append((_instruction(0x56, register, 0, 0, value), label))

    def if_less(self, register: int, value: int, label: str) -> None:
        self._lines.append((_instruction(0xA5, register, 0, 0, value), label))

    def load_octets(self, place: int | None, count: int, *, otherwise: str) -> None:
        """Octets of the frame from `place` (None: r2) on, at r10 - 16; r6 is ctx."""
        if place is not None:
            self.add(_instruction(0xB7, 2, 0, 0, place))  # r2 = place
        self.add(_instruction(0xBF, 1, 6, 0))  # r1 = ctx
        self.add(_instruction(0xBF, 3, 10, 0))  # r3 = frame pointer
        self.add(_instruction(0x07, 3, 0, 0, -16))  # r3 -= 16
        self.add(_instruction(0xB7, 4, 0, 0, count))  # r4 = count
        self.add(_instruction(0x85, 0, 0, 0, 189))  # r0 = bpf_xdp_load_bytes(r1, r2, r3, r4)
        self._lines.append((_instruction(0x55, 0, 0, 0, 0), otherwise))

    def instructions(self) -> Iterator[bytes]:
        for place, (instruction, label) in enumerate(self._lines):
            distance = self._labels[label] - place - 1 if label else None
            yield instruction if distance is None else instruction[:2] + struct.pack("h", distance) + instruction[4:]


def _redirect(socket_map: int) -> Iterator[bytes]:
    """Give the frame to socket r2, else to the kernel."""
    yield _instruction(0x18, 1, 1, 0, socket_map)  # r1 = the map, in two instructions
    yield _instruction(0x00, 0, 0, 0)
    yield _instruction(0xB7, 3, 0, 0, 2)  # r3 = XDP_PASS, when there is no such socket
    yield _instruction(0x85, 0, 0, 0, 51)  # r0 = bpf_redirect_map(r1, r2, r3)
    yield _instruction(0x95, 0, 0, 0)  # return r0


def _load(instructions: Iterable[bytes]) -> int:
    program = b"".join(instructions)
    code, licence = ctypes.create_string_buffer(program, len(program)), ctypes.create_string_buffer(b"ISC")
    attributes = struct.pack(
        "IIQQ", _PROG_TYPE_XDP, len(program) // 8, ctypes.addressof(code), ctypes.addressof(licence)
    )
    return _bpf(_PROG_LOAD, attributes)


def attach(program: int, interface_index: int, mode: int) -> int:
    """File descriptor of a link: the program stays on the interface for as long as it is open.

    So a process that dies leaves nothing behind.
    """
    return _bpf(_LINK_CREATE, struct.pack("IIII", program, interface_index, _ATTACH_XDP, mode))


def _instruction(code: int, target: int, source: int, offset: int, immediate: int = 0) -> bytes:
    return struct.pack("BBhi", code, source << 4 | target, offset, immediate)


def _bpf(command: int, attributes: bytes) -> int:
    machine = os.uname().machine
    if machine not in _SYSCALL:
        raise OSError(f"the number of bpf(2) on {machine} is not known here")
    buffer = ctypes.create_string_buffer(attributes, _ATTRIBUTES)
    return libc.call("syscall", _SYSCALL[machine], command, buffer, _ATTRIBUTES)
