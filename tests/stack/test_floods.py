"""Under each flood, datagrams from another address go on being answered at once, and nothing outgrows its bound."""

import random

import pytest

from stack.address import Endpoint, parse
from stack.interface.limits import Limits
from stack.tcp import options, segment
from stack.tcp.engine import Engine
from stack.tcp.segment import ACK, RST, SYN, Segment
from stack.tcp.state import State
from stack.wire import arp, ethernet, icmpv6, ipv4, ipv6, ndp
from stack.wire.arp import Operation
from stack.wire.checksum import pseudo_header
from stack.wire.ethernet import EtherType, Frame
from tests.stack.floods import DNS, FLOODS, TCP, Aim
from tests.stack.interface.lan import OUR_MAC, US, US_6, Host, arps, bodies, datagram, echo_server, payloads

CLIENT, CLIENT_6 = parse("192.0.2.9"), parse("2001:db8::9")
CLIENT_MAC = bytes.fromhex("020000000009")
CLIENT_PORT = 4321
LAYERED = 7
"""A port whose answers go through all layers; those of port 53 take the express way."""
MILLISECONDS = 400
FRAMES = 40  # in each of them


class Scene:
    """Our host with a client on the link that behaves, and an attacker."""

    def __init__(self) -> None:
        self.host = Host()
        interface = self.host.interface
        self.tcp = Engine(interface, random.Random(1).randbytes(32), interface.counters)
        interface.attach_tcp(self.tcp)
        for size in (4, 16):
            interface.udp.serve(Endpoint(bytes(size), DNS), lambda request, _source: request[::-1])
            self.tcp.listen(Endpoint(bytes(size), DNS))
        echo_server(self.host, LAYERED)
        self.host.settle()
        self.aim = Aim(OUR_MAC, US, US_6, CLIENT, CLIENT_PORT)

    def from_client(self, protocol: int, payload: bytes, *, six: bool = False) -> bytes:
        if six:
            packet = ipv6.emit(ipv6.Packet(CLIENT_6, US_6, protocol, payload))
            return ethernet.emit(Frame(OUR_MAC, CLIENT_MAC, EtherType.IPV6, packet))
        packet = ipv4.emit(ipv4.Packet(CLIENT, US, protocol, payload))
        return ethernet.emit(Frame(OUR_MAC, CLIENT_MAC, EtherType.IPV4, packet))

    def exchange(self, frames: list[bytes]) -> list[Frame]:
        """What is answered to `frames`; the client tells its MAC whoever asks for it."""
        heard = self.host.say(*frames)
        for question in arps(heard):
            if question.target == CLIENT:
                packet = arp.emit(arp.Packet(Operation.REPLY, CLIENT_MAC, CLIENT, US, OUR_MAC))
                heard += self.host.say(ethernet.emit(Frame(OUR_MAC, CLIENT_MAC, EtherType.ARP, packet)))
        for _, body in bodies(heard, ndp.NeighbourSolicitation):
            assert isinstance(body, ndp.NeighbourSolicitation)
            if body.target == CLIENT_6:
                told = ndp.NeighbourAdvertisement(CLIENT_6, False, True, True, ndp.Options(target_mac=CLIENT_MAC))
                heard += self.host.say(self._discovered(told))
        return heard

    def _discovered(self, body: ndp.Body) -> bytes:
        message = icmpv6.emit(ndp.emit(body), CLIENT_6, US_6)
        packet = ipv6.emit(ipv6.Packet(CLIENT_6, US_6, 58, message, 255))
        return ethernet.emit(Frame(OUR_MAC, CLIENT_MAC, EtherType.IPV6, packet))

    def segment(self, flags: int, sequence: int, acknowledgment: int, payload: bytes = b"") -> list[Segment]:
        """The client sends a segment of its connection; the segments that come back to it."""
        carried = options.Options(mss=1460) if flags & SYN else options.NONE
        made = segment.Segment(CLIENT_PORT, DNS, sequence, acknowledgment, flags, 65535, carried, payload)
        wire = segment.emit(made, pseudo_header(CLIENT, US, TCP, 0))
        found = []
        for frame in self.exchange([self.from_client(TCP, wire)]):
            if frame.ether_type == EtherType.IPV4 and frame.payload[9] == TCP:
                packet = ipv4.parse(memoryview(frame.payload))
                if packet.destination == CLIENT:
                    body = memoryview(packet.payload)
                    parsed = segment.parse(body, pseudo_header(US, CLIENT, TCP, len(body)))
                    if parsed.destination_port == CLIENT_PORT:
                        found.append(parsed)
        return found

    def check_bounds(self) -> None:
        interface, limits = self.host.interface, Limits()
        assert interface.ipv6 is not None
        for ip in (interface.ipv4, interface.ipv6):
            assert len(ip.reassembler) <= limits.reassemblies
            assert ip.reassembler.octets <= limits.reassembly_octets
        for neighbours in (interface.ipv4.arp.neighbours, interface.ipv6.ndp.neighbours):
            assert len(neighbours) <= limits.neighbours + limits.unresolved
        assert len([*interface.ipv6.addresses]) <= limits.addresses
        assert len(interface.ipv6.routes.routers) <= limits.routers + 1
        population, tcp_limits = self.tcp.commons.population, self.tcp.commons.limits
        assert population[State.SYN_RECEIVED] <= tcp_limits.half_open
        assert self.tcp.commons.buffered <= tcp_limits.buffered
        assert len(interface.transmit(self.host.now)) <= limits.output_frames


@pytest.mark.parametrize("name", FLOODS)
def test_answers_go_on_under_a_flood_of(name: str) -> None:
    scene = Scene()
    (synchronized,) = scene.segment(SYN, 1000, 0)
    scene.segment(ACK, 1001, synchronized.sequence + 1)
    flood = FLOODS[name](scene.aim, random.Random(2))
    for step in range(MILLISECONDS):
        scene.host.now += 0.001
        scene.host.say(*(next(flood) for _ in range(FRAMES)))
        question = step.to_bytes(4) + b"question"
        queries = [
            scene.from_client(17, datagram(question, port, source, destination), six=six)
            for port in (DNS, LAYERED)
            for six, source, destination in ((False, CLIENT, US), (True, CLIENT_6, US_6))
        ]
        answers = payloads(scene.exchange(queries))
        assert answers.count(question[::-1]) == 2, step
        assert answers.count(question) == 2, step
    scene.check_bounds()
    # The client's connection is still there, and takes what comes next.
    answers_to_data = scene.segment(ACK, 1001, synchronized.sequence + 1, b"query")
    scene.host.now += 0.1
    answers_to_data += scene.segment(ACK, 1006, synchronized.sequence + 1)
    assert not [answer for answer in answers_to_data if answer.flags & RST]
    assert [answer.acknowledgment for answer in answers_to_data][-1:] == [1006]
