"""Segments as octets: scapy is the oracle."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scapy.layers.inet import IP, TCP
from scapy.layers.inet6 import IPv6

from stack.address import Address, text
from stack.tcp import options
from stack.tcp.options import Options
from stack.tcp.segment import ACK, FIN, SYN, Segment, emit, parse
from stack.wire.checksum import checksum, pseudo_header
from stack.wire.error import WireError

V4 = (bytes((192, 0, 2, 1)), bytes((192, 0, 2, 2)))
V6 = (bytes.fromhex("20010db8" + 23 * "0" + "1"), bytes.fromhex("20010db8" + 23 * "0" + "2"))

words = st.integers(0, 0xFFFFFFFF)
some_options = st.builds(
    Options,
    mss=st.none() | st.integers(0, 0xFFFF),
    window_scale=st.none() | st.integers(0, 14),
    sack_permitted=st.booleans(),
    sack=st.lists(st.tuples(words, words), max_size=1).map(tuple),
    timestamps=st.none() | st.tuples(words, words),
)
segments = st.builds(
    Segment,
    source_port=st.integers(0, 0xFFFF),
    destination_port=st.integers(0, 0xFFFF),
    sequence=words,
    acknowledgment=words,
    flags=st.integers(0, 0x3F),
    window=st.integers(0, 0xFFFF),
    options=some_options,
    payload=st.binary(max_size=100),
)


def octets(segment: Segment, ends: tuple[Address, Address] = V4) -> bytes:
    return emit(segment, pseudo_header(*ends, 6, 0))


def taken(data: bytes, ends: tuple[Address, Address] = V4) -> Segment:
    return parse(data, pseudo_header(*ends, 6, len(data)))


def corrected(data: bytes) -> bytes:
    """`data` with the checksum that it should have."""
    blank = data[:16] + bytes(2) + data[18:]
    return blank[:16] + checksum(blank, pseudo_header(*V4, 6, len(data))).to_bytes(2) + blank[18:]


def reason(data: bytes) -> str:
    with pytest.raises(WireError) as caught:
        taken(data)
    return caught.value.reason


@given(segments)
def test_parse_undoes_emit(segment: Segment) -> None:
    assert taken(octets(segment)) == segment


@given(segments, st.booleans())
def test_scapy_reads_what_emit_writes(segment: Segment, version_6: bool) -> None:
    ends = V6 if version_6 else V4
    data = octets(segment, ends)
    theirs = TCP(data)
    assert (theirs.sport, theirs.dport, theirs.seq) == segment[:3]
    assert (theirs.ack, int(theirs.flags), theirs.window) == segment[3:6]
    assert bytes(theirs.payload) == segment.payload
    told = dict(theirs.options)
    assert told.get("MSS") == segment.options.mss
    assert told.get("WScale") == segment.options.window_scale
    assert ("SAckOK" in told) == segment.options.sack_permitted
    assert told.get("Timestamp") == segment.options.timestamps
    assert told.get("SAck", ()) == tuple(edge for block in segment.options.sack for edge in block)
    del theirs.chksum
    packet = (IPv6 if version_6 else IP)(src=text(ends[0]), dst=text(ends[1])) / theirs
    assert bytes(packet)[-len(data) :] == data


@given(segments)
def test_parse_reads_what_scapy_writes(segment: Segment) -> None:
    told: list[tuple[str, object]] = []
    if segment.options.mss is not None:
        told.append(("MSS", segment.options.mss))
    if segment.options.timestamps is not None:
        told.append(("Timestamp", segment.options.timestamps))
    if segment.options.window_scale is not None:
        told.append(("WScale", segment.options.window_scale))
    if segment.options.sack_permitted:
        told.append(("SAckOK", b""))
    if segment.options.sack:
        told.append(("SAck", tuple(edge for block in segment.options.sack for edge in block)))
    theirs = IP(src=text(V4[0]), dst=text(V4[1])) / TCP(
        sport=segment.source_port,
        dport=segment.destination_port,
        seq=segment.sequence,
        ack=segment.acknowledgment,
        flags=segment.flags,
        window=segment.window,
        options=told,
    )
    assert taken(bytes(theirs / segment.payload)[20:]) == segment


@given(st.binary(max_size=120))
def test_any_octets_are_parsed_or_refused(data: bytes) -> None:
    for each in (data, corrected(data) if len(data) >= 20 else data):
        with contextlib.suppress(WireError):
            taken(each)


@given(st.binary(max_size=40))
def test_any_options_are_parsed_or_refused(data: bytes) -> None:
    with contextlib.suppress(WireError):
        options.parse(data)


def test_a_segment_that_is_cut_short_is_refused() -> None:
    data = octets(Segment(1, 2, 3, 4, ACK, 5))
    for length in range(20):
        assert reason(data[:length]) == "truncated"


def test_a_wrong_checksum_is_refused() -> None:
    data = bytearray(octets(Segment(1, 2, 3, 4, ACK, 5, payload=b"x")))
    for at in range(len(data)):
        data[at] ^= 1
        assert reason(bytes(data)) == "checksum"
        data[at] ^= 1


@pytest.mark.parametrize("words_", [0, 4, 6, 15])
def test_a_data_offset_outside_the_segment_is_refused(words_: int) -> None:
    data = bytearray(octets(Segment(1, 2, 3, 4, ACK, 5)))
    data[12] = words_ << 4
    assert reason(corrected(bytes(data))) == "data-offset"


@pytest.mark.parametrize("data", [b"\x02", b"\x02\x00", b"\x02\x01", b"\x02\x05\x00\x00", b"\x63\x09\x00"])
def test_an_illegal_option_length_is_refused(data: bytes) -> None:
    with pytest.raises(WireError, match="option-length"):
        options.parse(data)


def test_unknown_options_are_skipped_and_nothing_follows_the_end() -> None:
    assert options.parse(b"\x63\x03\x00\x01\x02\x04\x05\xb4") == Options(mss=1460)
    assert options.parse(b"\x00\x02\x04\x05\xb4") == options.NONE


def test_a_window_scale_above_14_is_taken_as_14() -> None:
    assert options.parse(b"\x03\x03\xff").window_scale == 14


def test_syn_and_fin_take_sequence_numbers() -> None:
    assert Segment(1, 2, 0, 0, SYN, 0).length == 1
    assert Segment(1, 2, 0, 0, FIN | ACK, 0, payload=b"abc").length == 4
