"""What a real syslog collector has understood, as lines of a file; rsyslog and syslog-ng run the same way."""

import signal
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from tests.support.server import eventually


class Message(NamedTuple):
    """A message as the collector understood it."""

    severity: str
    host: str
    application: str
    data: str
    text: str


@dataclass(frozen=True)
class Collected:
    """What arrived, over all runs in one folder."""

    file: Path
    process: "subprocess.Popen[bytes]"

    def send_signal(self, number: signal.Signals) -> None:
        """To the collector, and nobody else."""
        self.process.send_signal(number)

    def messages(self) -> list[Message]:
        lines = self.file.read_text(encoding="utf-8").splitlines() if self.file.exists() else []
        return [Message(*line.split("|", 4)) for line in lines]

    def has(self, text: str) -> bool:
        return any(text in message.text for message in self.messages())


@contextmanager
def collecting(
    command: Sequence[str], environment: Mapping[str, str], folder: Path, protocol: str, port: int
) -> Iterator[Collected]:
    """The collector that `command` starts, once it listens; it writes the fields of messages to `collected`."""
    log = folder / "collector.log"
    with log.open("a") as output:
        process = subprocess.Popen(command, env=dict(environment), stdout=output, stderr=output)
    try:
        eventually(lambda: _listens(port, protocol) or process.poll() is not None)
        assert process.poll() is None, log.read_text()
        yield Collected(folder / "collected", process)
    finally:
        process.terminate()
        process.wait(60)


def _listens(port: int, protocol: str) -> bool:
    """Whether a socket of this network is bound to `port`."""
    table = Path(f"/proc/thread-self/net/{'udp' if protocol == 'udp' else 'tcp'}").read_text()
    return f":{port:04X} 00000000:0000 " in table
