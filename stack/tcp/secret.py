"""What must not be guessed, made from one secret by keyed hashes: initial sequence numbers, ports, timestamps, cookies.

No randomness is needed after the secret: each value is a hash of the secret, its purpose and the addresses.
"""

from hashlib import blake2s
from typing import Final

from stack.address import Endpoint
from stack.tcp.options import Options
from stack.tcp.segment import Segment
from stack.tcp.sequence import wrap

SECRET_LENGTH: Final = 32
"""Octets of the secret, all of them random."""

_EPHEMERAL_FIRST: Final = 49152  # RFC 6335 6: dynamic ports
EPHEMERAL_COUNT: Final = 65536 - _EPHEMERAL_FIRST

_COOKIE_PERIOD: Final = 64.0  # seconds
_COOKIE_PERIODS_VALID: Final = 2
_COOKIE_SIZES: Final = (64, 536, 1200, 1220, 1360, 1440, 1460, 8960)  # segment sizes that fit into three bits
_OPTION_BITS: Final = 5  # of a cookie's timestamp: window scale (4), SACK permitted (1)
_NO_SCALE: Final = 15


class Secret:
    """Keyed hashes; `secret` is 32 random octets that live as long as the engine."""

    __slots__ = ("_key",)

    def __init__(self, secret: bytes) -> None:
        if len(secret) != SECRET_LENGTH:
            raise ValueError(f"the secret of TCP has {SECRET_LENGTH} octets, not {len(secret)}")
        self._key = secret

    def _hash(self, purpose: bytes, local: Endpoint, remote: Endpoint, more: int = 0) -> int:
        text = b"".join(
            (local.address, local.port.to_bytes(2), remote.address, remote.port.to_bytes(2), more.to_bytes(8))
        )
        return int.from_bytes(blake2s(text, digest_size=4, key=self._key, person=purpose).digest())

    def initial_sequence(self, local: Endpoint, remote: Endpoint, now: float) -> int:
        """RFC 6528 3: ISN = M + F(localip, localport, remoteip, remoteport, secretkey); M counts 4 microseconds."""
        return wrap(int(now * 250_000) + self._hash(b"isn", local, remote))

    def timestamp_offset(self, local: Endpoint, remote: Endpoint) -> int:
        """RFC 7323 7.1: what is added to the clock in timestamps, so that they don't tell how long we have been up."""
        return self._hash(b"tsval", Endpoint(local.address, 0), Endpoint(remote.address, 0))

    def port(self, local: Endpoint, remote: Endpoint, attempt: int) -> int:
        """RFC 6056 3.3.3: the ephemeral port to try, `attempt` being the count of all ports tried so far."""
        return _EPHEMERAL_FIRST + (self._hash(b"port", local, remote) + attempt) % EPHEMERAL_COUNT

    def cookie(self, local: Endpoint, remote: Endpoint, initial: int, mss: int, now: float) -> int:
        """RFC 4987 3.6: the sequence number of a SYN,ACK that holds what would else be kept.

        Bits: 5 of the time, 3 of the segment size, 24 of the hash. `initial` is the peer's sequence number.
        """
        period = int(now / _COOKIE_PERIOD)
        size = max(index for index, fits in enumerate(_COOKIE_SIZES) if fits <= max(mss, _COOKIE_SIZES[0]))
        return (period & 31) << 27 | size << 24 | self._cookie_hash(local, remote, initial, period, size)

    def cookie_mss(self, local: Endpoint, remote: Endpoint, initial: int, cookie: int, now: float) -> int | None:
        """The segment size in a `cookie` that we made for this peer not long ago; None when we did not."""
        current = int(now / _COOKIE_PERIOD)
        age = (current - (cookie >> 27)) & 31
        size = cookie >> 24 & 7
        if age >= _COOKIE_PERIODS_VALID or current < age:
            return None
        if self._cookie_hash(local, remote, initial, current - age, size) != cookie & 0xFFFFFF:
            return None
        return _COOKIE_SIZES[size]

    def _cookie_hash(self, local: Endpoint, remote: Endpoint, initial: int, period: int, size: int) -> int:
        return self._hash(b"cookie", local, remote, initial << 32 | (period << 3 | size) & 0xFFFFFFFF) & 0xFFFFFF


def cookie_timestamp(clock: int, options: Options) -> int:
    """A TSval not later than `clock` whose low bits hold the window scale and SACK option of a SYN."""
    scale = _NO_SCALE if options.window_scale is None else options.window_scale
    bits = scale << 1 | options.sack_permitted
    value = clock >> _OPTION_BITS << _OPTION_BITS | bits
    return wrap(value if value <= clock else value - (1 << _OPTION_BITS))


def cookie_options(segment: Segment, mss: int) -> Options:
    """The options that the peer's SYN had, from the timestamps that came back in `segment`."""
    if segment.options.timestamps is None:
        return Options(mss=mss)
    value, echo = segment.options.timestamps
    scale = echo >> 1 & 15
    return Options(mss, None if scale == _NO_SCALE else scale, bool(echo & 1), (), (value, echo))
