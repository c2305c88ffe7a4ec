"""Windows after RFC 5681 and RFC 9438."""

import pytest

from stack.tcp.congestion import MAX_WINDOW, Cubic, Reno, initial_window

MSS = 1000
ROUND_TRIP = 0.1


def test_the_initial_window_is_ten_segments_or_about_15_kilobytes() -> None:
    """RFC 6928 2."""
    assert [initial_window(mss) for mss in (536, 1460, 2000, 9000)] == [5360, 14600, 14600, 18000]


@pytest.mark.parametrize("kind", [Reno, Cubic])
def test_slow_start_doubles_each_round_trip(kind: type[Reno]) -> None:
    control = kind(MSS)
    for _ in range(10):
        control.acknowledged(MSS, 0.0, ROUND_TRIP)
    assert control.window == 2 * initial_window(MSS)
    control.acknowledged(100 * MSS, 0.0, ROUND_TRIP)  # one ACK for very much opens little
    assert control.window == 2 * initial_window(MSS) + 8 * MSS


def test_reno_halves_and_then_grows_by_one_segment_each_round_trip() -> None:
    control = Reno(MSS)
    control.congested(20 * MSS, 0.0)
    assert control.window == control.ssthresh == 10 * MSS
    for _ in range(10):
        control.acknowledged(MSS, 0.0, ROUND_TRIP)
    assert control.window == pytest.approx(11 * MSS, rel=0.01)


def grown(control: Cubic, seconds: float) -> None:
    """Acknowledge full windows for so long."""
    now = 0.0
    while now < seconds:
        window = control.window
        for _ in range(window // MSS):
            control.acknowledged(MSS, now, ROUND_TRIP)
            now += ROUND_TRIP / (window // MSS)


def test_cubic_falls_to_seven_tenths_and_is_back_after_k() -> None:
    """RFC 9438 4.2 (2): K = cbrt(W_max * (1 - beta) / C)."""
    control = Cubic(MSS)
    control.window = 1000 * MSS
    control.congested(1000 * MSS, 0.0)
    assert control.window == 700 * MSS
    k = (1000 * 0.3 / 0.4) ** (1 / 3)
    grown(control, k)
    assert control.window == pytest.approx(1000 * MSS, rel=0.02)
    grown_before = control.window
    assert grown_before < 1010 * MSS


def test_cubic_remembers_less_when_it_did_not_get_back() -> None:
    """RFC 9438 4.7: fast convergence makes room for others."""
    control = Cubic(MSS)
    control.window = 1000 * MSS
    control.congested(1000 * MSS, 0.0)
    control.congested(700 * MSS, 0.0)
    assert control.window == 490 * MSS
    grown(control, (700 * 0.85 - 490) ** (1 / 3) / 0.4 ** (1 / 3))
    assert control.window == pytest.approx(700 * 0.85 * MSS, rel=0.02)


def test_cubic_is_no_slower_than_reno_with_small_windows() -> None:
    """RFC 9438 4.3."""
    cubic, reno = Cubic(MSS), Reno(MSS)
    for control in (cubic, reno):
        control.window = 14 * MSS
        control.congested(14 * MSS, 0.0)
    reno.window = cubic.window
    before = cubic.window
    for step in range(100):
        cubic.acknowledged(MSS, step * 0.0001, 0.001)
    assert cubic.window - before > 0.5 * 100 * MSS * MSS / before * 0.53


@pytest.mark.parametrize("kind", [Reno, Cubic])
def test_a_timeout_leaves_one_segment(kind: type[Reno]) -> None:
    control = kind(MSS)
    control.timed_out(20 * MSS, 0.0)
    assert control.window == MSS
    assert control.ssthresh == {Reno: 10, Cubic: 14}[kind] * MSS


@pytest.mark.parametrize("kind", [Reno, Cubic])
def test_after_idleness_the_window_is_the_initial_one(kind: type[Reno]) -> None:
    """RFC 5681 4.1."""
    control = kind(MSS)
    control.window = 100 * MSS
    control.idle()
    assert control.window == initial_window(MSS)


@pytest.mark.parametrize("kind", [Reno, Cubic])
def test_windows_have_an_end(kind: type[Reno]) -> None:
    control = kind(1 << 15)
    for step in range(20_000):
        control.acknowledged(1 << 20, step * 10.0, ROUND_TRIP)
    assert control.window <= MAX_WINDOW
