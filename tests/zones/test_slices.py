"""What is long is really cut: no step of a load does much more than its share of the work, whatever shape a zone has.

Work is counted in calls of Python functions and lines, which does not depend on how busy a machine is.
"""

import sys
from collections.abc import Callable, Iterator
from types import FrameType
from typing import Any

import pytest

from dns_platform.compiled import is_compiled
from dns_server.answer.table import build
from tests.support.served import zone_from_text
from zones import name as names
from zones.change import compare
from zones.checks import check
from zones.delta import delta
from zones.slices import Sliced
from zones.zone import Zone
from zones.zonefile import parse, parser

Trace = Callable[[FrameType, str, Any], Any]

ORIGIN = "t.test."
HEAD = "$TTL 60\n@ SOA ns h {serial} 3600 600 86400 60\n@ NS ns\nns A 192.0.2.1\n"
COUNT = 4000
LINES_A_STEP = 15_000 if is_compiled("zones.survey") else 150_000
"""Lines of Python that a step may run: at 50 to 100 nanoseconds each, a millisecond. What is compiled has no lines;
steps are cut for it, and take ten times as long where nothing is."""

SHAPES = {
    "alike": "".join(f"n{number} A 192.0.2.1\n" for number in range(COUNT)),
    "delegations": "".join(f"d{number} NS ns.d{number}\nns.d{number} A 192.0.2.1\n" for number in range(COUNT)),
    "aliases": "".join(f"a{number} CNAME a{number + 1}\n" for number in range(COUNT)) + f"a{COUNT} A 192.0.2.1\n",
    "deep": "".join(f"{'x.' * (number % 100)}n{number} TXT x\n" for number in range(COUNT)),
    "one owner": "".join(f"o TXT {number}\n" for number in range(COUNT)),
    "one type each": "".join(f"o TYPE{number + 1000} \\# 1 00\n" for number in range(COUNT)),
    "long": "".join(f"l{number} TXT ( {' '.join(['x' * 200] * 20)} )\n" for number in range(COUNT // 20)),
    "out of order": "".join(f"n{number * 7919 % COUNT} MX 10 ns\n" for number in range(COUNT)),
    "generated": f"$GENERATE 1-{COUNT} g$ A 192.0.2.1\n",
}


def text_of(shape: str, serial: int) -> str:
    return HEAD.format(serial=serial) + SHAPES[shape]


def zone_of(shape: str, serial: int) -> Zone:
    return zone_from_text(text_of(shape, serial), ORIGIN)


def most_lines(work: Sliced[Any]) -> tuple[int, int]:
    """The most lines of Python that a step of `work` runs, and the number of steps."""
    lines = most = steps = 0

    def trace(_frame: FrameType, event: str, _argument: object) -> "Trace":
        nonlocal lines
        lines += event == "line"
        return trace

    before = sys.gettrace()
    done = False
    while not done:
        lines = 0
        sys.settrace(trace)
        try:
            next(work)
        except StopIteration:
            done = True
        finally:
            sys.settrace(before)
        most, steps = max(most, lines), steps + 1
    return most, steps


def assert_sliced(work: Sliced[Any]) -> None:
    most, steps = most_lines(work)
    assert most <= LINES_A_STEP
    assert steps > 3


@pytest.mark.parametrize("shape", SHAPES)
def test_parser(shape: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parser, "SCANNER", None)  # its lines are not seen
    text = text_of(shape, 1).encode()
    pieces: Iterator[bytes] = (text[start : start + 4096] for start in range(0, len(text), 4096))
    assert_sliced(parse(pieces, names.from_text(ORIGIN), "t.test", lambda _: b""))


@pytest.mark.parametrize("shape", SHAPES)
def test_checks(shape: str) -> None:
    most, _ = most_lines(check(zone_of(shape, 1), 0))
    assert most <= LINES_A_STEP


@pytest.mark.parametrize("shape", SHAPES)
def test_table(shape: str) -> None:
    most, _ = most_lines(build(zone_of(shape, 1)))
    assert most <= LINES_A_STEP


@pytest.mark.parametrize("shape", SHAPES)
def test_comparison_and_difference_of_versions(shape: str) -> None:
    before, after = zone_of(shape, 1), zone_of("alike" if shape != "alike" else "aliases", 2)
    for one, other in ((before, after), (after, before)):
        for work in (compare(one, other), delta(one, other)):
            most, _ = most_lines(work)
            assert most <= LINES_A_STEP


def test_lines_are_counted() -> None:
    def long() -> Sliced[None]:
        for _ in range(3):
            yield
        sum(1 for _ in range(LINES_A_STEP))

    most, steps = most_lines(long())
    assert most > LINES_A_STEP
    assert steps == 4
