from tests.zones.zonefile.support import errors, records


def test_a_blank_owner_takes_the_one_before() -> None:
    assert records("www A 192.0.2.1\n    AAAA ::1\n") == [
        "www.example. 3600 IN A 192.0.2.1",
        "www.example. 3600 IN AAAA ::1",
    ]


def test_ttl_and_class_stand_in_either_order() -> None:
    for head in ("1h30m IN", "IN 5400", "5400", "90m", "in 1H30M", "CLASS1 5400"):
        assert records(f"www {head} A 192.0.2.1\n") == ["www.example. 5400 IN A 192.0.2.1"]


def test_errors_name_line_and_column_and_reading_goes_on() -> None:
    assert errors("a A 1.2.3.400\nb A\nc BOGUS x\n") == [
        "1:5 '1.2.3.400' is no IPv4 address",
        "2:4 an IPv4 address is missing",
        "3:3 unknown type 'BOGUS'",
    ]


def test_an_owner_outside_the_zone_is_an_error() -> None:
    assert errors("www.example.net. A 192.0.2.1\n") == ["1:1 www.example.net. is outside the zone example."]
