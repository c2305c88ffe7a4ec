"""A network interface without I/O: frames in, frames out, and when it next wants to run.

    interface.receive(device.receive(), now)
    device.transmit(interface.transmit(now))
    poll(interface.poll_at())

A loop that turns often calls `transmit` only when `turn` says so. `now` is monotonic seconds and never goes
back. Sockets call back during `receive` and `transmit`.
"""

from collections import deque
from collections.abc import Callable, Sequence
from typing import Protocol

from dns_platform.protocols import Entropy, Octets
from stack.address import Address
from stack.counters import Counters
from stack.draw import Draw
from stack.interface.express import Express
from stack.interface.express_batches import ExpressBatches, Slots, express_batches
from stack.interface.ipv4 import Ipv4
from stack.interface.ipv6 import Ipv6
from stack.interface.notices import Notices
from stack.interface.output import Output
from stack.interface.routing import FOREVER
from stack.interface.settings import Settings
from stack.interface.timer import earliest
from stack.interface.udp import Udp
from stack.interface.upper import Upper
from stack.transport import Tcp
from stack.wire import ethernet, ipv6
from stack.wire.error import WireError
from stack.wire.ethernet import EtherType
from stack.wire.ipv4 import Protocol as ProtocolNumber

AT_ONCE = float("-inf")
"""What `poll_at` answers when there is something to do already."""


class Agent(Protocol):
    """Something that lives on the interface and has timers: a DHCP client, a resolver."""

    def poll_at(self) -> float | None:
        """When `poll` has something to do."""
        ...

    def poll(self, now: float) -> None:
        """Run the timers that are due; may send."""
        ...

    def slept(self, seconds: float) -> None:
        """The machine did not run for so long, which its monotonic clock does not know."""
        ...


