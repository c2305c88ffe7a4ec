"""QEMU's machine protocol: what is pressed, asked and stopped on a running machine from outside."""

import json
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.support import qemu


class Monitor:
    """A machine's monitor."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._lines = connection.makefile("r", encoding="utf-8")
        self._events: list[str] = []
        json.loads(self._lines.readline())  # the greeting
        self.execute("qmp_capabilities")

    def execute(self, command: str, **arguments: object) -> Any:  # noqa: ANN401
        """What QEMU answers to a command. RuntimeError when it refuses."""
        self._connection.sendall(json.dumps({"execute": command, "arguments": arguments}).encode() + b"\n")
        while True:
            message = self._read()
            if "return" in message:
                return message["return"]
            if "error" in message:
                raise RuntimeError(f"{command}: {message['error']['desc']}")

    def ask(self, line: str) -> str:
        """The text that the monitor for people answers to a line."""
        return str(self.execute("human-monitor-command", **{"command-line": line})).replace("\r\n", "\n")

    def wait_for(self, event: str) -> None:
        """Return when the machine has told of that event."""
        while event not in self._events:
            self._read()

    def _read(self) -> dict[str, Any]:
        line = self._lines.readline()
        assert line, "the machine has ended"
        message: dict[str, Any] = json.loads(line)
        if "event" in message:
            self._events.append(message["event"])
        return message


def options(folder: Path) -> list[str]:
    """Options of QEMU for a monitor in `folder`."""
    return ["-qmp", f"unix:{folder / 'qmp'},server=on,wait=off"]


@contextmanager
def monitor(folder: Path) -> Iterator[Monitor]:
    """The monitor of a running machine that was started with `options(folder)`."""
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(qemu.TIMEOUT_S)
        connection.connect(str(folder / "qmp"))
        yield Monitor(connection)
