"""The scoreboard against RFC 6675's own definitions, octet by octet."""

from hypothesis import given
from hypothesis import strategies as st

from stack.tcp.recovery import DUPLICATE_THRESHOLD, MAX_BLOCKS, Phase, Recovery, Scoreboard

MSS = 10
UNA, NXT = 100, 300

blocks = st.lists(st.tuples(st.integers(UNA + 1, NXT - 1), st.integers(1, 60)), max_size=12).map(
    lambda found: [(left, min(left + length, NXT)) for left, length in found]
)


def octets(found: list[tuple[int, int]]) -> set[int]:
    return {position for left, right in found for position in range(left, right)}


def is_lost(position: int, sacked: set[int]) -> bool:
    """RFC 6675 4, IsLost(), as it is written."""
    above = sorted(p for p in sacked if p > position)
    runs = sum(1 for p in above if p - 1 not in sacked or p - 1 <= position)
    return runs >= DUPLICATE_THRESHOLD or len(above) > (DUPLICATE_THRESHOLD - 1) * MSS


@given(blocks, st.integers(UNA, NXT), st.integers(UNA, NXT))
def test_the_scoreboard_is_a_set_of_octets(found: list[tuple[int, int]], una: int, at: int) -> None:
    board = Scoreboard()
    known: set[int] = set()
    for left, right in found:
        new = set(range(left, right)) - known
        assert board.add(left, right) == bool(new)
        known |= new
        assert board.octets == len(known)
        assert board.below(at) == sum(p < at for p in known)
    board.forget_below(una)
    known = {p for p in known if p >= una}
    assert board.octets == len(known)
    free = [p for p in range(at, NXT) if p not in known] if at >= una else []
    if at >= una:
        gap = board.gap(at, NXT)
        if not free:
            assert gap is None
        else:
            end = next((p for p in range(free[0], NXT) if p in known), NXT)
            assert gap == (free[0], end)


@given(blocks)
def test_lost_is_what_the_rfc_calls_lost(found: list[tuple[int, int]]) -> None:
    board = Scoreboard()
    for left, right in found:
        board.add(left, right)
    sacked = octets(found)
    edge = board.lost_below(MSS) or UNA
    for position in range(UNA, NXT):
        if position not in sacked:
            assert (position < edge) == is_lost(position, sacked)


@given(blocks, st.integers(UNA, NXT))
def test_the_pipe_is_what_the_rfc_counts(found: list[tuple[int, int]], resent: int) -> None:
    """RFC 6675 4, SetPipe(): (a) what is not lost, (b) what was sent again."""
    recovery = Recovery(MSS, UNA)
    recovery.selective(found, UNA, NXT)
    sacked = octets(found)
    if not sacked:
        return
    recovery.phase = Phase.FAST
    recovery.resend(resent)
    expected = 0
    for position in range(UNA, NXT):
        if position not in sacked:
            expected += not is_lost(position, sacked)
            expected += position < resent
    assert recovery.in_flight(UNA, NXT) == expected


def test_a_peer_that_acknowledges_every_other_octet_costs_little() -> None:
    board = Scoreboard()
    for left in range(0, 100_000, 2):
        board.add(left, left + 1)
    assert board.octets == MAX_BLOCKS


def test_a_second_recovery_does_not_begin_within_the_first() -> None:
    """RFC 6582 3.2 (1), RFC 6675 5."""
    recovery = Recovery(MSS, UNA)
    begun = [recovery.duplicate(UNA, NXT) for _ in range(10)]
    assert begun == [False, False, True] + [False] * 7
    assert not recovery.acknowledge(UNA + 50, 50)
    assert recovery.acknowledge(NXT, NXT - UNA - 50)
    assert recovery.phase is Phase.OPEN
