"""A slice of tests/fuzz_respond.py, which runs for as long as one likes."""

from hypothesis import given
from hypothesis import strategies as st

from dns_server.answer.protocol import Transport
from tests.fuzz_respond import examine, make_engine, run

ENGINE = make_engine()


def test_mutated_packets_break_no_rule() -> None:
    rcodes = run(5_000, seed=1)
    assert {-1, 0, 1, 3, 4, 5} <= set(rcodes), "the mutations no longer reach what they should"


@given(st.binary(max_size=600), st.sampled_from(Transport))
def test_random_octets_break_no_rule(packet: bytes, transport: Transport) -> None:
    examine(ENGINE, packet, transport)
