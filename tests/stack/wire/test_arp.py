import pytest
from hypothesis import given
from hypothesis import strategies as st
from scapy.layers.l2 import ARP

from stack.address import parse
from stack.wire import arp
from stack.wire.arp import Operation, Packet
from stack.wire.error import WireError
from tests.stack.wire.strategies import ipv4, mac

packets = st.builds(Packet, st.sampled_from(Operation), mac, ipv4, mac, ipv4)
US, THEM = b"\x02\0\0\0\0\x01", b"\x02\0\0\0\0\x02"


def test_construct_as_scapy_does() -> None:
    ours = arp.emit(Packet(Operation.REPLY, US, parse("192.0.2.1"), THEM, parse("192.0.2.2")))
    theirs = ARP(op=2, hwsrc=US.hex(":"), psrc="192.0.2.1", hwdst=THEM.hex(":"), pdst="192.0.2.2")
    assert ours == bytes(theirs)


def test_deconstruct_with_padding() -> None:
    octets = bytes(ARP(op=1, hwsrc=US.hex(":"), psrc="192.0.2.1", hwdst="00:00:00:00:00:00", pdst="192.0.2.2"))
    packet = arp.parse(memoryview(octets + bytes(18)))
    assert packet == Packet(Operation.REQUEST, US, parse("192.0.2.1"), bytes(6), parse("192.0.2.2"))


@given(packets)
def test_parse_of_emit(packet: Packet) -> None:
    assert arp.parse(memoryview(arp.emit(packet))) == packet


@pytest.mark.parametrize("length", range(28))
def test_too_short(length: int) -> None:
    octets = arp.emit(Packet(Operation.REQUEST, US, bytes(4), THEM, bytes(4)))
    with pytest.raises(WireError, match="too short"):
        arp.parse(memoryview(octets[:length]))


@pytest.mark.parametrize(
    ("at", "reason"),
    [
        (0, "not Ethernet"),
        (2, "not Ethernet"),
        (4, "not Ethernet"),
        (5, "not Ethernet"),
        (6, "unknown operation"),
        (8, "sender is a group"),
    ],
)
def test_refused(at: int, reason: str) -> None:
    octets = bytearray(arp.emit(Packet(Operation.REQUEST, US, bytes(4), THEM, bytes(4))))
    octets[at] ^= 1
    with pytest.raises(WireError, match=reason):
        arp.parse(memoryview(octets))


@given(st.binary(max_size=40))
def test_any_octets_survive(data: bytes) -> None:
    try:
        packet = arp.parse(memoryview(data))
    except WireError:
        return
    assert arp.emit(packet) == data[:28]
