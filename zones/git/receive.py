"""The pushing side of the git protocol over any session.

Read first: gitprotocol-pack(5), "Pushing Data To a Server".
"""

from typing import Final

from zones.git.errors import BadAnswer, Refused, quoted
from zones.git.limits import Limits
from zones.git.pktline import FLUSH, Marker, PacketReader, encode
from zones.git.transport import Session
from zones.git.upload import AGENT, read_advertisement

_DATA_BAND: Final = 1
_MESSAGE_BAND: Final = 2
_ERROR_BAND: Final = 3
_MAX_REPORT: Final = 1 << 20
_MAX_SAID: Final = 2000
NO_OBJECT: Final = "0" * 40


class Overtaken(Refused):
    """The branch is not where it was expected: somebody else pushed."""


async def push_ref(session: Session, ref: bytes, old: str, new: str, pack: bytes, limits: Limits) -> None:
    """Move `ref` from `old` to `new`, whose objects are in `pack`, or leave it alone.

    The server compares `old` itself while it holds the ref's lock, so nothing is ever overwritten. Overtaken when the
    ref has moved already; Refused when the server says no; BadAnswer and OSError leave open whether it moved.
    """
    advertisement = await read_advertisement(session, limits)
    if advertisement.version == 2:
        raise BadAnswer("the server pushes by protocol version 2, which git does not have")
    if advertisement.refs.get(ref, NO_OBJECT) != old:
        raise Overtaken(f"{quoted(ref)} has moved")
    offered = advertisement.capabilities
    if b"report-status" not in offered:
        raise BadAnswer("the server is too old: it does not report what became of a push")
    chosen = [b"report-status"]
    chosen += [b"side-band-64k"] if b"side-band-64k" in offered else []
    chosen += [AGENT] if b"agent" in offered else []
    command = b"%s %s %s\0 %s" % (old.encode(), new.encode(), ref, b" ".join(chosen))
    reader = PacketReader(await session.request(encode(command) + FLUSH + pack))
    if b"side-band-64k" in offered:
        report, said = await _read_bands(reader)
        reader = PacketReader(_Buffered(report))
    else:
        said = b""
    await _read_report(reader, ref, said)


class _Buffered:
    """A stream of octets in memory."""

    def __init__(self, data: bytes) -> None:
        self._data = data

    async def read(self, limit: int) -> bytes:
        data, self._data = self._data[:limit], self._data[limit:]
        return data


async def _read_bands(reader: PacketReader) -> tuple[bytes, bytes]:
    """The report, and what the server's hooks said."""
    report, said = bytearray(), bytearray()
    while (packet := await reader.read()) is not Marker.FLUSH:
        if isinstance(packet, Marker) or not packet:
            raise BadAnswer("the report of the push is out of form")
        if packet[0] == _DATA_BAND:
            report += packet[1:]
            if len(report) > _MAX_REPORT:
                raise BadAnswer(f"the report of the push is longer than {_MAX_REPORT} octets")
        elif packet[0] == _MESSAGE_BAND:
            said = (said + packet[1:])[-_MAX_SAID:]
        elif packet[0] == _ERROR_BAND:
            raise Refused(f"the server says: {quoted(packet[1:])}")
    return bytes(report), bytes(said)


async def _read_report(reader: PacketReader, ref: bytes, said: bytes) -> None:
    """Refused unless the report says that `ref` was moved."""
    tail = f" ({quoted(said)})" if said else ""
    status = await reader.read_line()
    if isinstance(status, Marker) or not status.startswith(b"unpack "):
        raise BadAnswer("the report of the push is out of form")
    if status != b"unpack ok":
        raise Refused(f"the server could not unpack the push: {quoted(status[7:])}{tail}")
    while (line := await reader.read_line()) is not Marker.FLUSH:
        if isinstance(line, Marker):
            raise BadAnswer("the report of the push is out of form")
        if line == b"ok " + ref:
            return
        if line.startswith(b"ng " + ref):
            raise Refused(f"the server refuses the push: {quoted(line[4 + len(ref) :])}{tail}")
    raise BadAnswer("the server does not report what became of the push")
