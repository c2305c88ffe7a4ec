from hypothesis import given
from hypothesis import strategies as st
from scapy.utils import checksum as scapy_checksum

from stack.wire import checksum
from tests.stack.wire.strategies import address_pair, payload


@given(st.binary(max_size=3000))
def test_scapy_agrees(data: bytes) -> None:
    assert checksum.checksum(data) == scapy_checksum(data)


def test_rfc_1071_section_3_example() -> None:
    assert checksum.ones_sum(bytes.fromhex("0001f203f4f5f6f7")) == 0xDDF2


def test_two_zeros_are_told_apart() -> None:
    assert checksum.checksum(bytes(8)) == 0xFFFF
    assert checksum.checksum(b"\xff\xff") == 0
    assert not checksum.is_valid(bytes(8))


@given(payload, st.integers(0, 1 << 40))
def test_data_with_its_checksum_is_valid(data: bytes, start: int) -> None:
    even = data if len(data) % 2 == 0 else data + b"\0"
    assert checksum.is_valid(even + checksum.checksum(even, start).to_bytes(2), start)


@given(address_pair, st.integers(0, 255), st.integers(0, 1 << 20))
def test_pseudo_header_sums_its_octets(pair: tuple[bytes, bytes], protocol: int, length: int) -> None:
    source, destination = pair
    octets = source + destination + length.to_bytes(4) + bytes(3) + bytes((protocol,))
    assert checksum.ones_sum(b"", checksum.pseudo_header(source, destination, protocol, length)) == checksum.ones_sum(
        octets
    )
