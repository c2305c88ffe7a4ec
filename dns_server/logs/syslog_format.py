"""Events as syslog messages.

Read first: RFC 5424 (the format), RFC 3164 (the one before), RFC 6587 (framing on streams).
"""

import datetime as dt
import re
from collections.abc import Callable
from typing import Final

from structlog.typing import EventDict

from dns_server.logs.console import text_value
from dns_server.parameters.logs import Framing, SyslogFormat

DAEMON: Final = 3
"""Facility (RFC 5424 6.2.1)."""
_SEVERITIES: Final = {"critical": 2, "error": 3, "warning": 4, "info": 6, "debug": 7}
_NOTICE: Final = 5  # for levels that a library made up
_STRUCTURED: Final = ("zone", "commit", "peer", "client", "key")
"""Fields that become structured data; the others are part of the message."""
_ELEMENT: Final = "unizone@32473"  # RFC 5612: the number for those that have none of their own
_APPLICATION: Final = "unizone"
_NIL: Final = "-"
_MAX_HOST: Final = 255  # RFC 5424 6
_MAX_OLD: Final = 1024  # RFC 3164 4.1, octets
_UNPRINTABLE: Final = re.compile(r"[^\x21-\x7e]")


Render = Callable[[EventDict], bytes]


def renderer(syslog_format: SyslogFormat, host: str, process: int) -> Render:
    """A function from events to messages of this host and process."""
    host = _UNPRINTABLE.sub("_", host)[:_MAX_HOST] or _NIL
    if syslog_format is SyslogFormat.RFC5424:
        return lambda event: _rfc5424(event, host, process)
    return lambda event: _rfc3164(event, host, process)


def frame(message: bytes, framing: Framing) -> bytes:
    """`message` for a stream. It holds no newline: events are one line."""
    return b"%d %b" % (len(message), message) if framing is Framing.OCTETS else message + b"\n"


def _rfc5424(event: EventDict, host: str, process: int) -> bytes:
    data = "".join(f' {name}="{_escape(event[name])}"' for name in _STRUCTURED if name in event)
    structured = f"[{_ELEMENT}{data}]" if data else _NIL
    head = f"<{_priority(event)}>1 {event['timestamp']} {host} {_APPLICATION} {process} {_NIL} {structured}"
    return _octets(f"{head} {_message(event, _STRUCTURED)}")


def _rfc3164(event: EventDict, host: str, process: int) -> bytes:
    moment = dt.datetime.fromisoformat(event["timestamp"])
    stamp = f"{moment:%b} {moment.day:2} {moment:%H:%M:%S}"  # English names: the locale is never set
    text = f"<{_priority(event)}>{stamp} {host} {_APPLICATION}[{process}]: {_message(event, ())}"
    return _octets(text)[:_MAX_OLD]


def _priority(event: EventDict) -> int:
    return DAEMON * 8 + _SEVERITIES.get(event["level"], _NOTICE)


def _message(event: EventDict, without: tuple[str, ...]) -> str:
    fields = (key for key in event if key not in ("timestamp", "level", "event", *without))
    return " ".join([event["event"], *(f"{key}={text_value(event[key])}" for key in fields)])


def _escape(value: object) -> str:
    r"""A parameter's value: RFC 5424 6.3.3 escapes `"`, `\` and `]`."""
    return re.sub(r'(["\\\]])', r"\\\1", text_value(value) if isinstance(value, list) else str(value))


def _octets(text: str) -> bytes:
    # ASCII needs no byte order mark before the message (RFC 5424 6.4); the rest is printable, shown as escapes.
    return text.encode("ascii", "backslashreplace")
