"""Log lines on the console: for people, or one JSON object a line."""

import contextlib
import io
import json
import os
import select
from typing import Final, TextIO

from structlog.typing import EventDict

from dns_server.parameters.logs import LogFormat

_COLOURS: Final = {"debug": "\x1b[2m", "warning": "\x1b[33m", "error": "\x1b[31m", "critical": "\x1b[31m"}
_RESET: Final = "\x1b[0m"
_PIECE: Final = 4096  # octets: a pipe that can be written to takes as many without blocking (PIPE_BUF, pipe(7))


class Console:
    """Writes each event as a line; loses lines rather than wait for a reader that does not read."""

    def __init__(self, stream: TextIO, log_format: LogFormat) -> None:
        self._output = _Output(stream)
        self._render = _as_json if log_format is LogFormat.JSON else _Text(colour=stream.isatty())

    def __call__(self, event: EventDict) -> None:
        """Write `event`; never raises for what the stream does."""
        if self._output.lost and self._output.is_ready():
            lost, self._output.lost = self._output.lost, 0
            fields = {"event": "log lines were lost: the console did not take them", "level": "warning"}
            self._output.write(self._render({**fields, "timestamp": event["timestamp"], "lines": lost}))
        self._output.write(self._render(event))


class _Output:
    """The stream; a terminal that is stopped or a full pipe must not stop the service."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._cut = False  # the last line has no end
        self._descriptor: int | None = None
        with contextlib.suppress(io.UnsupportedOperation):
            self._descriptor = stream.fileno()
        self._poll = None
        if self._descriptor is not None and hasattr(select, "poll"):  # images have none: their console never blocks
            self._poll = select.poll()
            self._poll.register(self._descriptor, select.POLLOUT)
        self.lost = 0
        """Lines that were not written, or not to their end."""

    def is_ready(self) -> bool:
        """Whether a piece can be written at once."""
        return self._poll is None or any(flags & select.POLLOUT for _, flags in self._poll.poll(0))

    def write(self, line: str) -> None:
        """Write a line, or count it as lost."""
        octets = (b"\n" if self._cut else b"") + line.encode(errors="backslashreplace") + b"\n"
        for start in range(0, len(octets), _PIECE):
            if not self.is_ready():
                self.lost += 1
                self._cut = self._cut or start > 0
                return
            try:
                self._write_piece(octets[start : start + _PIECE])
            except (OSError, ValueError):  # nobody reads any more; it is closed
                self.lost += 1
                return
        self._cut = False

    def _write_piece(self, octets: bytes) -> None:
        if self._descriptor is None:
            self._stream.write(octets.decode())
            return
        while octets:
            octets = octets[os.write(self._descriptor, octets) :]


def _as_json(event: EventDict) -> str:
    return json.dumps(event, ensure_ascii=True)


class _Text:
    """`12:34:56 event  key=value ...`, with colour for what is wrong on a terminal."""

    def __init__(self, *, colour: bool) -> None:
        self._colour = colour

    def __call__(self, event: EventDict) -> str:
        fields = " ".join(
            f"{key}={text_value(value)}" for key, value in event.items() if key not in ("timestamp", "level", "event")
        )
        level = event["level"]
        shown = "" if level == "info" else f"{level}: "
        line = f"{event['timestamp'][:19]}Z {shown}{event['event']}{'  ' if fields else ''}{fields}"
        colour = _COLOURS.get(level) if self._colour else None
        return f"{colour}{line}{_RESET}" if colour else line


def text_value(value: object) -> str:
    """A value of an event as it stands behind its key, quoted where it would not be clear where it ends."""
    if isinstance(value, list):
        return ",".join(text_value(item) for item in value)
    if isinstance(value, float):
        return f"{value:.3f}"
    if isinstance(value, str) and (not value or any(character in " =\"',\\" for character in value)):
        return '"' + value.replace('"', '\\"') + '"'
    return str(value)
