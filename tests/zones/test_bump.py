"""A serial is raised in its style, wherever it stands, and nothing else of the file changes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zones.bump import NoSerial, bump, next_in_style
from zones.findings import Place
from zones.serial import is_newer

TODAY = 20261121


@pytest.mark.parametrize(
    ("serial", "after"),
    [
        (1, 2),
        (0, 1),
        (4294967295, 1),
        (2026112001, 2026112101),
        (2026112100, 2026112101),
        (2026112101, 2026112102),
        (2026112199, 2026112200),
        (2026112305, 2026112306),
        (1999010199, 2026112101),
        (2026139901, 2026139902),
        (1790000000, 1790000001),
    ],
)
def test_a_date_stays_a_date_and_a_counter_a_counter(serial: int, after: int) -> None:
    assert next_in_style(serial, TODAY) == after


@given(st.integers(0, 2**32 - 1))
def test_a_serial_always_rises(serial: int) -> None:
    assert is_newer(next_in_style(serial, TODAY), than=serial)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (b"@ SOA a b 5 1 2 3 4\n", b"@ SOA a b 6 1 2 3 4\n"),
        (
            b"$TTL 1h\n@\t1h IN SOA\ta b (\n\t5 ; 5\r\n\t5 5 5 5 )\n",
            b"$TTL 1h\n@\t1h IN SOA\ta b (\n\t6 ; 5\r\n\t5 5 5 5 )\n",
        ),
        (b"soa 60 soa soa soa 9 9 9 9 9", b"soa 60 soa soa soa 10 9 9 9 9"),
        (b" SOA a b 00005 1 2 3 4\n", b" SOA a b 6 1 2 3 4\n"),
    ],
)
def test_only_the_serial_changes(before: bytes, after: bytes) -> None:
    line = before[: before.lower().index(b"soa")].count(b"\n") + 1
    assert bump(before, Place("zone", line, 1), TODAY).text == after


@pytest.mark.parametrize("text", [b"@ TYPE6 \\# 22 00", b"@ SOA a b", b'@ SOA a b "5" 1 2 3 4'])
def test_what_is_no_plain_number_is_left_alone(text: bytes) -> None:
    with pytest.raises(NoSerial):
        bump(text, Place("zone", 1, 1), TODAY)
