"""The console may stop taking lines at any time; the service goes on."""

import json
import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import TextIO

import pytest

from dns_server.logs.console import Console
from dns_server.parameters.logs import LogFormat
from tests.support.dig import ask
from tests.support.network import Network

EVENT = {"timestamp": "2026-01-01T00:00:00.000000Z", "level": "info", "event": "something"}


@pytest.fixture
def pipe() -> Iterator[tuple[int, TextIO]]:
    reading, writing = os.pipe()
    with os.fdopen(writing, "w") as stream:
        yield reading, stream
    os.close(reading)


def test_full_pipe_loses_lines_and_tells_how_many(pipe: tuple[int, TextIO]) -> None:
    reading, stream = pipe
    console = Console(stream, LogFormat.TEXT)
    for number in range(5000):
        console({**EVENT, "number": number, "text": "x" * 50})
    kept = len(os.read(reading, 1 << 20).splitlines())
    assert 0 < kept < 5000
    console(EVENT)
    lost, last = os.read(reading, 1 << 20).splitlines()
    assert f"lines={5000 - kept}" in lost.decode()
    assert last.endswith(b"something")


def test_line_that_was_cut_gets_its_end_before_the_next(pipe: tuple[int, TextIO]) -> None:
    reading, stream = pipe
    console = Console(stream, LogFormat.TEXT)
    console({**EVENT, "text": "x" * 200_000})
    assert not os.read(reading, 1 << 20).endswith(b"\n")
    console(EVENT)
    assert os.read(reading, 1 << 20).startswith(b"\n2026")


def test_console_that_is_gone_is_no_error() -> None:
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "w") as stream:
        console = Console(stream, LogFormat.JSON)
        console(EVENT)
        console(EVENT)


@pytest.mark.parametrize("log_format", LogFormat)
def test_a_file_gets_every_line(log_format: LogFormat, tmp_path: Path) -> None:
    with (tmp_path / "log").open("w") as stream:
        console = Console(stream, log_format)
        for _ in range(100):
            console({**EVENT, "text": "x" * 10_000})
    assert (tmp_path / "log").read_text().count("\n") == 100


def test_service_outlives_the_reader_of_its_log(network: Network, tmp_path: Path) -> None:
    network.need_process("nobody reads its console")
    line = [
        *network.program,
        "serve",
        f"--zones={tmp_path}",
        f"--listen={network.listen}",
        *network.arguments,
        "--log-format=json",
        "--poll=100ms",
    ]
    with subprocess.Popen(line, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        addresses = next(event["addresses"] for event in map(json.loads, process.stderr) if event["event"] == "ready")
        process.stderr.close()
        process.send_signal(signal.SIGHUP)  # which is logged
        port = int(addresses[0].rpartition(":")[2])
        for _ in range(3):
            assert "status: REFUSED" in ask("dig", network.server, port, "example.com", "A")
        process.terminate()
        assert process.wait(60) == 0
