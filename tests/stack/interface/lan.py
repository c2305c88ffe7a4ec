"""Hosts of ours on a link in memory, in made-up time; and a stranger who says whatever a test wants."""

import random
from typing import Any

from dns_platform.memory import link
from stack.address import Endpoint, multicast_mac, parse
from stack.interface.interface import Interface
from stack.interface.settings import Settings
from stack.wire import arp, ethernet, icmp, icmpv6, ipv4, ipv6, ndp, udp
from stack.wire.arp import Operation
from stack.wire.ethernet import EtherType, Frame
from tests.support.station import static

OUR_MAC, STRANGER_MAC = bytes.fromhex("020000000001"), bytes.fromhex("020000000002")
US, STRANGER, ROUTER = parse("192.0.2.1"), parse("192.0.2.2"), parse("192.0.2.254")
US_6, STRANGER_6 = parse("2001:db8::1"), parse("2001:db8::2")
STRANGER_LINK = parse("fe80::ff:fe00:2")
SETTINGS = Settings(
    ipv4=static("192.0.2.1/24"), ipv4_gateway=ROUTER, ipv6=static("2001:db8::1/64"), ipv6_gateway=STRANGER_LINK
)
ONLY_4 = Settings(ipv4=static("192.0.2.1/24"), ipv4_gateway=ROUTER, ipv6_enabled=False)


class SeededEntropy:
    """Random octets that are the same each time."""

    def __init__(self, seed: int = 1) -> None:
        self._random = random.Random(seed)

    def random(self, count: int) -> bytes:
        return self._random.randbytes(count)


class Host:
    """Our interface, and a stranger's plug on the same link."""

    def __init__(self, settings: Settings = SETTINGS, seed: int = 1) -> None:
        self.now = 1000.0
        self.device, self.stranger = link()
        self.interface = Interface(OUR_MAC, 1500, settings, SeededEntropy(seed), self.now)

    def turn(self) -> None:
        """What the loop does once."""
        self.interface.receive(self.device.receive(10000), self.now)
        self.device.transmit(self.interface.transmit(self.now))

    def run(self, seconds: float) -> list[Frame]:
        """Turns at the times that the interface asks for; what it sent."""
        until = self.now + seconds
        for _ in range(100000):
            self.turn()
            at = self.interface.poll_at()
            if at is None or at >= until:
                break
            self.now = max(self.now, at)
        else:
            raise AssertionError("the interface asks for turns without end")
        self.now = until
        return self.heard()

    def heard(self) -> list[Frame]:
        """Frames that have come to the stranger."""
        return [ethernet.parse(memoryview(frame)) for frame in self.stranger.receive(100000)]

    def settle(self) -> None:
        """Let the addresses be claimed, and forget what was sent for it."""
        self.run(30)

    def say(self, *frames: bytes, turn: bool = True) -> list[Frame]:
        """The stranger sends `frames`; what comes back."""
        self.stranger.transmit(frames)
        if turn:
            self.turn()
        return self.heard()

    def count(self, layer: str, reason: str) -> int:
        """A counter."""
        return self.interface.counters.value(layer, reason)

    def know_stranger(self) -> None:
        """Settle, and know where the stranger is."""
        self.settle()
        self.introduce()

    def introduce(self) -> None:
        """The stranger says where it is, in both families."""
        self.say(arp_packet(Operation.REQUEST, STRANGER_MAC, STRANGER, US))
        if self.interface.ipv6 is not None:
            body = ndp.NeighbourSolicitation(US_6, ndp.Options(source_mac=STRANGER_MAC))
            self.say(discovery(body, STRANGER_6, US_6))


def arp_packet(
    operation: Operation, sender_mac: bytes, sender: bytes, target: bytes, target_mac: bytes = bytes(6)
) -> bytes:
    """A frame with an ARP packet to everyone."""
    packet = arp.emit(arp.Packet(operation, sender_mac, sender, target_mac, target))
    return ethernet.emit(Frame(b"\xff" * 6, sender_mac, EtherType.ARP, packet))


