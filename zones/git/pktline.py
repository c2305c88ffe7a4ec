"""Packet lines, the framing of the git protocol. Read first: gitprotocol-common(5)."""

import enum
from collections.abc import Iterable
from typing import Final, Protocol

from zones.git.errors import BadAnswer, Refused, quoted

MAX_LINE: Final = 65520  # gitprotocol-common: octets with the length's four


class ByteStream(Protocol):
    """Octets of a peer as they come."""

    async def read(self, limit: int) -> bytes:
        """At least one octet, about `limit` at most; empty at the end of the stream."""


class Marker(enum.Enum):
    """Packets without content."""

    FLUSH = b"0000"
    DELIMITER = b"0001"
    RESPONSE_END = b"0002"


FLUSH: Final = Marker.FLUSH.value
DELIMITER: Final = Marker.DELIMITER.value

_MARKERS: Final = {0: Marker.FLUSH, 1: Marker.DELIMITER, 2: Marker.RESPONSE_END}


def encode(line: bytes) -> bytes:
    """`line` as one packet."""
    assert 0 < len(line) <= MAX_LINE - 4
    return b"%04x" % (len(line) + 4) + line


def encode_all(lines: Iterable[bytes]) -> bytes:
    """`lines` as packets."""
    return b"".join(map(encode, lines))


class PacketReader:
    """Reads packets of a stream; an ERR packet raises `Refused`, anything out of form `BadAnswer`."""

    def __init__(self, stream: ByteStream) -> None:
        self._stream = stream
        self._buffer = bytearray()

    async def read(self) -> bytes | Marker:
        """The next packet's content. BadAnswer at the end of the stream."""
        head = await self._exactly(4)
        try:
            length = int(head, 16) if head.isalnum() else -1
        except ValueError:
            length = -1
        if length in _MARKERS:
            return _MARKERS[length]
        if not 4 <= length <= MAX_LINE:
            raise BadAnswer(f"this is no git protocol: {quoted(head + self._buffer, 60)!r}", "is it a git server?")
        content = await self._exactly(length - 4)
        if content.startswith(b"ERR "):
            raise Refused(f"the server says: {quoted(content[4:])}")
        return content

    async def read_line(self) -> bytes | Marker:
        """The next packet's content without its newline."""
        packet = await self.read()
        return packet if isinstance(packet, Marker) else packet.removesuffix(b"\n")

    async def read_rest(self, limit: int) -> bytes:
        """Everything to the end of the stream. BadAnswer beyond `limit` octets."""
        while data := await self._stream.read(1 << 16):
            self._buffer += data
            if len(self._buffer) > limit:
                raise BadAnswer(f"more than {limit} octets")
        return bytes(self._buffer)

    async def _exactly(self, count: int) -> bytes:
        while len(self._buffer) < count:
            data = await self._stream.read(1 << 16)
            if not data:
                raise BadAnswer("the server broke off", "see the server's log")
            self._buffer += data
        content = bytes(self._buffer[:count])
        del self._buffer[:count]
        return content
