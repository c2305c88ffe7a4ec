"""Log lines by structlog: for people on a terminal, or one JSON object a line.

A line cannot be forged by what a peer or a zone sends: control characters in every text are escaped before rendering.
Passwords in URLs are masked. Lines that a peer can cause go through `Throttle`.
"""

import logging
import sys
import time
from collections.abc import Callable
from typing import Any, Final, TextIO

import structlog
from structlog.typing import EventDict, WrappedLogger

from dns_server.parameters import Level, LogFormat
from dns_server.values import mask_urls

_LEVELS: Final = {level: getattr(logging, level.name) for level in Level}
_COLOURS: Final = {"debug": "\x1b[2m", "warning": "\x1b[33m", "error": "\x1b[31m", "critical": "\x1b[31m"}
_RESET: Final = "\x1b[0m"
_MAX_TEXT: Final = 2000  # characters of one value


def configure(level: Level, log_format: LogFormat, stream: TextIO) -> None:
    """Send the log lines of the whole process, the libraries' too, to `stream`."""
    renderer = structlog.processors.JSONRenderer(ensure_ascii=True) if log_format is LogFormat.JSON else _Text(stream)
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            _describe_exception,
            _sanitize,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(_LEVELS[level]),
        logger_factory=structlog.WriteLoggerFactory(file=stream),
        cache_logger_on_first_use=False,
    )
    root = logging.getLogger()
    root.handlers[:] = [_FromLogging()]
    # Libraries tell their daily life at info; that is nothing for our operator.
    root.setLevel(max(_LEVELS[level], logging.WARNING))


def printable(text: str) -> str:
    r"""`text` on one line: what is not printable is written as an escape (`\n`, `\x1b`), overlong text is cut."""
    if len(text) > _MAX_TEXT:
        text = f"{text[:_MAX_TEXT]}... ({len(text)} characters)"
    if text.isprintable():
        return text
    return "".join(part if part.isprintable() else repr(part)[1:-1] for part in text)


class Throttle:
    """Passes one log line of a kind in each interval, and tells in the next how many were left out.

    What a peer can cause at will is logged through this, so that a flood does not fill a disk.
    """

    def __init__(
        self, write: Callable[..., Any], every_s: float = 10.0, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._write = write
        self._every_s = every_s
        self._clock = clock
        self._open_at: dict[str, float] = {}
        self._left_out: dict[str, int] = {}

    def __call__(self, event: str, **fields: object) -> None:
        """Log `event` (the kind, a constant of ours) with `fields`, or count it."""
        now = self._clock()
        if now < self._open_at.get(event, now):
            self._left_out[event] = self._left_out.get(event, 0) + 1
            return
        self._open_at[event] = now + self._every_s
        left_out = self._left_out.pop(event, 0)
        if left_out:
            fields["left_out"] = left_out
        self._write(event, **fields)


def _describe_exception(_logger: WrappedLogger, _name: str, event: EventDict) -> EventDict:
    """An exception under `exc_info` as one text with the places of its traceback, innermost last."""
    error = event.pop("exc_info", None)
    if error is True:
        error = sys.exc_info()[1]
    if isinstance(error, tuple):
        error = error[1]
    if isinstance(error, BaseException):
        places = []
        traceback = error.__traceback__
        while traceback is not None:
            code = traceback.tb_frame.f_code
            places.append(f"{code.co_filename}:{traceback.tb_lineno}({code.co_name})")
            traceback = traceback.tb_next
        event["exception"] = f"{type(error).__name__}: {error}"
        event["traceback"] = " ".join(places[-8:])
    return event


def _sanitize(_logger: WrappedLogger, _name: str, event: EventDict) -> EventDict:
    return {printable(key): _clean(value) for key, value in event.items() if value is not None}


def _clean(value: object) -> object:
    if isinstance(value, bool | int | float):
        return value
    if isinstance(value, list | tuple):
        return [_clean(item) for item in value]
    return printable(mask_urls(str(value)))


class _Text:
    """`12:34:56 event  key=value ...`, with colour for what is wrong on a terminal."""

    def __init__(self, stream: TextIO) -> None:
        self._colour = stream.isatty()

    def __call__(self, _logger: WrappedLogger, _name: str, event: EventDict) -> str:
        stamp = event.pop("timestamp")
        level = event.pop("level")
        what = event.pop("event")
        fields = " ".join(f"{key}={self._value(value)}" for key, value in event.items())
        shown = "" if level == "info" else f"{level}: "
        line = f"{stamp[:19]}Z {shown}{what}{'  ' if fields else ''}{fields}"
        colour = _COLOURS.get(level) if self._colour else None
        return f"{colour}{line}{_RESET}" if colour else line

    def _value(self, value: object) -> str:
        if isinstance(value, list):
            return ",".join(self._value(item) for item in value)
        if isinstance(value, float):
            return f"{value:.3f}"
        if isinstance(value, str) and (not value or any(character in " =\"',\\" for character in value)):
            return '"' + value.replace('"', '\\"') + '"'
        return str(value)


class _FromLogging(logging.Handler):
    """What libraries log by the standard library's module, as our lines."""

    def emit(self, record: logging.LogRecord) -> None:
        log = structlog.get_logger()
        fields: dict[str, object] = {"library": record.name}
        if record.exc_info:
            fields["exc_info"] = record.exc_info
        log.log(record.levelno, record.getMessage(), **fields)