def discovery(body: ndp.Body, source: bytes, destination: bytes, hop_limit: int = 255) -> bytes:
    """A frame with a message of neighbour discovery from the stranger."""
    message = icmpv6.emit(ndp.emit(body), source, destination)
    mac = multicast_mac(destination) if destination[0] == 0xFF else OUR_MAC
    packet = ipv6.emit(ipv6.Packet(source, destination, 58, message, hop_limit))
    return ethernet.emit(Frame(mac, STRANGER_MAC, EtherType.IPV6, packet))


def ip4(
    protocol: int,
    payload: bytes,
    source: bytes = STRANGER,
    destination: bytes = US,
    **fields: Any,  # noqa: ANN401 - each field has its own type
) -> bytes:
    """A frame with an IPv4 packet from the stranger."""
    packet = ipv4.Packet(source, destination, protocol, payload, **fields)
    return ethernet.emit(Frame(OUR_MAC, STRANGER_MAC, EtherType.IPV4, ipv4.emit(packet)))


def ip6(protocol: int, payload: bytes, source: bytes = STRANGER_6, destination: bytes = US_6) -> bytes:
    """A frame with an IPv6 packet from the stranger."""
    packet = ipv6.emit(ipv6.Packet(source, destination, protocol, payload))
    return ethernet.emit(Frame(OUR_MAC, STRANGER_MAC, EtherType.IPV6, packet))


def datagram(payload: bytes, port: int = 53, source: bytes = STRANGER, destination: bytes = US) -> bytes:
    """A UDP payload for IP, from port 4321."""
    return udp.emit(udp.Datagram(4321, port, payload), source, destination)


def echo_server(host: Host, port: int = 53) -> None:
    """Answer each datagram to `port` with itself."""

    def answer(payload: bytes, source: Endpoint, destination: Endpoint) -> None:
        sockets[len(source.address)].send(payload, source, host.now, destination.address)

    sockets = {size: host.interface.udp.bind(Endpoint(bytes(size), port), answer) for size in (4, 16)}


def payloads(frames: list[Frame]) -> list[bytes]:
    """Payloads of the UDP datagrams in `frames`."""
    found = []
    for frame in frames:
        view = memoryview(frame.payload)
        if frame.ether_type == EtherType.IPV4 and view[9] == 17:
            packet = ipv4.parse(view)
            found.append(bytes(udp.parse(memoryview(packet.payload), packet.source, packet.destination).payload))
        elif frame.ether_type == EtherType.IPV6 and view[6] == 17:
            packet6 = ipv6.parse(view)
            found.append(bytes(udp.parse(memoryview(packet6.payload), packet6.source, packet6.destination).payload))
    return found


def errors(frames: list[Frame]) -> list[tuple[int, int, int]]:
    """(type, code, rest) of the ICMP and ICMPv6 messages in `frames` that are no neighbour discovery."""
    found = []
    for frame in frames:
        view = memoryview(frame.payload)
        if frame.ether_type == EtherType.IPV4 and view[9] == 1:
            message = icmp.parse(memoryview(ipv4.parse(view).payload))
            found.append((message.type, message.code, message.rest))
        elif frame.ether_type == EtherType.IPV6 and view[6] == 58:
            packet = ipv6.parse(view)
            message6 = icmpv6.parse(memoryview(packet.payload), packet.source, packet.destination)
            if message6.type < 133:
                found.append((message6.type, message6.code, message6.rest))
    return found


def arps(frames: list[Frame]) -> list[arp.Packet]:
    """ARP packets in `frames`."""
    return [arp.parse(memoryview(frame.payload)) for frame in frames if frame.ether_type == EtherType.ARP]


def bodies(frames: list[Frame], kind: type[ndp.Body]) -> list[tuple[ipv6.Packet, ndp.Body]]:
    """Packets and messages of neighbour discovery of `kind` in `frames`."""
    found = []
    for frame in frames:
        view = memoryview(frame.payload)
        if frame.ether_type == EtherType.IPV6 and view[6] == 58:
            packet = ipv6.parse(view)
            message = icmpv6.parse(memoryview(packet.payload), packet.source, packet.destination)
            if 133 <= message.type <= 136:
                body = ndp.parse(message)
                if isinstance(body, kind):
                    found.append((packet, body))
    return found
