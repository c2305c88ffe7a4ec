"""The few operations of bpf(2) that sending an interface's frames to AF_XDP sockets takes.

Read first: bpf(2), Documentation/bpf/map_xskmap.rst of Linux.
"""

import ctypes
import os
import struct

from dns_platform.unix import libc

_SYSCALL = {"x86_64": 321, "aarch64": 280}

# linux/bpf.h
_MAP_CREATE, _MAP_UPDATE, _PROG_LOAD, _LINK_CREATE = 0, 2, 5, 28
_MAP_TYPE_XSKMAP = 17
_PROG_TYPE_XDP = 6
_ATTACH_XDP = 37
XDP_SKB_MODE = 2
XDP_DRIVER_MODE = 4

_ATTRIBUTES = 128  # octets of union bpf_attr that we pass; unused ones are zero


def make_socket_map(entries: int) -> int:
    """File descriptor of a map from receive queue to AF_XDP socket."""
    return _bpf(_MAP_CREATE, struct.pack("IIII", _MAP_TYPE_XSKMAP, 4, 4, entries))


def put_socket(socket_map: int, queue: int, socket: int) -> None:
    """Frames of `queue` go to `socket`."""
    key, value = ctypes.c_uint32(queue), ctypes.c_uint32(socket)
    _bpf(_MAP_UPDATE, struct.pack("IxxxxQQQ", socket_map, ctypes.addressof(key), ctypes.addressof(value), 0))


def load_redirect(socket_map: int) -> int:
    """File descriptor of the program that gives each frame to the socket of its queue, else to the kernel."""
    program = b"".join(
        (
            _instruction(0x61, 2, 1, 16),  # r2 = ctx->rx_queue_index
            _instruction(0x18, 1, 1, 0, socket_map),  # r1 = the map, in two instructions
            _instruction(0x00, 0, 0, 0),
            _instruction(0xB7, 3, 0, 0, 2),  # r3 = XDP_PASS, when the queue has no socket
            _instruction(0x85, 0, 0, 0, 51),  # r0 = bpf_redirect_map(r1, r2, r3)
            _instruction(0x95, 0, 0, 0),  # return r0
        )
    )
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