class Interface:
    """One interface with address `mac` on a link of `mtu`, set up by `settings` from `now` on.

    The attribute `now` is the time of the last `receive`, `transmit` or `turn`, for what is called back.
    """

    def __init__(self, mac: bytes, mtu: int, settings: Settings, entropy: Entropy, now: float) -> None:
        self.mac = mac
        self.mtu = mtu
        self.settings = settings
        self.counters = Counters()
        self.notices = Notices()
        self.draw = Draw(entropy)
        limits = settings.limits
        self.now = now
        self._output = Output(mac, limits.output_frames, self.counters)
        self._looped: deque[bytes] = deque()
        self._agents: list[Agent] = []
        self.udp = Udp(self, limits.udp_sockets, self.counters, self.draw)
        self._upper = Upper(self.udp)
        self.ipv4 = Ipv4(self._output, mtu, self._upper, limits, self.counters, self.draw, self.notices, self._loop)
        for static in settings.ipv4:
            self.ipv4.assign(static.address, static.network, now, optimistic=settings.optimistic, kept=True)
        if settings.ipv4_gateway is not None:
            self.ipv4.routes.routers[settings.ipv4_gateway] = FOREVER
        self.ipv6 = (
            Ipv6(
                self._output,
                mtu,
                self._upper,
                settings,
                self.counters,
                self.draw,
                self.notices,
                self._loop,
                now,
            )
            if settings.ipv6_enabled and mtu >= ipv6.MINIMUM_MTU
            else None
        )

        self.express = Express(mac, self.udp, self.ipv4, self.ipv6)
        self.batches: ExpressBatches | None = None
        self._replies: Sequence[Octets] = ()

    def serve_batches(self, slots: Slots, respond: Callable[[int], None]) -> bool:
        """Answer the plain requests to all ports of `Udp.serve` in batches; False where that is not compiled.

        `respond(count)` fills the slots of replies to the first `count` slots of requests, with the same replies that
        the responders of the ports have.
        """
        self.batches = express_batches(self.mac, self.udp, self.ipv4, self.ipv6, slots, respond)
        return self.batches is not None

    def attach_tcp(self, tcp: Tcp) -> None:
        """Let `tcp` have the TCP segments."""
        self._upper.tcp = tcp

    def attach(self, agent: Agent) -> None:
        """Run the timers of `agent`."""
        self._agents.append(agent)

    def detach(self, agent: Agent) -> None:
        """No longer run the timers of `agent`."""
        self._agents.remove(agent)

    def slept(self, seconds: float, now: float) -> None:
        """The machine did not run for so long, which its monotonic clock does not know: what others granted went on.

        Leases, addresses and routes that ended meanwhile are given up, and asked for again.
        """
        if self.ipv6 is not None:
            self.ipv6.slept(seconds, now)
        for agent in self._agents:
            agent.slept(seconds)

    # What transports ask

    def is_local(self, address: Address) -> bool:
        """Is it a valid unicast address of ours?"""
        ip = self._ip(address)
        return ip is not None and ip.is_local(address)

    def source_for(self, destination: Address) -> Address | None:
        """The address of ours that packets to `destination` carry; None when there is no route or no address."""
        ip = self._ip(destination)
        return ip.source_for(destination) if ip is not None else None

    def mtu_for(self, destination: Address) -> int:
        """Largest IP packet, header included, that the path to `destination` is known to carry."""
        ip = self._ip(destination)
        return ip.path_mtus.get(destination, self.now) if ip is not None else self.mtu

    def send(self, source: Address, destination: Address, protocol: int, payload: Octets, now: float) -> None:
        """Send a packet, in fragments where it does not fit."""
        ip = self._ip(destination)
        if ip is None:
            self.counters.add(ipv6.LAYER, "not enabled")
        else:
            ip.send(source, destination, protocol, payload, now)

    def _send_whole(
        self, source: Address, destination: Address, protocol: int, payloads: Sequence[bytes], now: float
    ) -> None:
        """Send packets that nobody may fragment."""
        ip = self._ip(destination)
        if ip is None:
            self.counters.add(ipv6.LAYER, "not enabled", len(payloads))
        else:
            ip.send_whole(source, destination, protocol, payloads, now)

    def confirm(self, destination: Address, now: float) -> None:
        """What is spoken to `destination` makes progress, so its next hop answers (RFC 4861 7.3.1)."""
        ip = self._ip(destination)
        hop = ip.routes.next_hop(destination) if ip is not None else None
        if ip is not None and hop is not None:
            ip.neighbours.confirm(hop, now)

    def _ip(self, address: Address) -> Ipv4 | Ipv6 | None:
        return self.ipv4 if len(address) == 4 else self.ipv6

    # Frames

    def receive(self, frames: Sequence[Octets], now: float) -> None:
        """Take frames that came in. Their memory may be used again afterwards."""
        self.now = now
        if self.batches is not None:
            if self._replies:
                self.put_back(self.take_replies())
            self._replies, frames = self.batches.reply(frames)
            if not frames:
                return
            self.batches.is_current = False  # what is served may be another thing after these
        reply_to = self.express.reply
        for frame in frames:
            reply = reply_to(frame)
            if reply is not None:
                if reply:
                    self._output.add(reply)
                continue
            try:
                self._receive(memoryview(frame), now)
            except WireError as error:
                self.counters.add(error.layer, error.reason)

    def take_replies(self) -> Sequence[Octets]:
        """The replies that `receive` made of whole batches, valid until the next `receive`.

        Who hands them to the device at once saves that each is copied; otherwise `transmit` has them.
        """
        replies, self._replies = self._replies, ()
        return replies

    def put_back(self, replies: Sequence[Octets]) -> None:
        """Queue `replies` for `transmit`: the device had no room for them."""
        if replies:
            self._output.extend([bytes(reply) for reply in replies])

    def transmit(self, now: float) -> list[Octets]:
        """Run all timers that are due; the frames to send, in order."""
        self._begin(now)
        self.put_back(self.take_replies())
        self._run_loop(now)
        self.ipv4.poll(now)
        if self.ipv6 is not None:
            self.ipv6.poll(now)
        for agent in list(self._agents):
            agent.poll(now)
        tcp = self._upper.tcp
        if tcp is not None:
            for source, destination, segments in tcp.transmit(now):
                self._send_whole(source, destination, ProtocolNumber.TCP, segments, now)
        return self._output.take()

    def turn(self, now: float) -> float | None:
        """It is `now`, and callbacks have run; `poll_at`."""
        self._begin(now)
        return self.poll_at()

    def _begin(self, now: float) -> None:
        self.now = now
        if self.batches is not None:
            self.batches.is_current = False

    def poll_at(self) -> float | None:
        """When `transmit` has something to do: None when only frames coming in matter."""
        if self._looped or self._replies or len(self._output):
            return AT_ONCE
        tcp = self._upper.tcp
        return earliest(
            self.ipv4.poll_at(),
            self.ipv6.poll_at() if self.ipv6 is not None else None,
            tcp.poll_at() if tcp is not None else None,
            *(agent.poll_at() for agent in self._agents),
        )

    def _receive(self, frame: memoryview, now: float) -> None:
        parsed = ethernet.parse(frame)
        payload = memoryview(parsed.payload)
        if parsed.destination != self.mac and not parsed.destination[0] & 1:
            raise WireError(ethernet.LAYER, "for another host")
        if parsed.source == self.mac:
            raise WireError(ethernet.LAYER, "our own frame")
        group = bool(parsed.destination[0] & 1)
        match parsed.ether_type:
            case EtherType.IPV4:
                self.ipv4.receive(payload, group, now)
            case EtherType.IPV6 if self.ipv6 is not None:
                self.ipv6.receive(payload, group, now)
            case EtherType.ARP:
                self.ipv4.arp.receive(payload, now)
            case _:
                raise WireError(ethernet.LAYER, "unknown ether type")

    def _loop(self, packet: bytes) -> None:
        """Take a packet to ourselves, for the next turn."""
        if len(self._looped) >= self.settings.limits.looped_packets:
            self.counters.add("loop", "queue full")
            return
        self._looped.append(packet)

    def _run_loop(self, now: float) -> None:
        for _ in range(len(self._looped)):
            packet = self._looped.popleft()
            try:
                if packet[0] >> 4 == 4:
                    self.ipv4.receive(memoryview(packet), False, now, looped=True)
                elif self.ipv6 is not None:
                    self.ipv6.receive(memoryview(packet), False, now, looped=True)
            except WireError as error:
                self.counters.add(error.layer, error.reason)
