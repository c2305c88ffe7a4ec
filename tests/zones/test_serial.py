import dns.serial
from hypothesis import given
from hypothesis import strategies as st

from zones.serial import is_newer, next_serial

SERIALS = st.integers(0, 2**32 - 1) | st.sampled_from([0, 1, 2**31 - 1, 2**31, 2**31 + 1, 2**32 - 1])


@given(SERIALS, SERIALS)
def test_is_newer_agrees_with_dnspython(left: int, right: int) -> None:
    assert is_newer(left, than=right) == (dns.serial.Serial(left) > dns.serial.Serial(right))


@given(SERIALS)
def test_the_next_serial_is_newer_and_never_zero(serial: int) -> None:
    assert is_newer(next_serial(serial), than=serial)
    assert next_serial(serial) != 0
