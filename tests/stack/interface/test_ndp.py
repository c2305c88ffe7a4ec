"""RFC 4861 and RFC 4862, rule by rule."""

import pytest

from stack.address import ALL_NODES, ALL_ROUTERS, IPV6_UNSPECIFIED, parse, solicited_node
from stack.interface.addresses import State as AddressState
from stack.interface.neighbours import State
from stack.interface.settings import Settings
from stack.wire import icmpv6, ipv6, ipv6_extension
from stack.wire.ndp import (
    NeighbourAdvertisement,
    NeighbourSolicitation,
    Options,
    Prefix,
    RouterAdvertisement,
    RouterSolicitation,
)
from tests.stack.interface.lan import (
    OUR_MAC,
    STRANGER_6,
    STRANGER_LINK,
    STRANGER_MAC,
    US_6,
    Host,
    bodies,
    datagram,
    discovery,
    echo_server,
    ip6,
    payloads,
)
from tests.support.station import static

OUR_LINK = parse("fe80::ff:fe00:1")
OTHER_MAC = bytes.fromhex("020000000003")
PREFIX = Prefix(parse("2001:db8:5::"), 64, True, True, 600, 300)
OURS_OF_PREFIX = parse("2001:db8:5::ff:fe00:1")
PATIENT = Settings(ipv6=static("2001:db8::1/64"), optimistic=False, accept_advertisements=False)
ADVERTISED = Settings()


def solicitation(target: bytes = US_6, mac: bytes | None = STRANGER_MAC) -> NeighbourSolicitation:
    return NeighbourSolicitation(target, Options(source_mac=mac))


def advertisement(
    *, mac: bytes | None = STRANGER_MAC, solicited: bool = True, override: bool = True
) -> NeighbourAdvertisement:
    return NeighbourAdvertisement(STRANGER_6, False, solicited, override, Options(target_mac=mac))


def router(*prefixes: Prefix, lifetime: int = 1800, mtu: int | None = None) -> RouterAdvertisement:
    return RouterAdvertisement(64, lifetime, 0, 0, Options(STRANGER_MAC, None, prefixes, mtu))


def state(host: Host) -> State | None:
    assert host.interface.ipv6 is not None
    return host.interface.ipv6.ndp.neighbours.state(STRANGER_6)


def mac(host: Host) -> bytes | None:
    assert host.interface.ipv6 is not None
    return host.interface.ipv6.ndp.neighbours.mac(STRANGER_6)


def address_state(host: Host, address: bytes) -> AddressState | None:
    assert host.interface.ipv6 is not None
    entry = host.interface.ipv6.addresses.get(address)
    return entry.state if entry else None


@pytest.fixture
def host() -> Host:
    made = Host()
    echo_server(made)
    made.settle()
    return made


def test_rfc_4861_section_7_2_4_a_solicitation_is_answered(host: Host) -> None:
    frames = host.say(discovery(solicitation(), STRANGER_6, solicited_node(US_6)))
    ((packet, body),) = bodies(frames, NeighbourAdvertisement)
    assert (packet.source, packet.destination, packet.hop_limit) == (US_6, STRANGER_6, 255)
    assert body == NeighbourAdvertisement(US_6, False, True, True, Options(target_mac=OUR_MAC))
    assert frames[0].destination == STRANGER_MAC
    assert state(host) is State.STALE


def test_a_solicitation_without_a_mac_is_answered_once_the_neighbour_is_found(host: Host) -> None:
    frames = host.say(discovery(solicitation(mac=None), STRANGER_6, US_6))
    assert [body for _, body in bodies(frames, NeighbourSolicitation)] == [
        NeighbourSolicitation(STRANGER_6, Options(source_mac=OUR_MAC))
    ]
    frames = host.say(discovery(advertisement(), STRANGER_6, US_6))
    assert len(bodies(frames, NeighbourAdvertisement)) == 1


def test_rfc_4861_section_7_1_1_from_beyond_the_link(host: Host) -> None:
    assert host.say(discovery(solicitation(), STRANGER_6, US_6, hop_limit=254)) == []
    assert host.count("ndp", "from beyond the link") == 1


