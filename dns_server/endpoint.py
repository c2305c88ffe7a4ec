"""An address and a port, as a parameter gives them and as a log line shows them."""

import ipaddress
import re
from typing import Final, NamedTuple


class Endpoint(NamedTuple):
    """Where a listener is bound, or where a peer is."""

    address: str
    """IPv4 or IPv6 address in its shortest text form, an IPv6 zone index kept (`fe80::1%eth0`)."""
    port: int

    def __str__(self) -> str:
        return f"[{self.address}]:{self.port}" if ":" in self.address else f"{self.address}:{self.port}"

    @property
    def is_ipv6(self) -> bool:
        """Whether the address is of IPv6."""
        return ":" in self.address

    @property
    def is_wildcard(self) -> bool:
        """Whether it stands for every address of the machine."""
        return ipaddress.ip_address(self.address).is_unspecified


class Destination(NamedTuple):
    """A host to connect to."""

    host: str
    """Name or address."""
    port: int | None
    """None for the usual one."""


_HOST: Final = re.compile(r"(?!-)[A-Za-z0-9._-]{1,253}")


def parse_destination(text: str) -> Destination:
    """`HOST`, `HOST:PORT`, `[IPv6]:PORT`; a host is a name or an address. ValueError says what is wrong."""
    host, colon, port_text = text.rpartition(":")
    if text.startswith("[") or text.count(":") > 1 or text.replace(".", "").isdigit():
        found = parse(text, default_port=0)
        return Destination(found.address, found.port or None)
    if not colon:
        host, port_text = text, ""
    if not _HOST.fullmatch(host):
        raise ValueError(f"{host!r} is no name of a host")
    if colon and not (port_text.isascii() and port_text.isdigit() and 0 < int(port_text) < 65536):
        raise ValueError(f"{port_text!r} is no port (1 to 65535)")
    return Destination(host, int(port_text) if colon else None)


def parse(text: str, default_port: int | None = None) -> Endpoint:
    """`ADDR:PORT`, `[ADDR]:PORT`; without a port where there is a default. ValueError says what is wrong."""
    if text.startswith("["):
        address, bracket, rest = text[1:].partition("]")
        if not bracket or (rest and not rest.startswith(":")):
            raise ValueError("expected [IPv6 address]:port")
        port_text = rest[1:]
    elif text.count(":") > 1:
        if default_port is None:
            raise ValueError("an IPv6 address stands in brackets before its port")
        address, port_text = text, ""
    else:
        address, _, port_text = text.partition(":")
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        raise ValueError(f"{address!r} is no IPv4 or IPv6 address") from None
    if not port_text:
        if default_port is None:
            raise ValueError("the port is missing")
        return Endpoint(str(parsed), default_port)
    if not (port_text.isascii() and port_text.isdigit()) or int(port_text) > 65535:
        raise ValueError(f"{port_text!r} is no port (0 to 65535)")
    return Endpoint(str(parsed), int(port_text))
