"""Values of parameters: from the text of a command line or boot line, and masked for printing.

Each parser takes a text and gives a value, or raises ValueError with what is wrong and what was expected.
"""

import enum
import ipaddress
import re
from collections.abc import Callable
from pathlib import Path
from typing import Final, TypeVar

from dns_server import endpoint
from dns_server.endpoint import Destination, Endpoint
from dns_server.reasons import reason
from stack import address
from stack.address import Address
from stack.interface.settings import Static


class Addressing(enum.Enum):
    """How the own stack comes to an address that is not written down."""

    DHCP = "dhcp"
    AUTO = "auto"
    NONE = "none"


Choice = TypeVar("Choice", bound=enum.Enum)

_UNITS: Final = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_DURATION: Final = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m|h|d)")
_MAX_DURATION_S: Final = 366 * 86400.0
# Bounded: a text of a peer must not cost more than its length.
_PASSWORD: Final = re.compile(r"([A-Za-z][A-Za-z0-9+.-]{0,15}://[^/\s:@]*):[^/\s]*@")
_COOKIE_SECRET: Final = re.compile("[0-9a-fA-F]{32}")
_TOKEN: Final = re.compile(r"(https?://)[^/\s:]+@", re.IGNORECASE)
_MIN_SECRET: Final = 16
MASK: Final = "***"

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


def duration(text: str) -> float:
    """Seconds, more than none: `500ms`, `60s`, `5m`, `2h`, `1d`."""
    match = _DURATION.fullmatch(text)
    if match is None:
        raise ValueError("expected a number with its unit: ms, s, m, h or d")
    seconds = float(match[1]) * _UNITS[match[2]]
    if not 0 < seconds <= _MAX_DURATION_S:
        raise ValueError("expected more than 0 and at most 366d")
    return seconds


def count(low: int, high: int) -> Callable[[str], int]:
    """A parser of whole numbers from `low` to `high`."""

    def parse(text: str) -> int:
        if not (text.isascii() and text.isdigit() and len(text) < 19) or not low <= int(text) <= high:
            raise ValueError(f"expected a whole number from {low} to {high}")
        return int(text)

    return parse


def count_or(word: str, meaning: int, low: int, high: int) -> Callable[[str], int]:
    """A parser of whole numbers from `low` to `high`, and of `word`, which means `meaning`."""
    number = count(low, high)

    def parse(text: str) -> int:
        if text == word:
            return meaning
        try:
            return number(text)
        except ValueError as error:
            raise ValueError(f"{error}, or {word}") from None

    return parse


def choice(choices: type[Choice]) -> Callable[[str], Choice]:
    """A parser of the values of an enum of texts."""

    def parse(text: str) -> Choice:
        for member in choices:
            if member.value == text:
                return member
        raise ValueError(f"expected one of {', '.join(str(member.value) for member in choices)}")

    return parse


def endpoints(text: str) -> tuple[Endpoint, ...]:
    """Addresses with ports, several between commas."""
    return tuple(endpoint.parse(part) for part in text.split(","))


def ipv4(value: str) -> Static | Addressing:
    """`ADDR/LEN` of IPv4, `dhcp` or `none`."""
    if value in ("dhcp", "none"):
        return Addressing(value)
    return _static(value, 4, "192.0.2.53/24, dhcp or none")


def ipv6(value: str) -> Static | Addressing:
    """`ADDR/LEN` of IPv6, `auto` or `none`."""
    if value in ("auto", "none"):
        return Addressing(value)
    return _static(value, 16, "2001:db8::53/64, auto or none")


def _static(value: str, octets: int, expected: str) -> Static:
    try:
        static = Static(*address.parse_interface(value))
    except ValueError as error:
        raise ValueError(f"{error}; expected {expected}") from None
    if len(static.address) != octets:
        raise ValueError(f"that is the other version of IP; expected {expected}")
    return static


def ipv4_address(value: str) -> Address:
    """An IPv4 address."""
    return _address(value, 4)


def ipv6_address(value: str) -> Address:
    """An IPv6 address."""
    return _address(value, 16)


def _address(value: str, octets: int) -> Address:
    parsed = address.parse(value)
    if len(parsed) != octets:
        raise ValueError("that is the other version of IP")
    return parsed


def addresses(text: str) -> tuple[Address, ...]:
    """Addresses, several between commas."""
    return tuple(address.parse(part) for part in text.split(","))


def destination(text: str) -> Destination:
    """A host, with or without a port."""
    return endpoint.parse_destination(text)


def networks(text: str) -> tuple[Network, ...]:
    """Networks with their prefix lengths, or single addresses; several between commas."""
    found: list[Network] = []
    for part in text.split(","):
        try:
            found.append(ipaddress.ip_network(part))
        except ValueError as error:
            raise ValueError(f"{part!r} is no network ({error})") from None
    return tuple(found)


def secret(value: str) -> str:
    """A secret of at least 16 characters, or `@FILE` for the first line of a file."""
    if value.startswith("@"):
        try:
            value = Path(value[1:]).read_text(encoding="utf-8").partition("\n")[0].strip()
        except (OSError, UnicodeDecodeError) as error:
            raise ValueError(f"the file can't be read: {reason(error)}") from None
    if len(value) < _MIN_SECRET or not value.isascii() or not value.isprintable():
        raise ValueError(f"expected at least {_MIN_SECRET} printable ASCII characters, or @FILE")
    return value


def cookie_secrets(value: str) -> tuple[bytes, ...]:
    """Secrets of 32 hexadecimal digits, several between commas, or `@FILE` for those on the lines of a file."""
    texts = value.split(",")
    if value.startswith("@"):
        try:
            texts = Path(value[1:]).read_text(encoding="ascii").split()
        except (OSError, UnicodeDecodeError) as error:
            raise ValueError(f"the file can't be read: {reason(error)}") from None
    if not texts or any(_COOKIE_SECRET.fullmatch(each) is None for each in texts):
        raise ValueError("expected 32 hexadecimal digits for each secret, as `openssl rand -hex 16` prints them")
    return tuple(map(bytes.fromhex, texts))


def text(value: str) -> str:
    """Printable text of at most 200 characters."""
    if not value.isprintable():
        raise ValueError("expected printable characters")
    if len(value) > 200:
        raise ValueError("expected at most 200 characters")
    return value


def folder(value: str) -> Path:
    """A folder that is there."""
    path = Path(_named(value))
    if not path.is_dir():
        raise ValueError("there is no such folder" if not path.exists() else "it is no folder")
    return path


def file(value: str) -> Path:
    """A file that is there and can be read."""
    path = Path(_named(value))
    try:
        with path.open("rb"):
            return path
    except OSError as error:
        raise ValueError(f"it can't be read: {error.strerror}") from None


def new_file(value: str) -> Path:
    """A file that can be written, in a folder that is there."""
    path = Path(_named(value))
    if not path.parent.is_dir() or path.is_dir():
        raise ValueError("it is a folder" if path.is_dir() else "there is no such folder")
    return path


def _named(value: str) -> str:
    if not value:  # else it would be the current folder
        raise ValueError("it is empty")
    return value


def mask_urls(value: str) -> str:
    """`value` with the passwords and tokens of URLs in it masked."""
    return _TOKEN.sub(rf"\1{MASK}@", _PASSWORD.sub(rf"\1:{MASK}@", value))
