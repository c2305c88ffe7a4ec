"""How an interface is set up."""

from dataclasses import dataclass, field

from stack.address import Address, Network
from stack.interface.limits import Limits


@dataclass(frozen=True, slots=True)
class Static:
    """An address that an operator wrote down, with the network that is on the link; of either family."""

    address: Address
    network: Network


@dataclass(frozen=True, slots=True)
class Settings:
    """Addresses, routers, and manners. An interface without addresses of a family does not speak it."""

    ipv4: tuple[Static, ...] = ()
    """IPv4 addresses; `stack.dhcp` adds one."""
    ipv4_gateway: Address | None = None
    """Default router."""
    ipv6: tuple[Static, ...] = ()
    """IPv6 addresses beside the link-local one."""
    ipv6_gateway: Address | None = None
    """Default router."""
    ipv6_enabled: bool = True
    """Speak IPv6 at all: make a link-local address, and find neighbours."""
    accept_advertisements: bool = True
    """Take addresses, prefixes and routers from router advertisements."""
    optimistic: bool = True
    """Use addresses while it is still being found out whether anyone else has them (RFC 4429; for IPv4 likewise).

    False waits for that: up to 7 s for IPv4 (RFC 5227 2.1), up to 2 s for IPv6 (RFC 4862 5.4).
    """
    limits: Limits = field(default_factory=Limits)
