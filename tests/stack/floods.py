"""Frames of attackers, without end: each flood aims at one resource of the stack."""

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

from stack.address import Address, multicast_mac, parse, solicited_node
from stack.tcp import options, segment
from stack.tcp.segment import ACK, FIN, RST, SYN
from stack.wire import arp, ethernet, icmp, icmpv6, ipv4, ipv6, ipv6_extension, ndp, udp
from stack.wire.arp import Operation
from stack.wire.checksum import pseudo_header
from stack.wire.ethernet import EtherType, Frame
from stack.wire.ipv6_extension import Fragment

TCP: Final = 6
DNS: Final = 53
_EVERYONE: Final = b"\xff" * 6
_ALL_NODES: Final = parse("ff02::1")


@dataclass(frozen=True)
class Aim:
    """Whom the attacker means: a host at `address` and `address_6`, and a connection of `client` to its port 53."""

    mac: bytes
    address: Address
    address_6: Address
    client: Address
    client_port: int


Flood = Callable[[Aim, random.Random], Iterator[bytes]]


def _mac(chance: random.Random) -> bytes:
    return b"\x02" + chance.randbytes(5)


def _neighbour(aim: Aim, chance: random.Random) -> Address:
    """An address on the link that is neither the host's nor the client's."""
    while (address := aim.address[:3] + bytes((chance.randrange(1, 255),))) in (aim.address, aim.client):
        pass
    return address


def _stranger(aim: Aim, chance: random.Random) -> Address:
    """Any address, half of them on the link."""
    return _neighbour(aim, chance) if chance.random() < 0.5 else bytes((198, 18)) + chance.randbytes(2)


def _stranger_6(aim: Aim, chance: random.Random) -> Address:
    return aim.address_6[:8] + b"\x99" + chance.randbytes(7)


def _packet(aim: Aim, chance: random.Random, source: Address, protocol: int, payload: bytes) -> bytes:
    """A frame with a packet of the family of `source`."""
    if len(source) == 4:
        body = ipv4.emit(ipv4.Packet(source, aim.address, protocol, payload))
        return ethernet.emit(Frame(aim.mac, _mac(chance), EtherType.IPV4, body))
    body = ipv6.emit(ipv6.Packet(source, aim.address_6, protocol, payload))
    return ethernet.emit(Frame(aim.mac, _mac(chance), EtherType.IPV6, body))


def _segment(aim: Aim, chance: random.Random, source: Address, port: int, flags: int, payload: bytes = b"") -> bytes:
    carried = options.Options(mss=1460) if flags == SYN else options.NONE
    made = segment.Segment(
        port, DNS, chance.getrandbits(32), chance.getrandbits(32) if flags & ACK else 0, flags, 1024, carried, payload
    )
    destination = aim.address if len(source) == 4 else aim.address_6
    return _packet(aim, chance, source, TCP, segment.emit(made, pseudo_header(source, destination, TCP, 0)))


def syns(aim: Aim, chance: random.Random) -> Iterator[bytes]:
    """Connections that are begun from everywhere and never go on (RFC 4987)."""
    while True:
        for source in (_stranger(aim, chance), _stranger_6(aim, chance)):
            yield _segment(aim, chance, source, chance.randrange(1024, 65536), SYN)


def out_of_window(aim: Aim, chance: random.Random) -> Iterator[bytes]:
    """Guesses at the client's connection, and segments to connections that are not there."""
    while True:
        for flags in (ACK, ACK | FIN):
            yield _segment(aim, chance, aim.client, aim.client_port, flags, bytes(chance.randrange(1200)))
            yield _segment(aim, chance, _stranger(aim, chance), chance.randrange(1024, 65536), flags, bytes(100))


def resets(aim: Aim, chance: random.Random) -> Iterator[bytes]:
    """Guesses that would end the client's connection (RFC 5961)."""
    while True:
        for flags in (RST, RST | ACK, SYN):
            yield _segment(aim, chance, aim.client, aim.client_port, flags)


