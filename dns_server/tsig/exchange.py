"""Both sides of a signed conversation.

Read first: RFC 8945 5.3 (replies), 5.3.1 (streams of messages), 5.4 (what a client checks).
"""

from dataclasses import replace
from typing import Final

from dns_server.answer.request import Malformed
from dns_server.tsig.macs import is_allowed_size, is_equal, mac, mac_size
from dns_server.tsig.records import ERROR_NAMES, Error, Tsig, append, split
from zones.keys import TsigKey
from zones.name import to_text

FUDGE_S: Final = 300
"""Seconds that clocks may differ (RFC 8945 10 recommends them)."""


class Replies:
    """Signs the replies to one request: all messages of a stream, in their order."""

    def __init__(self, key: TsigKey, request: Tsig) -> None:
        self._key = key
        self._size = len(request.mac)  # RFC 8945 5.4: a client that truncates takes replies that are truncated as much
        self._before = request.mac
        self._first = True

    @property
    def room(self) -> int:
        """Octets that the record adds to a message without an error."""
        return len(Tsig(self._key.name, self._key.algorithm, 0, 0, bytes(self._size), 0).to_wire())

    def sign(self, message: bytes, now: float, error: int = Error.NONE, other: bytes = b"") -> bytes:
        """`message` with its TSIG record."""
        key = self._key
        original_id = int.from_bytes(message[:2], "big")
        tsig = Tsig(key.name, key.algorithm, int(now), FUDGE_S, b"", original_id, error, other)
        made = mac(key, tsig, message, self._before, first=self._first)[: self._size]
        self._before = made
        self._first = False
        return append(message, replace(tsig, mac=made))


class NotBelieved(Exception):
    """A reply is not signed as it must be; says how."""


class Request:
    """A request that a client signs, and the replies to it."""

    def __init__(self, key: TsigKey, message: bytes, now: float) -> None:
        self._key = key
        tsig = Tsig(key.name, key.algorithm, int(now), FUDGE_S, b"", int.from_bytes(message[:2], "big"))
        self._before = mac(key, tsig, message, b"")
        self._first = True
        self.wire: Final = append(message, replace(tsig, mac=self._before))
        """With its TSIG record."""

    def verify(self, wire: bytes, now: float) -> bytes:
        """A reply without its TSIG record, when it is believed. NotBelieved."""
        try:
            found = split(wire)
        except Malformed as malformed:
            raise NotBelieved(f"the reply is out of form: {malformed}") from None
        if found is None:
            raise NotBelieved("the reply is not signed: the server does not know TSIG, or somebody else answers")
        message, tsig = found
        key = self._key
        if tsig.error in (Error.BADKEY, Error.BADSIG):  # these can't be signed
            raise NotBelieved(_refusal(key, tsig))
        if (tsig.name, tsig.algorithm) != (key.name, key.algorithm):
            raise NotBelieved("the reply is signed with another key")
        made = mac(key, tsig, message, self._before, first=self._first)
        size = len(tsig.mac)
        if not is_allowed_size(key.algorithm, size) or not is_equal(made[:size], tsig.mac):
            raise NotBelieved("the signature of the reply is wrong: the secrets differ, or somebody changed it")
        if tsig.error:
            raise NotBelieved(_refusal(key, tsig))
        if abs(now - tsig.time_signed) > tsig.fudge:
            raise NotBelieved("the reply is too old, or the clocks differ")
        self._before = tsig.mac
        self._first = False
        return wire[:2] + message[2:]


def _refusal(key: TsigKey, tsig: Tsig) -> str:
    """What the server has against our signature."""
    hints = {
        Error.BADKEY: f"it does not know the key {to_text(key.name)}, or has it with another algorithm",
        Error.BADSIG: "it has another secret for the key",
        Error.BADTIME: "the clocks differ",
        Error.BADTRUNC: f"it wants all {mac_size(key.algorithm)} octets of the signature",
    }
    name = ERROR_NAMES.get(tsig.error, str(tsig.error))
    return f"the server refused the signature, {name}: {hints.get(tsig.error, 'for a reason of its own')}"
