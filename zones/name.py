"""Domain names in wire format: the one form in which every layer above the zone file passes them.

A name is `bytes`: labels, each behind its length octet, ended by the root's zero octet (RFC 1035 3.1). Nothing
here follows compression pointers; names in zones never have them.
"""

import re
from collections.abc import Iterator
from typing import Final

ROOT: Final = b"\0"
WILDCARD_LABEL: Final = b"\x01*"
MAX_NAME: Final = 255  # RFC 1035 2.3.4, octets with the root's
MAX_LABEL: Final = 63

# RFC 4343: only A to Z fold. Length octets are below 64, so folding a whole wire name leaves them alone.
_FOLD: Final = bytes(octet + 32 if 65 <= octet <= 90 else octet for octet in range(256))
# RFC 1035 5.1: characters that a zone file gives a meaning to.
_PLAIN: Final = re.compile(r"[!-\-/-\[\]-~]{1,63}(?:\.[!-\-/-\[\]-~]{1,63})*\.?")  # without the backslash
_SPECIAL: Final = frozenset(b'"().;\\@$')


class BadName(ValueError):
    """A text is no domain name; `position` is the index of the offending character in it."""

    def __init__(self, message: str, position: int) -> None:
        super().__init__(message)
        self.position = position


def fold(name: bytes) -> bytes:
    """`name` in lower case (RFC 4343)."""
    return name.translate(_FOLD)


def labels(name: bytes) -> Iterator[bytes]:
    """Labels of `name` without their length octets, leftmost first, without the root."""
    position = 0
    while length := name[position]:
        yield name[position + 1 : position + 1 + length]
        position += 1 + length


def count_labels(name: bytes) -> int:
    """Number of labels of `name` without the root: 0 for the root (RFC 4034 3.1.3 counts likewise)."""
    count = position = 0
    while length := name[position]:
        count += 1
        position += 1 + length
    return count


def parent(name: bytes) -> bytes:
    """`name` without its leftmost label. The root has no parent: ValueError."""
    if name == ROOT:
        raise ValueError("the root has no parent")
    return name[1 + name[0] :]


def ancestors(name: bytes) -> Iterator[bytes]:
    """`name` itself, then each name above it, the root last."""
    while name != ROOT:
        yield name
        name = name[1 + name[0] :]
    yield ROOT


def is_at_or_below(name: bytes, ancestor: bytes) -> bool:
    """Whether `name` equals `ancestor` or lies below it. Both must be folded."""
    if not name.endswith(ancestor):
        return False
    # The octets may agree by chance in the middle of a label: walk to the boundary.
    surplus, position = len(name) - len(ancestor), 0
    while position < surplus:
        position += 1 + name[position]
    return position == surplus


def canonical_key(name: bytes) -> bytes:
    """A sort key that gives the canonical order of names (RFC 4034 6.1) under plain comparison of `bytes`.

    Labels are folded, reversed, and each is ended by 0 with the octets 0 and 1 inside labels escaped.
    """
    parts = [label.replace(b"\x01", b"\x01\x02").replace(b"\0", b"\x01\x01") for label in labels(name.translate(_FOLD))]
    parts.reverse()
    return b"\0".join([*parts, b""])


def from_text(text: str, origin: bytes | None = ROOT) -> bytes:
    r"""`text` in presentation format as a wire name, its letter case kept.

    A name without a final dot is relative to `origin` (wire); `origin=None` refuses those. `\DDD` and `\X` escapes
    as RFC 1035 5.1 has them; characters outside ASCII are refused: IDNs are written as A-labels.
    """
    if text == "@" and origin is not None:
        return origin
    if text == ".":
        return ROOT
    if not text:
        raise BadName("empty name", 0)
    if origin is not None and _PLAIN.fullmatch(text):
        return _joined(text, origin)
    wire = bytearray()
    label = bytearray()
    position, end = 0, len(text)
    absolute = False
    while position < end:
        character = text[position]
        absolute = False
        if character == ".":
            if not label:
                raise BadName("empty label", position)
            wire.append(len(label))
            wire += label
            label.clear()
            absolute = True
            position += 1
            continue
        if character == "\\":
            octet, width = _escape(text, position)
        else:
            octet, width = ord(character), 1
            if octet > 126 or octet < 33:
                raise BadName("character outside printable ASCII (write IDNs as A-labels, xn--...)", position)
        label.append(octet)
        if len(label) > MAX_LABEL:
            raise BadName("label longer than 63 octets", position)
        position += width
    if label:
        wire.append(len(label))
        wire += label
    if absolute:
        wire += ROOT
    elif origin is None:
        raise BadName("relative name; end it with a dot", end - 1)
    else:
        wire += origin
    if len(wire) > MAX_NAME:
        raise BadName("name longer than 255 octets", 0)
    return bytes(wire)


def _joined(text: str, origin: bytes) -> bytes:
    """Wire name of labels without escapes, of which none is empty or too long."""
    labels = [bytes([len(label)]) + label for label in text.encode("ascii").split(b".") if label]
    wire = b"".join(labels) + (ROOT if text[-1] == "." else origin)
    if len(wire) > MAX_NAME:
        raise BadName("name longer than 255 octets", 0)
    return wire


def _escape(text: str, position: int) -> tuple[int, int]:
    """Octet and width in characters of the escape at `position`."""
    digits = text[position + 1 : position + 4]
    if not digits:
        raise BadName("backslash at the end", position)
    if digits[0].isdigit():
        if len(digits) < 3 or not (digits.isascii() and digits.isdigit()) or int(digits) > 255:
            raise BadName("escape is not \\000 to \\255", position)
        return int(digits), 4
    if not 32 <= ord(digits[0]) <= 126:
        raise BadName("escaped character outside printable ASCII", position)
    return ord(digits[0]), 2


def to_text(name: bytes) -> str:
    """`name` in presentation format, absolute, with the escapes that RFC 1035 5.1 needs."""
    if name == ROOT:
        return "."
    return "".join(f"{_label_text(label)}." for label in labels(name))


def _label_text(label: bytes) -> str:
    return "".join(
        f"\\{chr(octet)}" if octet in _SPECIAL else chr(octet) if 33 <= octet <= 126 else f"\\{octet:03d}"
        for octet in label
    )
