"""Octets arrive whole and in order over links that lose, repeat, reorder and damage segments."""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stack.tcp.commons import Limits
from stack.tcp.congestion import Cubic, Reno
from tests.stack.tcp.peers import CLIENT, SERVER, Faults, Host, Transfer, Wire


def transfer(length: int, faults: Faults, seed: int, limits: Limits | None = None) -> Transfer:
    client, server = Host(CLIENT, 1, limits), Host(SERVER, 2, limits)
    wire = Wire(client, server, faults=faults, seed=seed)
    done = Transfer(wire, client, server, random.Random(seed).randbytes(length))
    wire.run(done.step, seconds=100_000)
    assert done.received == done.data
    assert client.engine.commons.buffered == server.engine.commons.buffered == 0
    return done


@pytest.mark.parametrize("length", [0, 1, 1447, 1448, 1449, 100_000])
def test_whole_segments_and_remainders_arrive(length: int) -> None:
    done = transfer(length, Faults(), 1)
    assert done.client.count("retransmission-timeout") == 0


@settings(max_examples=40, deadline=None)
@given(
    length=st.integers(0, 200_000),
    loss=st.floats(0, 0.2),
    duplication=st.floats(0, 0.2),
    reordering=st.floats(0, 0.5),
    corruption=st.floats(0, 0.1),
    seed=st.integers(0, 2**32),
    reno=st.booleans(),
    small=st.booleans(),
)
def test_octets_arrive_over_bad_links(
    length: int,
    loss: float,
    duplication: float,
    reordering: float,
    corruption: float,
    seed: int,
    reno: bool,
    small: bool,
) -> None:
    size = 1 << 13 if small else 1 << 18
    limits = Limits(
        congestion=Reno if reno else Cubic,
        send_buffer=size,
        receive_buffer=size,
        user_timeout=1e6,
        connect=1e6,
        handshake=1e6,
    )
    transfer(length, Faults(loss, duplication, corruption, reordering), seed, limits)
