"""Log lines: one line each, whatever is in them."""

import io
import json
import logging
from collections.abc import Callable, Iterator

import pytest
import structlog

from dns_server.logs.console import Console
from dns_server.logs.pipeline import configure
from dns_server.logs.throttle import Throttle
from dns_server.parameters.logs import Level, LogFormat

Lines = Callable[[], list[str]]


@pytest.fixture(autouse=True)
def restored() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.reset_defaults()


@pytest.fixture(params=LogFormat)
def lines(request: pytest.FixtureRequest) -> Lines:
    stream = io.StringIO()
    configure(Level.INFO, [Console(stream, request.param)])
    return lambda: stream.getvalue().split("\n")[:-1]


def test_values_cannot_forge_a_line(lines: Lines) -> None:
    hostile = "a\n2026-01-01T00:00:00Z ready\r\x1b[2J\x9b\u2028\u202e"
    structlog.get_logger().info("odd", name=hostile, names=[hostile], **{hostile: 1})
    (line,) = lines()
    assert line.isprintable()


def test_overlong_values_are_cut(lines: Lines) -> None:
    structlog.get_logger().info("long", text="x" * 1_000_000)
    (line,) = lines()
    assert len(line) < 3000
    assert "(1000000 characters)" in line


def test_passwords_are_masked(lines: Lines) -> None:
    structlog.get_logger().info("synced", remote="https://me:secret@git.example/zones.git", also="https://token@h/")
    (line,) = lines()
    assert "secret" not in line
    assert "token" not in line


def test_exceptions_stay_on_one_line(lines: Lines) -> None:
    try:
        raise ValueError("first\nsecond")
    except ValueError as error:
        structlog.get_logger().error("failed", exc_info=error)
    (line,) = lines()
    assert "ValueError: first\\nsecond" in line.replace("\\\\", "\\")
    assert "test_pipeline.py" in line


def test_libraries_log_the_same_way(lines: Lines) -> None:
    logging.getLogger("some.library").warning("watch %s", "out\n")
    (line,) = lines()
    assert "watch out" in line
    assert "some.library" in line


def test_json_lines_are_json() -> None:
    stream = io.StringIO()
    configure(Level.WARNING, [Console(stream, LogFormat.JSON)])
    structlog.get_logger().info("not shown")
    structlog.get_logger().warning("shown", zones=3)
    shown = json.loads(stream.getvalue())
    assert shown["event"] == "shown"
    assert shown["zones"] == 3
    assert shown["level"] == "warning"


def test_throttle_passes_one_line_and_counts_the_rest() -> None:
    written: list[tuple[str, dict[str, object]]] = []
    now = 0.0
    throttle = Throttle(lambda event, **fields: written.append((event, fields)), 10.0, lambda: now)
    for _ in range(1000):
        throttle("flood", peer="192.0.2.1")
    throttle("another")
    now = 10.0
    throttle("flood", peer="192.0.2.2")
    assert written == [
        ("flood", {"peer": "192.0.2.1"}),
        ("another", {}),
        ("flood", {"peer": "192.0.2.2", "left_out": 999}),
    ]
