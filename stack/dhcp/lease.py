"""What a DHCP server grants."""

from typing import NamedTuple

from stack.address import Address, Network, is_loopback, is_multicast, is_unspecified, network
from stack.wire.dhcpv4 import LAYER, Message, Option
from stack.wire.error import WireError

MINIMUM_LEASE_S = 30
"""A shorter lease is not worth taking: renewing it would be a flood."""
INFINITE_S = 0xFFFFFFFF


class Lease(NamedTuple):
    """An address and what comes with it. Times are seconds from the request on; infinite ones never come."""

    address: Address
    network: Network
    server: Address
    routers: tuple[Address, ...]
    name_servers: tuple[Address, ...]
    mtu: int | None
    host_name: str | None
    duration_s: float
    renewal_s: float
    rebinding_s: float


def parse(message: Message) -> Lease:
    """The lease in an offer or an acknowledgement. WireError says what is wrong with it."""
    server = message.address(Option.SERVER_IDENTIFIER)
    mask = message.address(Option.SUBNET_MASK)
    duration = message.number(Option.LEASE_TIME, 4)
    address = message.yours
    if server is None:
        raise WireError(LAYER, "no server identifier")
    if is_unspecified(address) or is_multicast(address) or is_loopback(address) or address[0] >= 240:
        raise WireError(LAYER, "no host's address")
    if mask is None:
        raise WireError(LAYER, "no subnet mask")
    if duration is None or duration < MINIMUM_LEASE_S:
        raise WireError(LAYER, "lease too short")
    lease = float("inf") if duration == INFINITE_S else float(duration)
    renewal, rebinding = _times(message, lease)
    return Lease(
        address,
        network(address, _prefix_length(mask)),
        server,
        message.addresses(Option.ROUTER),
        message.addresses(Option.NAME_SERVERS),
        message.number(Option.INTERFACE_MTU, 2),
        _host_name(message),
        lease,
        renewal,
        rebinding,
    )


def _times(message: Message, lease: float) -> tuple[float, float]:
    """T1 and T2 (RFC 2131 4.4.5): as the server says, where that makes sense, else 0.5 and 0.875 of the lease."""
    renewal, rebinding = message.number(Option.RENEWAL_TIME, 4), message.number(Option.REBINDING_TIME, 4)
    t1 = lease * 0.5 if renewal is None else float(renewal)
    t2 = lease * 0.875 if rebinding is None else float(rebinding)
    return (t1, t2) if MINIMUM_LEASE_S / 2 <= t1 < t2 < lease else (lease * 0.5, lease * 0.875)


def _prefix_length(mask: Address) -> int:
    """How many ones `mask` begins with. WireError when ones follow a zero (RFC 950)."""
    bits = int.from_bytes(mask)
    length = 32 - ((1 << 32) - bits).bit_length() + 1 if bits else 0
    if bits != ((1 << 32) - 1) >> (32 - length) << (32 - length):
        raise WireError(LAYER, "bad subnet mask")
    return length


def _host_name(message: Message) -> str | None:
    """Option 12, when it is a name that can be shown."""
    value = message.options.get(Option.HOST_NAME, b"").rstrip(b"\0")
    name = value.decode("ascii", "replace")
    return name if name and all(character.isalnum() or character in "-." for character in name) else None
