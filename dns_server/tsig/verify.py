"""Judging a signed request, and the reply to one that is not believed.

Read first: RFC 8945 5.2 (the order of the checks), 5.3.2 (error responses).
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

from dns_server.answer.protocol import Rcode
from dns_server.answer.replies import bare_reply, question_of
from dns_server.answer.request import Malformed
from dns_server.tsig.exchange import FUDGE_S, Replies
from dns_server.tsig.macs import is_allowed_size, is_equal, mac
from dns_server.tsig.records import ERROR_NAMES, Error, Tsig, append, split
from zones.keys import TsigKey
from zones.name import to_text

MIN_MAC: Final = 16
"""Octets of a truncated MAC that are believed; fewer are BADTRUNC (the local policy of RFC 8945 5.2.4)."""


@dataclass(frozen=True, slots=True)
class Verified:
    """A request that the owner of `key` signed, not long ago."""

    key: TsigKey
    message: bytes
    """Without the TSIG record."""
    tsig: Tsig

    def replies(self) -> Replies:
        """Signs what is said in reply, one message or many."""
        return Replies(self.key, self.tsig)


@dataclass(frozen=True, slots=True)
class Rejected:
    """A request that is not believed."""

    reason: str
    """For logs and counters: BADKEY, BADSIG, BADTIME, BADTRUNC or FORMERR."""
    key: str
    """Name of the key in presentation format; empty where it can't be read."""
    reply: bytes
    """Ready to be sent."""


def verify(wire: bytes, keys: Mapping[bytes, TsigKey], now: float) -> Verified | Rejected | None:
    """What is to be thought of the request `wire` (12 octets or more) at `now`; None if it carries no TSIG record."""
    try:
        found = split(wire)
    except Malformed:
        return _malformed(wire, "")
    if found is None:
        return None
    message, tsig = found
    name = to_text(tsig.name)
    key = keys.get(tsig.name)
    if key is None or key.algorithm != tsig.algorithm:
        return _unsigned(wire, tsig, Error.BADKEY, now)
    if not is_allowed_size(key.algorithm, len(tsig.mac)):
        return _malformed(wire, name)
    if not is_equal(mac(key, tsig, message, b"")[: len(tsig.mac)], tsig.mac):
        return _unsigned(wire, tsig, Error.BADSIG, now)
    if abs(now - tsig.time_signed) > tsig.fudge:
        return _signed(wire, key, tsig, Error.BADTIME, now)
    if len(tsig.mac) < MIN_MAC:
        return _signed(wire, key, tsig, Error.BADTRUNC, now)
    return Verified(key, wire[:2] + message[2:], tsig)


def late(wire: bytes, verified: Verified, now: float) -> Rejected:
    """The rejection of a request that is a copy of one that was obeyed (RFC 8945 5.2.3 has BADTIME for those)."""
    return _signed(wire, verified.key, verified.tsig, Error.BADTIME, now)


def _malformed(wire: bytes, name: str) -> Rejected:
    return Rejected("FORMERR", name, _reply(wire, Rcode.FORMERR))


def _unsigned(wire: bytes, tsig: Tsig, error: int, now: float) -> Rejected:
    """RFC 8945 5.3.2: an error of key or MAC is not signed."""
    record = replace(tsig, time_signed=int(now), fudge=FUDGE_S, mac=b"", error=error, other=b"")
    record = replace(record, original_id=int.from_bytes(wire[:2], "big"))
    return Rejected(ERROR_NAMES[error], to_text(tsig.name), append(_reply(wire, Rcode.NOTAUTH), record))


def _signed(wire: bytes, key: TsigKey, tsig: Tsig, error: int, now: float) -> Rejected:
    """RFC 8945 5.2.3: with the client's time, so that it can verify it; BADTIME tells the server's time beside."""
    other = int(now).to_bytes(6, "big") if error == Error.BADTIME else b""
    reply = Replies(key, tsig).sign(_reply(wire, Rcode.NOTAUTH), tsig.time_signed, error, other)
    return Rejected(ERROR_NAMES[error], to_text(tsig.name), reply)


def _reply(wire: bytes, rcode: int) -> bytes:
    return bare_reply(wire, rcode, question_of(wire))
