"""Names to addresses, in the form that asyncio passes them around: the tuples of `socket.getaddrinfo`."""

import socket
from collections.abc import Iterator, Sequence
from typing import Protocol

from stack.address import Address, Endpoint, parse, text

SocketAddress = tuple[str, int] | tuple[str, int, int, int]
AddressInfo = tuple[socket.AddressFamily, socket.SocketKind, int, str, SocketAddress]

_PROTOCOLS = {socket.SOCK_STREAM: 6, socket.SOCK_DGRAM: 17}


class Resolver(Protocol):
    """Looks names up."""

    async def lookup(self, name: str) -> Sequence[Address]:
        """Addresses of `name`, both families. OSError (socket.gaierror) when there are none, or nobody answers."""
        ...


def socket_address(endpoint: Endpoint) -> SocketAddress:
    """`endpoint` as sockets have it: (host, port), and two zeros more for IPv6."""
    host = text(endpoint.address)
    return (host, endpoint.port) if len(endpoint.address) == 4 else (host, endpoint.port, 0, 0)


def endpoint(address: Sequence[object]) -> Endpoint:
    """The endpoint of a socket address whose host is written as numbers. ValueError when it is not."""
    host, port = address[0], address[1]
    if not isinstance(host, str) or not isinstance(port, int) or not 0 <= port <= 65535:
        raise ValueError(f"{address!r} is not (address, port)")
    return Endpoint(parse(host.partition("%")[0]), port)


def numeric(host: str) -> Address | None:
    """The address that `host` is, when it is written as numbers; a zone index (%eth0) says nothing here."""
    try:
        return parse(host.partition("%")[0])
    except ValueError:
        return None


def family_of(address: Address) -> socket.AddressFamily:
    """AF_INET or AF_INET6."""
    return socket.AF_INET if len(address) == 4 else socket.AF_INET6


def infos(addresses: Sequence[Address], port: int, family: int, kind: int) -> Iterator[AddressInfo]:
    """What getaddrinfo answers for `addresses`: those of `family`, for each socket type unless one is asked for."""
    for address in addresses:
        own = family_of(address)
        if family in (0, own):
            for each, protocol in _PROTOCOLS.items():
                if kind in (0, each):
                    yield own, each, protocol, "", socket_address(Endpoint(address, port))


def port_number(port: str | bytes | int | None) -> int:
    """A port as people give it. socket.gaierror for the name of a service: there is no table of them."""
    if port is None:
        return 0
    try:
        number = int(port)
    except ValueError:
        number = -1
    if not 0 <= number <= 65535:
        raise socket.gaierror(socket.EAI_SERVICE, f"{port!r} is not a port from 0 to 65535")
    return number