def test_rfc_6980_not_in_fragments(host: Host) -> None:
    frame = discovery(solicitation(), STRANGER_6, US_6)
    packet = ipv6.parse(memoryview(frame)[14:])
    piece = ipv6_extension.emit_fragment(ipv6_extension.Fragment(58, 0, False, 7), packet.payload)
    assert host.say(frame[:14] + ipv6.emit(packet._replace(next_header=44, payload=piece))) == []
    assert host.count("ndp", "in fragments") == 1


def test_rfc_4861_section_7_2_5_states(host: Host) -> None:
    host.say(ip6(17, datagram(b"", source=STRANGER_6, destination=US_6)))
    assert state(host) is State.INCOMPLETE
    host.say(discovery(advertisement(mac=None), STRANGER_6, US_6))
    assert state(host) is State.INCOMPLETE
    host.say(discovery(advertisement(), STRANGER_6, US_6))
    assert state(host) is State.REACHABLE
    host.say(discovery(advertisement(mac=OTHER_MAC, override=False), STRANGER_6, US_6))
    assert (state(host), mac(host)) == (State.STALE, STRANGER_MAC)
    host.say(discovery(advertisement(), STRANGER_6, US_6))
    assert state(host) is State.REACHABLE
    host.say(discovery(advertisement(mac=OTHER_MAC, solicited=False), STRANGER_6, ALL_NODES))
    assert (state(host), mac(host)) == (State.STALE, OTHER_MAC)


def test_rfc_4861_section_7_1_2_solicited_advertisement_to_a_group(host: Host) -> None:
    host.say(ip6(17, datagram(b"", source=STRANGER_6, destination=US_6)))
    host.say(discovery(advertisement(), STRANGER_6, ALL_NODES))
    assert state(host) is State.INCOMPLETE


def test_rfc_4861_section_7_3_3_a_silent_neighbour_is_asked_three_times_and_dropped(host: Host) -> None:
    host.say(ip6(17, datagram(b"", source=STRANGER_6, destination=US_6)))
    host.say(discovery(advertisement(), STRANGER_6, US_6))
    host.run(31)
    assert state(host) is State.STALE
    host.say(ip6(17, datagram(b"", source=STRANGER_6, destination=US_6)))
    assert state(host) is State.DELAY
    asked = bodies(host.run(10), NeighbourSolicitation)
    assert [packet.destination for packet, _ in asked] == [STRANGER_6] * 3
    assert state(host) is None


def test_progress_above_spares_the_question(host: Host) -> None:
    host.say(ip6(17, datagram(b"", source=STRANGER_6, destination=US_6)))
    host.say(discovery(advertisement(solicited=False), STRANGER_6, US_6))
    assert state(host) is State.DELAY
    host.interface.confirm(STRANGER_6, host.now)
    assert state(host) is State.REACHABLE
    assert bodies(host.run(10), NeighbourSolicitation) == []


def test_rfc_4862_section_5_4_2_question_and_report_before_an_address_is_used() -> None:
    host = Host(PATIENT)
    assert not host.interface.is_local(US_6)
    frames = host.run(5)
    asked = bodies(frames, NeighbourSolicitation)
    assert {body.target for _, body in asked if isinstance(body, NeighbourSolicitation)} == {US_6, OUR_LINK}
    assert all(packet.source == IPV6_UNSPECIFIED for packet, _ in asked)
    # RFC 3810: the groups are reported with a router alert
    reports = [ipv6.parse(memoryview(frame.payload)) for frame in frames if frame.payload[6] == 0]
    assert reports
    chain = ipv6_extension.parse(reports[0])
    assert chain.router_alert
    assert icmpv6.parse(chain.payload, reports[0].source, reports[0].destination).type == icmpv6.Type.MLDV2_REPORT
    assert address_state(host, US_6) is AddressState.PREFERRED


