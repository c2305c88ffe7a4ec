"""A queue of their own for queries that show a server cookie: the kernel's packet filter sorts them out.

What comes over UDP faster than it can be answered overflows the kernel's queue, which drops without looking. Who forges
its source can't have a server cookie for it (RFC 7873), so a flood fills the queue of those without one, and clients
that hold one go on as ever. The filter looks for the option where resolvers and `dig` put it, at the end of the
message; it does not know the secret. Where it can't be had there is one queue for all.
"""

import socket
from collections.abc import Sequence
from typing import Final

from dns_platform.unix import filters
from dns_platform.unix.filters import Assembler

_ATTACH_TO_GROUP: Final = 51  # SO_ATTACH_REUSEPORT_CBPF of asm-generic/socket.h
_HEADER: Final = 12
_OPTION: Final = 4 + 24  # code, length, client cookie, server cookie (RFC 9018 4)
_OPTION_HEAD: Final = 10 << 16 | 24


def look_for_cookie(program: Assembler, *, found: str, missing: str) -> None:
    """Jump by whether the message ends with a server cookie of ours; the packet ends with the message."""
    program.add(filters.LOAD_LENGTH)
    program.branch(filters.IF_AT_LEAST, _HEADER + _OPTION, otherwise=missing)
    program.add(filters.SUBTRACT, _OPTION)
    program.add(filters.A_TO_X)
    program.add(filters.LOAD_AT_X, 0)
    program.branch(filters.IF_EQUAL, _OPTION_HEAD, then=found, otherwise=missing)


def among(readers: int) -> bytes:
    """For a group of twice `readers` sockets, the first half for queries without a cookie: which one gets a datagram.

    The identifier of the query, which is random, spreads them (RFC 5452 9.2).
    """
    program = Assembler()
    look_for_cookie(program, found="cookie", missing="plain")
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
