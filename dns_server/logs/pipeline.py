"""From a call of a logger to its sinks: everything a line holds is made harmless once, for all of them.

Control characters in every text are escaped, passwords in URLs are masked, exceptions become one line.
"""

import logging
import sys
from collections.abc import Callable, Sequence
from typing import Final

import structlog
from structlog.typing import EventDict, WrappedLogger

from dns_server.parameters.logs import Level
from dns_server.values import mask_urls

Sink = Callable[[EventDict], None]
"""Takes an event with `timestamp`, `level`, `event` and its fields; keeps and changes nothing, never raises."""

_LEVELS: Final = {level: getattr(logging, level.name) for level in Level}
_MAX_TEXT: Final = 2000  # characters of one value
_MAX_PLACES: Final = 8  # of a traceback


def configure(level: Level, sinks: Sequence[Sink]) -> None:
    """Send the log lines of the whole process, the libraries' too, to `sinks`."""
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            _describe_exception,
            _sanitize,
            _Delivery(sinks),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(_LEVELS[level]),
        cache_logger_on_first_use=False,
    )
    root = logging.getLogger()
    root.handlers[:] = [_FromLogging()]
    # Libraries tell their daily life at info; that is nothing for our operator.
    root.setLevel(max(_LEVELS[level], logging.WARNING))


def redirect(sink: Sink) -> None:
    """Send the log lines of this process to `sink` alone from now on. Loggers at hand keep their sinks."""
    structlog.configure(processors=[*structlog.get_config()["processors"][:-1], _Delivery([sink])])


class _Delivery:
    """The last step."""

    def __init__(self, sinks: Sequence[Sink]) -> None:
        self._sinks = sinks

    def __call__(self, _logger: WrappedLogger, _name: str, event: EventDict) -> EventDict:
        for sink in self._sinks:
            sink(event)
        raise structlog.DropEvent


def printable(text: str) -> str:
    r"""`text` on one line: what is not printable is written as an escape (`\n`, `\x1b`), overlong text is cut."""
    if len(text) > _MAX_TEXT:
        text = f"{text[:_MAX_TEXT]}... ({len(text)} characters)"
    if text.isprintable():
        return text
    return "".join(part if part.isprintable() else repr(part)[1:-1] for part in text)


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
        event["traceback"] = " ".join(places[-_MAX_PLACES:])
    return event


def _sanitize(_logger: WrappedLogger, _name: str, event: EventDict) -> EventDict:
    return {printable(key): _clean(value) for key, value in event.items() if value is not None}


def _clean(value: object) -> object:
    if isinstance(value, bool | int | float):
        return value
    if isinstance(value, list | tuple):
        return [_clean(item) for item in value]
    return printable(mask_urls(str(value)))


class _FromLogging(logging.Handler):
    """What libraries log by the standard library's module, as our lines."""

    def emit(self, record: logging.LogRecord) -> None:
        fields: dict[str, object] = {"library": record.name}
        if record.exc_info:
            fields["exc_info"] = record.exc_info
        structlog.get_logger().log(record.levelno, record.getMessage(), **fields)