@pytest.mark.parametrize("optimistic", [True, False])
@pytest.mark.parametrize("by", ["advertisement", "question"])
def test_rfc_4862_section_5_4_a_duplicate_is_not_used(optimistic: bool, by: str) -> None:
    host = Host(Settings(ipv6=static("2001:db8::1/64"), optimistic=optimistic, accept_advertisements=False))
    host.run(0.5)
    if by == "advertisement":
        body = NeighbourAdvertisement(US_6, False, False, True, Options(target_mac=STRANGER_MAC))
        host.say(discovery(body, STRANGER_LINK, ALL_NODES))
    else:
        host.say(discovery(solicitation(mac=None), IPV6_UNSPECIFIED, solicited_node(US_6)))
    assert not host.interface.is_local(US_6)
    assert address_state(host, US_6) is AddressState.DUPLICATE
    host.run(70)
    assert address_state(host, US_6) is AddressState.PREFERRED


def test_rfc_4862_section_5_4_3_our_address_is_defended(host: Host) -> None:
    frames = host.say(discovery(solicitation(mac=None), IPV6_UNSPECIFIED, solicited_node(US_6)))
    ((packet, body),) = bodies(frames, NeighbourAdvertisement)
    assert packet.destination == ALL_NODES
    assert body == NeighbourAdvertisement(US_6, False, False, True, Options(target_mac=OUR_MAC))


def test_rfc_4429_section_3_optimistic_address_overrides_nothing() -> None:
    host = Host()
    host.run(0.01)
    frames = host.say(discovery(solicitation(), STRANGER_6, solicited_node(US_6)))
    ((_, body),) = bodies(frames, NeighbourAdvertisement)
    assert isinstance(body, NeighbourAdvertisement)
    assert not body.override


def test_rfc_4861_section_6_3_7_routers_are_asked_three_times() -> None:
    host = Host(ADVERTISED)
    asked = bodies(host.run(60), RouterSolicitation)
    assert [packet.destination for packet, _ in asked] == [ALL_ROUTERS] * 3


def test_rfc_4862_section_5_5_an_advertisement_brings_address_router_and_mtu() -> None:
    host = Host(ADVERTISED)
    host.settle()
    host.say(discovery(router(PREFIX, mtu=1400), STRANGER_LINK, ALL_NODES))
    assert address_state(host, OURS_OF_PREFIX) is AddressState.OPTIMISTIC
    assert host.interface.mtu_for(STRANGER_6) == 1400
    assert host.interface.source_for(STRANGER_6) == OURS_OF_PREFIX
    host.run(10)
    assert address_state(host, OURS_OF_PREFIX) is AddressState.PREFERRED
    host.run(300)
    assert address_state(host, OURS_OF_PREFIX) is AddressState.DEPRECATED
    host.run(300)
    assert address_state(host, OURS_OF_PREFIX) is None
    assert host.interface.source_for(STRANGER_6) is not None
    host.run(1300)
    assert host.interface.source_for(STRANGER_6) is None


def test_lifetimes_go_on_while_the_machine_is_paused() -> None:
    host = Host(ADVERTISED)
    host.settle()
    host.say(discovery(router(PREFIX), STRANGER_LINK, ALL_NODES))
    host.run(10)
    host.interface.slept(250, host.now)
    asked = bodies(host.run(60), RouterSolicitation)
    assert asked, "routers are asked what holds now"
    assert address_state(host, OURS_OF_PREFIX) is AddressState.DEPRECATED
    host.interface.slept(300, host.now)
    host.run(10)
    assert address_state(host, OURS_OF_PREFIX) is None
    assert address_state(host, OUR_LINK) is AddressState.PREFERRED
    assert host.interface.source_for(STRANGER_6) is not None
    host.interface.slept(1200, host.now)
    host.run(10)
    assert host.interface.source_for(STRANGER_6) is None


def test_rfc_4862_section_5_5_3_e_a_forged_lifetime_leaves_two_hours() -> None:
    host = Host(ADVERTISED)
    host.settle()
    host.say(discovery(router(PREFIX._replace(valid_s=86400, preferred_s=86400)), STRANGER_LINK, ALL_NODES))
    host.say(discovery(router(PREFIX._replace(valid_s=1, preferred_s=1)), STRANGER_LINK, ALL_NODES))
    host.run(7100)
    assert address_state(host, OURS_OF_PREFIX) is AddressState.DEPRECATED
    host.run(200)
    assert address_state(host, OURS_OF_PREFIX) is None


