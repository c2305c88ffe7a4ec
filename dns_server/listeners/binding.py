"""Sockets of the host, bound: one over TCP for each address, and over UDP two for each process that reads them."""

import contextlib
import errno
import socket
from collections.abc import Callable
from typing import Final, NamedTuple

from dns_server.endpoint import Endpoint
from dns_server.reasons import reason

_RECEIVE_BUFFER: Final = 1 << 20
_PORT_TRIES: Final = 20

# Of linux/in.h and linux/in6.h; the socket module does not have all of them.
IP_PKTINFO: Final = 8
_IP_MTU_DISCOVER: Final = 10
_IPV6_MTU_DISCOVER: Final = 23
_PMTUDISC_OMIT: Final = 5


class CannotListen(Exception):
    """An address can't be bound; the text says which, why, and what may help."""

    def __init__(self, endpoint: Endpoint, transport: str, error: OSError) -> None:
        self.error = error
        another = "take another port with --listen, --tls-listen or --http"
        remedies = {
            errno.EADDRINUSE: f"another program has it, or it is asked for twice: {another}",
            errno.EACCES: f"ports below 1024 need root or CAP_NET_BIND_SERVICE; or {another}",
            errno.EADDRNOTAVAIL: "this machine has no such address; see `ip address`",
            errno.EAFNOSUPPORT: "this machine has no IPv6" if endpoint.is_ipv6 else "this machine has no IPv4",
        }
        remedy = remedies.get(error.errno or 0)
        why = reason(error)
        super().__init__(f"can't listen on {endpoint} over {transport}: {why}{f' ({remedy})' if remedy else ''}")

    @property
    def has_no_such_address(self) -> bool:
        """Whether the machine lacks the address or its family, as one without IPv6 does."""
        return self.error.errno in {errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT}


class Share(NamedTuple):
    """A socket of an address for one of the processes that answer there."""

    socket: socket.socket
    is_wildcard: bool


def bind_both(endpoint: Endpoint, readers: int, report: Callable[..., None]) -> tuple[socket.socket, list[list[Share]]]:
    """A TCP socket, and for each of `readers` its UDP sockets, with one port, also where the kernel chooses it.

    `report` is told when queries with cookies don't get a socket of their own. CannotListen.
    """
    tries = 1 if endpoint.port else _PORT_TRIES
    while True:
        tries -= 1
        with contextlib.ExitStack() as opened:
            tcp = opened.enter_context(bind(endpoint, socket.SOCK_STREAM))
            own = Endpoint(endpoint.address, tcp.getsockname()[1])
            try:
                group = [opened.enter_context(bind(own, socket.SOCK_DGRAM)) for _ in range(readers)]
            except CannotListen:
                if tries:
                    continue
                raise
            group += _for_cookies(own, group, report)
            opened.pop_all()
            shares = [Share(each, endpoint.is_wildcard) for each in group]
            return tcp, [shares[number::readers] for number in range(readers)]


def _for_cookies(endpoint: Endpoint, plain: list[socket.socket], report: Callable[..., None]) -> list[socket.socket]:
    """As many sockets as `plain` has, at the same address, for queries with cookies; none where that can't be."""
    with contextlib.ExitStack() as opened:
        try:
            from dns_server.listeners.steering import steer

            more = [opened.enter_context(bind(endpoint, socket.SOCK_DGRAM)) for _ in plain]
            steer([*plain, *more])
        except (ImportError, OSError, CannotListen) as error:
            report("queries with cookies have no queue of their own here", address=str(endpoint), reason=reason(error))
            return []
        opened.pop_all()
        return more


def bind(endpoint: Endpoint, kind: socket.SocketKind) -> socket.socket:
    """A bound socket. One over UDP leaves room for others of this user on the same port. CannotListen."""
    family = socket.AF_INET6 if endpoint.is_ipv6 else socket.AF_INET
    transport = "TCP" if kind is socket.SOCK_STREAM else "UDP"
    with contextlib.ExitStack() as opened:
        try:
            bound = opened.enter_context(socket.socket(family, kind))
            bound.setblocking(False)
            _set_options(bound, endpoint)
            if kind is socket.SOCK_DGRAM:  # the TCP socket is not shared, so another server on this port is noticed
                bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
            # getaddrinfo for what an IPv6 zone index (fe80::1%eth0) means; nothing is resolved
            flags = socket.AI_NUMERICHOST | socket.AI_NUMERICSERV
            address = socket.getaddrinfo(endpoint.address, endpoint.port, family, kind, flags=flags)[0][4]
            bound.bind(address)
        except OSError as error:
            raise CannotListen(endpoint, transport, error) from None
        opened.pop_all()
        return bound


def _set_options(opened: socket.socket, endpoint: Endpoint) -> None:
    if endpoint.is_ipv6:
        opened.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
    if opened.type is socket.SOCK_STREAM:
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        return
    opened.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _RECEIVE_BUFFER)
    # RFC 9715 3.1: answers are not fragmented, and forged "packet too big" messages change nothing.
    if endpoint.is_ipv6:
        opened.setsockopt(socket.IPPROTO_IPV6, _IPV6_MTU_DISCOVER, _PMTUDISC_OMIT)
    else:
        opened.setsockopt(socket.IPPROTO_IP, _IP_MTU_DISCOVER, _PMTUDISC_OMIT)
    if endpoint.is_wildcard:
        if endpoint.is_ipv6:
            opened.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_RECVPKTINFO, 1)
        else:
            opened.setsockopt(socket.IPPROTO_IP, IP_PKTINFO, 1)
