"""A slice of tests/fuzz_respond.py, which runs for as long as one likes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dns_server.answer.protocol import Transport
from tests.fuzz_respond import examine, make_engine, run
from tests.support.debian import Unavailable

ENGINE = make_engine()


def test_mutated_packets_break_no_rule() -> None:
    rcodes = run(5_000, seed=1)
    assert {-1, 0, 1, 3, 4, 5} <= set(rcodes), "the mutations no longer reach what they should"


@pytest.mark.parametrize("signer", ["bind-nsec", "bind-nsec3-optout"])
def test_mutated_packets_to_signed_zones_break_no_rule(signer: str) -> None:
    try:
        run(1_000, seed=2, signer=signer)
    except Unavailable as unavailable:
        pytest.skip(str(unavailable))


@given(st.binary(max_size=600), st.sampled_from(Transport))
def test_random_octets_break_no_rule(packet: bytes, transport: Transport) -> None:
    examine(ENGINE, packet, transport)
