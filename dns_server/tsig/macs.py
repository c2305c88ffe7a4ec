"""What TSIG signs, and with which hash.

Read first: RFC 8945 4.3 (digested data), 5.3.1 (streams), 6 (algorithms).
"""

import hashlib
import hmac
import struct
from typing import Final

from dns_server.answer.protocol import CLASS_ANY
from dns_server.tsig.records import Tsig
from zones import name as names
from zones.keys import ALGORITHMS, TsigKey

_HASHES: Final = {
    ALGORITHMS[157]: ("md5", 16),
    ALGORITHMS[161]: ("sha1", 20),
    ALGORITHMS[162]: ("sha224", 28),
    ALGORITHMS[163]: ("sha256", 32),
    ALGORITHMS[164]: ("sha384", 48),
    ALGORITHMS[165]: ("sha512", 64),
}
_LEAST: Final = 10  # RFC 8945 5.2.2.1, octets of a truncated MAC
_CLASS_AND_TTL: Final = struct.Struct("!HI").pack(CLASS_ANY, 0)


def mac_size(algorithm: bytes) -> int:
    """Octets of an untruncated MAC."""
    return _HASHES[algorithm][1]


def is_allowed_size(algorithm: bytes, size: int) -> bool:
    """Whether a MAC may have `size` octets: at least half of the hash's and 10, at most all (RFC 8945 5.2.2.1)."""
    whole = mac_size(algorithm)
    return max(_LEAST, (whole + 1) // 2) <= size <= whole


def mac(key: TsigKey, tsig: Tsig, message: bytes, before: bytes, *, first: bool = True) -> bytes:
    """The untruncated MAC of `message`, which has no TSIG record, with the other fields of `tsig`.

    `before` is the MAC that this one follows: the request's, the one of the message before in a stream, or none.
    `first` is False for all but the first message of a stream: those digest the times alone (RFC 8945 5.3.1).
    """
    digest = hmac.new(key.secret, digestmod=getattr(hashlib, _HASHES[key.algorithm][0]))
    if before:
        digest.update(len(before).to_bytes(2, "big") + before)
    digest.update(message)
    times = tsig.time_signed.to_bytes(6, "big") + tsig.fudge.to_bytes(2, "big")
    if first:
        digest.update(names.fold(tsig.name) + _CLASS_AND_TTL + tsig.algorithm + times)
        digest.update(struct.pack("!HH", tsig.error, len(tsig.other)) + tsig.other)
    else:
        digest.update(times)
    return digest.digest()


def is_equal(one: bytes, other: bytes) -> bool:
    """Whether two MACs are equal, in a time that tells nothing."""
    return hmac.compare_digest(one, other)
