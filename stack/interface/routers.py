"""Routers and what they advertise: default routes, prefixes, and addresses made from them.

Read first: RFC 4861 6.3, RFC 4862 5.5, RFC 5942 (on-link prefixes).
"""

from typing import Protocol

from stack.address import (
    ALL_ROUTERS,
    LINK_LOCAL_PREFIX,
    Address,
    Network,
    interface_identifier,
    is_link_local,
    is_multicast,
    network,
    text,
)
from stack.counters import Counters
from stack.draw import Draw
from stack.interface.addresses import Addresses
from stack.interface.limits import Limits
from stack.interface.ndp import Ndp
from stack.interface.notices import Notices
from stack.interface.path_mtu import PathMtus
from stack.interface.routing import FOREVER, Routes
from stack.interface.timer import Alarm
from stack.wire import ipv6, ndp
from stack.wire.ipv6 import Packet
from stack.wire.ndp import Options, Prefix, RouterAdvertisement, RouterSolicitation

# RFC 4861 10
MAX_DELAY_S = 1.0
SOLICITATION_INTERVAL_S = 4.0
MAX_SOLICITATIONS = 3

TWO_HOURS_S = 7200.0
INFINITE_S = 0xFFFFFFFF
MINIMUM_HOP_LIMIT = 64
"""Deviation: RFC 4861 6.3.4 takes any; a lower one would let a neighbour cut us off from far hosts."""


class Owner(Protocol):
    """What router discovery asks of IPv6."""

    addresses: Addresses
    routes: Routes
    path_mtus: PathMtus
    hop_limit: int

    @property
    def link_local(self) -> Address:
        """Our link-local address."""
        ...


class Routers:
    """Router discovery on one interface with address `mac`."""

    def __init__(
        self,
        mac: bytes,
        mtu: int,
        limits: Limits,
        counters: Counters,
        draw: Draw,
        notices: Notices,
        discovery: Ndp,
        owner: Owner,
        *,
        optimistic: bool,
    ) -> None:
        self._mac = mac
        self._mtu = mtu
        self._limits = limits
        self._counters = counters
        self._draw = draw
        self._notices = notices
        self._discovery = discovery
        self._neighbours = discovery.neighbours
        self._owner = owner
        self._optimistic = optimistic
        self._solicit_at = Alarm()
        self._solicitations = 0

    def start(self, now: float) -> None:
        """Ask for advertisements, after a random delay (RFC 4861 6.3.7)."""
        self._solicitations = 0
        self._solicit_at.by(now + self._draw.uniform(0, MAX_DELAY_S))

    def advertised(self, packet: Packet, body: RouterAdvertisement, now: float) -> None:
        """Take an advertisement (RFC 4861 6.1.2, 6.3.4)."""
        router = packet.source
        if not is_link_local(router):
            self._counters.add(ndp.LAYER, "advertisement of no router")
            return
        self._solicit_at.at = None
        self._router(router, body.lifetime_s, now)
        if body.options.source_mac is not None:
            self._neighbours.learn(router, body.options.source_mac, now)
        if body.hop_limit >= MINIMUM_HOP_LIMIT:
            self._owner.hop_limit = body.hop_limit
        if body.reachable_ms:
            # RFC 4861 6.3.4: spread from half to one and a half; an hour at most
            self._neighbours.reachable_s = min(body.reachable_ms / 1000, 3600.0) * self._draw.uniform(0.5, 1.5)
        if body.retransmit_ms:
            self._neighbours.retransmit_s = min(max(body.retransmit_ms / 1000, 0.1), 10.0)
        mtu = body.options.mtu
        if mtu is not None and ipv6.MINIMUM_MTU <= mtu <= self._mtu:
            self._owner.path_mtus.link_mtu = mtu
        for prefix in body.options.prefixes:
            self._prefix(prefix, now)

    def poll_at(self) -> float | None:
        """When `poll` has something to do."""
        return self._solicit_at.at

    def poll(self, now: float) -> None:
        """Ask for advertisements when it is time."""
        if not self._solicit_at.is_due(now):
            return
        source = self._owner.link_local
        if self._owner.addresses.is_local(source):
            # RFC 4861 4.1, RFC 4429 3.2: our MAC only when the address is certainly ours
            settled = self._owner.addresses.is_settled(source)
            options = Options(source_mac=self._mac if settled else None)
            self._discovery.send_to_group(source, ALL_ROUTERS, RouterSolicitation(options))
            self._solicitations += 1
        if self._solicitations < MAX_SOLICITATIONS:
            self._solicit_at.by(now + SOLICITATION_INTERVAL_S)

    def _router(self, router: Address, lifetime_s: int, now: float) -> None:
        routers = self._owner.routes.routers
        if routers.get(router) == FOREVER:
            return  # an operator wrote it down
        if lifetime_s == 0:
            if routers.pop(router, None) is not None:
                self._notices.add("router left", text(router))
        elif router in routers or len(routers) < self._limits.routers:
            if router not in routers:
                self._notices.add("router found", text(router))
            routers[router] = now + lifetime_s
        else:
            self._counters.add(ndp.LAYER, "too many routers")

    def _prefix(self, prefix: Prefix, now: float) -> None:
        if is_link_local(prefix.prefix) or is_multicast(prefix.prefix):
            self._counters.add(ndp.LAYER, "prefix that is no prefix")
            return
        place = network(prefix.prefix, prefix.length)
        if prefix.on_link:
            self._on_link(place, prefix, now)
        if prefix.autonomous:
            self._autoconfigure(place, prefix, now)

    def _on_link(self, place: Network, prefix: Prefix, now: float) -> None:
        """RFC 4861 6.3.4."""
        on_link = self._owner.routes.on_link
        if on_link.get(place) == FOREVER:
            return
        if prefix.valid_s == 0:
            on_link.pop(place, None)
        elif place in on_link or len(on_link) < self._limits.prefixes:
            on_link[place] = _until(prefix.valid_s, now)
        else:
            self._counters.add(ndp.LAYER, "too many prefixes")

    def _autoconfigure(self, place: Network, prefix: Prefix, now: float) -> None:
        """RFC 4862 5.5.3."""
        if prefix.preferred_s > prefix.valid_s:
            self._counters.add(ndp.LAYER, "preferred longer than valid")  # (c)
            return
        if place.length != 64:
            self._counters.add(ndp.LAYER, "prefix of another length than 64")  # (d): the sum must be 128
            return
        address = place.prefix[:8] + interface_identifier(self._mac)
        valid, preferred = _until(prefix.valid_s, now), _until(prefix.preferred_s, now)
        addresses = self._owner.addresses
        entry = addresses.get(address)
        if entry is None:
            if prefix.valid_s and not addresses.add(
                address, now, optimistic=self._optimistic, valid_until=valid, preferred_until=preferred
            ):
                self._counters.add(ndp.LAYER, "too many addresses")
            return
        if entry.kept:
            return
        # (e): a forged advertisement can't make an address expire within two hours
        remaining = entry.valid_until - now
        if prefix.valid_s <= TWO_HOURS_S and valid <= entry.valid_until:
            valid = entry.valid_until if remaining <= TWO_HOURS_S else now + TWO_HOURS_S
        addresses.extend(address, valid, preferred, now)


def link_local_address(mac: bytes) -> Address:
    """The link-local address of `mac` (RFC 4862 5.3)."""
    return LINK_LOCAL_PREFIX + interface_identifier(mac)


def _until(lifetime_s: int, now: float) -> float:
    return FOREVER if lifetime_s == INFINITE_S else now + lifetime_s
