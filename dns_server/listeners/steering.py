"""Sockets of their own for queries that show a server cookie: the kernel's packet filter sorts them out.

What comes over UDP faster than it can be answered overflows the kernel's queue, which drops without looking; see
`marks`. Where there is no filter there is one queue for all.
"""

import socket
from collections.abc import Sequence
from typing import Final

from dns_platform.unix import filters
from dns_platform.unix.filters import Assembler
from dns_server.listeners.marks import COOKIE

_ATTACH_TO_GROUP: Final = 51  # SO_ATTACH_REUSEPORT_CBPF of asm-generic/socket.h


def among(readers: int) -> bytes:
    """For a group of twice `readers` sockets, the first half for queries without a cookie: which one gets a datagram.

    The identifier of the query, which is random, spreads them (RFC 5452 9.2).
    """
    program = Assembler()
    filters.look_for(program, COOKIE, found="cookie", missing="plain")
    for label, first in (("plain", 0), ("cookie", readers)):
        program.label(label)
        program.add(filters.LOAD_HALF, 0)
        program.add(filters.MODULO, readers)
        program.add(filters.ADD, first)
        program.add(filters.RETURN_A)
    return program.program()


def steer(group: Sequence[socket.socket]) -> None:
    """Spread what comes to the sockets of one address, in the order of their binding, as `among` says. OSError."""
    option, kept = filters.option(among(len(group) // 2))
    group[0].setsockopt(socket.SOL_SOCKET, _ATTACH_TO_GROUP, option)
    del kept
