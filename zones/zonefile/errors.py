"""How the parts of the parser say what is wrong; the parser adds the place and makes findings of it."""

from typing import Final

_SHOWN: Final = 40


class Fault(Exception):
    """Something is wrong with one field of an entry."""

    def __init__(self, field: int, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.field = field
        """Index of the field concerned; one past the last where a field is missing."""
        self.message = message
        self.hint = hint


class BadText(Exception):
    """The text cannot be cut into fields."""

    def __init__(self, offset: int, resume: int, message: str, hint: str) -> None:
        super().__init__(message)
        self.offset = offset
        """Index of the offending octet in the text."""
        self.resume = resume
        """Index at which the next line begins that can be read."""
        self.message = message
        self.hint = hint


def quote(field: bytes) -> str:
    """`field` for a message: shortened, and with everything but printable ASCII escaped."""
    shown = "".join(chr(octet) if 32 <= octet <= 126 else f"\\x{octet:02x}" for octet in field[:_SHOWN])
    return f"'{shown}...'" if len(field) > _SHOWN else f"'{shown}'"