def icmp_errors(aim: Aim, chance: random.Random) -> Iterator[bytes]:
    """Errors about what the host is said to have sent (RFC 5927): unreachable, and paths that carry little."""
    while True:
        quoted_segment = DNS.to_bytes(2) + aim.client_port.to_bytes(2) + chance.randbytes(16)
        quoted_datagram = udp.emit(udp.Datagram(DNS, aim.client_port, bytes(512)), aim.address, aim.client)
        for protocol, body in ((TCP, quoted_segment), (17, quoted_datagram)):
            quoted = ipv4.emit(ipv4.Packet(aim.address, aim.client, protocol, body))[:28]
            for code, rest in ((1, 0), (2, 0), (3, 0), (4, chance.randrange(1500))):
                message = icmp.emit(icmp.Message(icmp.Type.DESTINATION_UNREACHABLE, code, rest, quoted))
                yield _packet(aim, chance, _stranger(aim, chance), 1, message)


def fragments(aim: Aim, chance: random.Random) -> Iterator[bytes]:
    """Packets that are never whole, and some that overlap themselves (RFC 5722)."""
    while True:
        offset = chance.randrange(0, 60000, 8)
        body = chance.randbytes(chance.randrange(1, 170) * 8)
        four = ipv4.Packet(
            _stranger(aim, chance),
            aim.address,
            17,
            body,
            identification=chance.getrandbits(16),
            more_fragments=True,
            offset=offset,
        )
        yield ethernet.emit(Frame(aim.mac, _mac(chance), EtherType.IPV4, ipv4.emit(four)))
        source, number = _stranger_6(aim, chance), chance.getrandbits(32)
        for place in (offset, offset, max(0, offset - 8)):
            piece = ipv6_extension.emit_fragment(Fragment(17, place, True, number), body)
            yield _packet(aim, chance, source, 44, piece)


def arp_packets(aim: Aim, chance: random.Random) -> Iterator[bytes]:
    """Questions from neighbours that are none, and answers that nobody asked for, some in the client's name."""
    while True:
        mac, sender = _mac(chance), _neighbour(aim, chance)
        for operation, who in ((Operation.REQUEST, sender), (Operation.REPLY, sender), (Operation.REPLY, aim.client)):
            packet = arp.emit(arp.Packet(operation, mac, who, aim.address, aim.mac))
            yield ethernet.emit(Frame(_EVERYONE, mac, EtherType.ARP, packet))


def discovery(aim: Aim, chance: random.Random) -> Iterator[bytes]:
    """Solicitations and advertisements of neighbours and routers that are none."""
    while True:
        mac, sender = _mac(chance), _stranger_6(aim, chance)
        router = parse("fe80::")[:8] + chance.randbytes(8)
        prefix = ndp.Prefix(b"\x20\x01\x0d\xb8" + chance.randbytes(4) + bytes(8), 64, True, True, 9000, 9000)
        told = ndp.Options(source_mac=mac, prefixes=(prefix,))
        bodies: tuple[tuple[Address, Address, ndp.Body], ...] = (
            (sender, solicited_node(aim.address_6), ndp.NeighbourSolicitation(aim.address_6, ndp.Options(mac))),
            (sender, aim.address_6, ndp.NeighbourAdvertisement(sender, False, True, True, ndp.Options(None, mac))),
            (router, _ALL_NODES, ndp.RouterAdvertisement(64, 1800, 0, 0, told)),
        )
        for source, destination, body in bodies:
            message = icmpv6.emit(ndp.emit(body), source, destination)
            packet = ipv6.emit(ipv6.Packet(source, destination, 58, message, 255))
            to = multicast_mac(destination) if destination[0] == 0xFF else aim.mac
            yield ethernet.emit(Frame(to, mac, EtherType.IPV6, packet))


FLOODS: Final[dict[str, Flood]] = {
    "SYN": syns,
    "out of window": out_of_window,
    "RST": resets,
    "ICMP errors": icmp_errors,
    "fragments": fragments,
    "ARP": arp_packets,
    "neighbour discovery": discovery,
}
