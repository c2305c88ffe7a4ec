"""Whatever comes in a frame, the interface goes on, and holds no more than its bounds."""

from hypothesis import given, settings
from hypothesis import strategies as st

from stack.wire import icmp, icmpv6
from tests.stack.interface.lan import (
    OUR_MAC,
    STRANGER_6,
    STRANGER_MAC,
    US_6,
    Host,
    datagram,
    echo_server,
    ip4,
    ip6,
    payloads,
)

ether_types = st.sampled_from([0x0800, 0x0806, 0x86DD, 0x8100])
frames = st.builds(
    lambda group, kind, data: (b"\xff" * 6 if group else OUR_MAC) + STRANGER_MAC + kind.to_bytes(2) + data,
    st.booleans(),
    ether_types,
    st.binary(max_size=120),
)
fields = st.fixed_dictionaries(
    {},
    optional={
        "ttl": st.integers(0, 255),
        "offset": st.integers(0, 100).map(lambda count: count * 8),
        "more_fragments": st.integers(0, 1),
        "identification": st.integers(0, 3),
    },
)
valid_ipv4 = st.builds(
    lambda protocol, data, extra: ip4(protocol, data + bytes(-len(data) % 8), **extra),
    st.sampled_from([1, 6, 17, 99]),
    st.binary(max_size=80),
    fields,
)
valid_icmp = st.builds(
    lambda kind, code, rest, data: ip4(1, icmp.emit(icmp.Message(kind, code, rest, data))),
    st.integers(0, 20),
    st.integers(0, 20),
    st.integers(0, 0xFFFFFFFF),
    st.binary(max_size=80),
)
valid_ipv6 = st.builds(ip6, st.sampled_from([0, 6, 17, 43, 44, 58, 60, 99]), st.binary(max_size=80))
valid_icmpv6 = st.builds(
    lambda kind, code, rest, data: ip6(58, icmpv6.emit(icmpv6.Message(kind, code, rest, data), STRANGER_6, US_6)),
    st.integers(1, 4) | st.integers(128, 143),
    st.integers(0, 3),
    st.integers(0, 0xFFFFFFFF),
    st.binary(max_size=80),
)


@given(st.lists(frames | valid_ipv4 | valid_icmp | valid_ipv6 | valid_icmpv6, max_size=30))
@settings(max_examples=300, deadline=None)
def test_any_frames_survive_and_others_are_served(some: list[bytes]) -> None:
    host = Host()
    echo_server(host)
    host.know_stranger()
    host.say(*some)
    host.run(5)
    host.know_stranger()
    assert payloads(host.say(ip4(17, datagram(b"still here")))) == [b"still here"]
    question = datagram(b"still here", source=STRANGER_6, destination=US_6)
    assert payloads(host.say(ip6(17, question))) == [b"still here"]
