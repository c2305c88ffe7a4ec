"""The real program as a subprocess, its log lines as events to wait for."""

import json
import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.support import network, virtual

PATIENCE_S = 60.0
"""How long anything may take on a busy machine before a test gives up."""

_EMULATED = 4
"""How much longer things may take with a virtual machine, whose CPU is emulated."""
_POLLING = "--poll=1s"
"""How a virtual machine follows what tests change, which gets no SIGHUP."""

Event = Mapping[str, Any]


class Server:
    """A running `unizone`, with its arguments."""

    def __init__(self, arguments: Sequence[str], patience_s: float = PATIENCE_S, within: Sequence[str] = ()) -> None:
        """`within` is a command that runs the command behind it, such as `unshare --net`."""
        self._patience_s = patience_s * (_EMULATED if network.current().is_machine else 1)
        self._arguments = arguments
        self._network = network.current()
        self.address = self._network.server
        """Where it is asked."""
        self.process = subprocess.Popen(
            [*within, *network.current().program, *arguments],
            stderr=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            text=True,
            cwd=Path(__file__).parent.parent.parent,
        )
        self.events: list[Event] = []
        self.other_lines: list[str] = []
        self._changed = threading.Condition()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stderr is not None
        for line in self.process.stderr:
            with self._changed:
                try:
                    self.events.append(json.loads(line))
                except ValueError:
                    self.other_lines.append(line)
                self._changed.notify_all()
        with self._changed:
            self._changed.notify_all()

    def wait_for(self, event: str, after: int = 0, /, **fields: object) -> Event:
        """The first event of that name with those fields, after the first `after` events. AssertionError."""
        deadline = time.monotonic() + self._patience_s
        with self._changed:
            while True:
                for found in self.events[after:]:
                    if found["event"] == event and all(found.get(key) == value for key, value in fields.items()):
                        return found
                left = deadline - time.monotonic()
                if left <= 0 or (not self._reader.is_alive() and self.process.poll() is not None):
                    raise AssertionError(f"no {event!r} {fields} in {self.events} {self.other_lines}")
                self._changed.wait(min(left, 0.5))

    def has(self, event: str) -> bool:
        """Whether such an event was logged."""
        return any(found["event"] == event for found in self.events)

    @property
    def ports(self) -> dict[str, int]:
        """Port of each address it listens on over UDP and TCP."""
        return self.ports_for("UDP", "TCP")

    def ports_for(self, *transports: str) -> dict[str, int]:
        """Port of each address it listens on over just these."""
        found = {}
        for event in list(self.events):
            if event["event"] == "listening" and event["transports"] == list(transports):
                address, _, port = event["address"].rpartition(":")
                found[address.strip("[]")] = int(port)
        return found

    @property
    def port(self) -> int:
        """The port at `address`."""
        return self.ports[self.address]

    def port_for(self, transport: str) -> int:
        """The port at `address` that is for `transport` alone: TLS or HTTP."""
        return self.ports_for(transport)[self.address]

    @property
    def endpoint(self) -> str:
        """Where it is asked, as `ADDRESS:PORT`."""
        return f"{self.address}:{self.port}"

    def hang_up(self) -> None:
        """Ask it to look for a new version; a virtual machine finds it by polling, or the test is skipped."""
        if _POLLING in self._arguments and self._network.is_machine:
            return
        self._network.need_process("it gets no SIGHUP; NOTIFY and the webhook are for that")
        self.process.send_signal(signal.SIGHUP)

    def cpu_s(self) -> float:
        """User and system time that it has used."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def resident_mb(self) -> float:
        """Its resident memory now."""
        pages = int(Path(f"/proc/{self.process.pid}/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE") / 1e6

    def stop(self) -> int:
        """End it as an operator does; its exit code."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(PATIENCE_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            raise


def start(*arguments: str, listen: tuple[str, ...] = (), patience_s: float = PATIENCE_S) -> Server:
    """`unizone serve` on the network of the test; it may not listen yet."""
    where = network.current()
    for name in (word.partition("=")[0] for word in arguments) if where.is_machine else ():
        if name in virtual.LACKS:
            where.need_process(virtual.LACKS[name])
    listening = [f"--listen={address}" for address in listen or (where.listen,)]
    polling = [_POLLING] if where.is_machine and not any(word.startswith("--poll=") for word in arguments) else []
    return Server(["serve", "--log-format=json", *listening, *where.arguments, *polling, *arguments], patience_s)


@contextmanager
def serve(
    *arguments: str,
    listen: tuple[str, ...] = (),
    until: str = "ready",
    patience_s: float = PATIENCE_S,
) -> Iterator[Server]:
    """A server on the network of the test that has logged `until`; it must end cleanly and log no internal error."""
    server = start(*arguments, listen=listen, patience_s=patience_s)
    try:
        server.wait_for(until)
        yield server
    finally:
        code = server.stop()
    assert code == 0, (code, server.events, server.other_lines)
    assert not [event for event in server.events if "internal error" in event["event"]], server.events
    assert not server.other_lines


def eventually(condition: Callable[[], bool]) -> None:
    """Wait until `condition` holds. AssertionError after a long time."""
    deadline = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < deadline, "it never came true"
        time.sleep(0.02)
