"""The express way for batches of frames, where it is compiled: what it serves, kept equal to what the interface has."""

import importlib
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Final, Protocol

from dns_platform.compiled import is_compiled
from dns_platform.protocols import Octets
from stack.address import IPV6_LOOPBACK, IPV6_UNSPECIFIED, Address, Endpoint, is_unspecified
from stack.interface.ipv4 import Ipv4
from stack.interface.ipv6 import Ipv6
from stack.interface.udp import Udp
from stack.wire import ipv4, ipv6, udp

if TYPE_CHECKING:
    from array import array

    from stack.interface.express_core import ExpressCore

CORE_MODULE: Final = "stack.interface.express_core"
_MAX_ENDPOINTS: Final = 16  # a family: the core looks through them one after the other


class Slots(Protocol):
    """Room for `size` requests and their replies, in slots of one size each; a reply of length 0 is none."""

    @property
    def size(self) -> int:
        """How many slots there are."""
        ...

    @property
    def queries(self) -> bytearray:
        """Requests."""
        ...

    @property
    def lengths(self) -> "array[int]":
        """Octets of each request; C ints."""
        ...

    @property
    def peers(self) -> bytearray:
        """Where each request is from, in 32 octets as Linux has a socket address: the family (2 or 10, little-endian)
        at 0, the port at 2, an IPv4 address at 4, an IPv6 address at 8.
        """
        ...

    @property
    def replies(self) -> bytearray:
        """Replies."""
        ...

    @property
    def reply_lengths(self) -> "array[int]":
        """Octets of each reply; C ints."""
        ...


class ExpressBatches:
    """The compiled express way of one interface."""

    def __init__(
        self,
        core: "ExpressCore",
        udp_sockets: Udp,
        ip4: Ipv4,
        ip6: Ipv6 | None,
        reply_size: int,
        respond: Callable[[int], None],
    ) -> None:
        self._core = core
        self._udp = udp_sockets
        self._ipv4 = ip4
        self._ipv6 = ip6
        self._reply_size = reply_size
        self._respond = respond
        self._served: object = None
        self.is_current = False
        """Whether nothing can have changed of what is served since the last call of `reply`."""
        self.replies = 0

    def reply(self, frames: Sequence[Octets]) -> tuple[Sequence[Octets], Sequence[Octets]]:
        """Frames with the replies to the plain requests in `frames`, and the frames that are none.

        The replies are valid until the next call.
        """
        if not self.is_current:
            self._refresh()
        left: Sequence[Octets] = self._core.take(frames)
        count = self._core.count
        if not count:
            return (), left
        self._respond(count)
        replies: Sequence[Octets] = self._core.give(0 if self._ipv6 is None else self._ipv6.hop_limit)
        self.replies += len(replies)
        return replies, left

    def destination(self, index: int) -> Endpoint:
        """Where request `index` is to; asked while `respond` is being called."""
        return Endpoint(*self._core.destination(index))

    def _refresh(self) -> None:
        """Tell the core what is served, when that has changed."""
        self.is_current = True
        local_4 = self._ipv4.addresses if self._fits(self._ipv4, ipv4.HEADER) else []
        local_6 = self._ipv6.addresses.usable if self._ipv6 is not None and self._fits(self._ipv6, ipv6.HEADER) else []
        served = local_4, local_6, list(self._udp.responders)
        if served == self._served:
            return
        self._served = served
        endpoints_4, endpoints_6 = self._endpoints(local_4), self._endpoints(local_6)
        if max(len(endpoints_4), len(endpoints_6)) > _MAX_ENDPOINTS:
            endpoints_4, endpoints_6 = [], []
        own_6 = [] if self._ipv6 is None else list(self._ipv6.addresses)
        own_6 += [IPV6_UNSPECIFIED, IPV6_LOOPBACK]
        self._core.serve(endpoints_4, endpoints_6, self._ipv4.no_strangers, own_6)

    def _fits(self, ip: Ipv4 | Ipv6, header: int) -> bool:
        """Does each reply fit a packet? Otherwise the layers make fragments."""
        return header + udp.HEADER + self._reply_size <= ip.path_mtus.link_mtu

    def _endpoints(self, local: list[Address]) -> list[bytes]:
        """Address and port of what is served at the addresses `local`."""
        return [
            address + port.to_bytes(2)
            for where, port in self._udp.responders
            for address in local
            if len(address) == len(where) and (is_unspecified(where) or address == where)
        ]


def express_batches(
    mac: bytes, udp_sockets: Udp, ip4: Ipv4, ip6: Ipv6 | None, slots: Slots, respond: Callable[[int], None]
) -> ExpressBatches | None:
    """The express way for batches; None where it is not compiled, as `Express` is quicker then."""
    if not is_compiled(CORE_MODULE):
        return None
    core: ExpressCore = importlib.import_module(CORE_MODULE).ExpressCore(mac, slots)
    return ExpressBatches(core, udp_sockets, ip4, ip6, len(slots.replies) // slots.size, respond)