def test_a_router_that_leaves() -> None:
    host = Host(ADVERTISED)
    host.settle()
    host.say(discovery(router(PREFIX), STRANGER_LINK, ALL_NODES))
    assert host.interface.source_for(parse("2001:db8:99::1")) == OURS_OF_PREFIX
    host.say(discovery(router(lifetime=0), STRANGER_LINK, ALL_NODES))
    assert host.interface.source_for(parse("2001:db8:99::1")) is None


@pytest.mark.parametrize(
    "prefix",
    [
        PREFIX._replace(length=63),
        PREFIX._replace(preferred_s=601),
        PREFIX._replace(prefix=parse("fe80::")),
        PREFIX._replace(valid_s=0, preferred_s=0),
    ],
)
def test_rfc_4862_section_5_5_3_prefixes_that_make_no_address(prefix: Prefix) -> None:
    host = Host(ADVERTISED)
    host.settle()
    host.say(discovery(router(prefix), STRANGER_LINK, ALL_NODES))
    assert host.interface.ipv6 is not None
    assert host.interface.ipv6.addresses.usable == [OUR_LINK]


def test_advertisements_are_not_believed_when_they_are_off() -> None:
    host = Host(PATIENT)
    host.settle()
    host.say(discovery(router(PREFIX), STRANGER_LINK, ALL_NODES))
    assert address_state(host, OURS_OF_PREFIX) is None


def test_flood_of_advertisements_is_bounded() -> None:
    host = Host(ADVERTISED)
    host.settle()
    ip = host.interface.ipv6
    assert ip is not None
    for number in range(500):
        prefix = PREFIX._replace(prefix=bytes.fromhex("20010db8") + number.to_bytes(4) + bytes(8))
        source = bytes.fromhex("fe80") + bytes(12) + number.to_bytes(2)
        host.say(discovery(router(prefix), source, ALL_NODES))
    limits = host.interface.settings.limits
    assert len(ip.routes.routers) <= limits.routers
    assert len(ip.routes.on_link) <= limits.prefixes
    assert len(ip.addresses.usable) <= limits.addresses


def test_flood_of_solicitations_spares_neighbours_in_use(host: Host) -> None:
    host.say(ip6(17, datagram(b"", source=STRANGER_6, destination=US_6)))
    host.say(discovery(advertisement(), STRANGER_6, US_6))
    for number in range(2000):
        source = parse("2001:db8::")[:14] + (number + 100).to_bytes(2)
        host.say(discovery(solicitation(mac=OTHER_MAC), source, US_6))
    assert host.interface.ipv6 is not None
    assert len(host.interface.ipv6.ndp.neighbours) <= host.interface.settings.limits.neighbours
    answer = host.say(ip6(17, datagram(b"still here", source=STRANGER_6, destination=US_6)))
    assert payloads(answer) == [b"still here"]


def test_rfc_3810_section_6_2_a_query_is_answered(host: Host) -> None:
    def query(options: bytes, hop_limit: int) -> bytes:
        message = icmpv6.Message(icmpv6.Type.MLD_QUERY, 0, 1000 << 16, bytes(20))
        payload = icmpv6.emit(message, STRANGER_LINK, ALL_NODES)
        if options:
            payload = ipv6_extension.emit_options(58, options) + payload
        packet = ipv6.Packet(STRANGER_LINK, ALL_NODES, 0 if options else 58, payload, hop_limit)
        return bytes.fromhex("333300000001") + STRANGER_MAC + b"\x86\xdd" + ipv6.emit(packet)

    host.say(query(ipv6_extension.ROUTER_ALERT, 64))
    host.say(query(b"", 1))
    assert host.run(5) == []
    host.say(query(ipv6_extension.ROUTER_ALERT, 1))
    (report,) = host.run(5)
    assert report.destination == bytes.fromhex("333300000016")


def test_a_solicitation_for_the_group_of_another_address_is_dropped_before_it_is_read(host: Host) -> None:
    other = parse("2001:db8::99:1234")
    assert host.say(discovery(solicitation(other), STRANGER_6, solicited_node(other))) == []
    assert host.count("ipv6", "group of others") == 1
