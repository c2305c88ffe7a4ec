"""A message in, the reply out: the one entry of this folder.

Read first: RFC 1035 4.1.1, RFC 6891 6 and 7, RFC 8906.
"""

import enum
import struct
from array import array
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Final

from dns_server.answer import chaos
from dns_server.answer.answers import answer_for
from dns_server.answer.bare import bare_reply
from dns_server.answer.batch import Batch
from dns_server.answer.catalogue import Catalogue
from dns_server.answer.chaos import Identity
from dns_server.answer.indexing import index_of, new_directory, new_responder
from dns_server.answer.protocol import (
    CLASS_CH,
    CLASS_IN,
    HEADER_SIZE,
    MAX_MESSAGE,
    OPCODE_SHIFT,
    QR,
    UDP_MINIMUM,
    UDP_PAYLOAD,
    Ede,
    Opcode,
    Option,
    Rcode,
    Transport,
    Type,
    is_meta,
)
from dns_server.answer.render import Answer, Mark
from dns_server.answer.request import Malformed, Request, parse
from dns_server.answer.zone_options import zone_options
from stack.address import Address
from zones.slices import run_to_end

if TYPE_CHECKING:
    from dns_server.answer.core.directory import Directory

_OPT: Final = struct.Struct("!xHHBBHH")  # root, type, payload, extended rcode, version, flags, RDLENGTH
_OPTION: Final = struct.Struct("!HH")
_ANONYMOUS: Final = Identity()
_DO: Final = 0x8000
_EXTENDED_SHIFT: Final = 4  # the OPT record holds the rcode's bits above these


class Kind(enum.Enum):
    """Requests that are not answered from ready answers."""

    TRANSFER = "transfer"
    """AXFR, and IXFR over TCP (RFC 5936, RFC 1995)."""
    NOTIFY = "notify"
    """RFC 1996."""
    UPDATE = "update"
    """RFC 2136."""
    SIGNED = "signed"
    """Any other query with a TSIG record (RFC 8945)."""


Respond = Callable[[bytes, Address], "bytes | Kind | None"]
"""Takes a message and the address that it is from; the reply, none, or what kind of request others answer."""

_KINDS: Final = {Opcode.NOTIFY: Kind.NOTIFY, Opcode.UPDATE: Kind.UPDATE}


class Engine:
    """Answers for the zones of a catalogue. Swap the catalogue by assigning `catalogue`."""

    def __init__(
        self,
        identity: Identity = _ANONYMOUS,
        catalogue: Catalogue | None = None,
        elsewhere: frozenset[Kind] = frozenset(),
    ) -> None:
        """`elsewhere` has the kinds of requests that `dispatch` leaves to others."""
        self.identity = identity
        self._elsewhere = elsewhere
        self._catalogue = Catalogue()
        self._directory: Directory | None = new_directory()
        if catalogue is not None:
            self.catalogue = catalogue

    @property
    def catalogue(self) -> Catalogue:
        """What is served."""
        return self._catalogue

    @catalogue.setter
    def catalogue(self, catalogue: Catalogue) -> None:
        before, self._catalogue = self._catalogue, catalogue
        if self._directory is not None:
            for origin in catalogue.differing(before):
                table = catalogue.zones.get(origin)
                if origin in catalogue.zones:
                    self._directory.put(origin, None if table is None else table.index)
                else:
                    self._directory.remove(origin)

    def respond(self, wire: bytes, transport: Transport, now: float, room: int = 0) -> bytes | None:  # noqa: ARG002
        """The reply to the message `wire` that came at `now` (seconds); None if there is to be none.

        `room` is how many octets must be left free, for a signature. Never raises, whatever the message: what can't be
        taken apart is answered with FORMERR, and what is for others is refused.
        """
        found = self._respond(wire, transport, room, frozenset())
        assert not isinstance(found, Kind)
        return found

    def dispatch(self, wire: bytes, transport: Transport, now: float) -> "bytes | Kind | None":  # noqa: ARG002
        """As `respond`; for a message that others are to answer, its kind."""
        return self._respond(wire, transport, 0, self._elsewhere)

    def _respond(
        self, wire: bytes, transport: Transport, room: int, elsewhere: frozenset[Kind]
    ) -> "bytes | Kind | None":
        if (
            len(wire) < HEADER_SIZE or wire[2] & QR >> 8
        ):  # RFC 8906 3.1.1 asks for silence on neither: loops must not be
            return None
        opcode = int.from_bytes(wire[2:4], "big") >> OPCODE_SHIFT & 0xF
        if opcode != Opcode.QUERY:
            kind = _KINDS.get(opcode)
            if kind is None:  # RFC 8906 3.1.4: nothing behind the header can be known
                return bare_reply(wire, Rcode.NOTIMP)
            return kind if kind in elsewhere else bare_reply(wire, Rcode.REFUSED)
        try:
            request = parse(wire)
        except Malformed as malformed:
            return bare_reply(wire, Rcode.FORMERR, malformed.question)
        if elsewhere and not _version_unknown(request):
            # RFC 5936 4.2: there is no AXFR over UDP; RFC 1995 2: there is IXFR.
            transfers = _TRANSFERS if transport is Transport.TCP else _TRANSFERS_BY_DATAGRAM
            kind = Kind.TRANSFER if request.qtype in transfers else Kind.SIGNED if request.tsig else None
            if kind in elsewhere:
                return kind
        answer, rcode, ede = self._answer(request)
        return self._reply(request, transport, answer, rcode, ede, room)

    def respond_batch(self, batch: Batch, count: int, respond: Respond) -> Sequence[tuple[int, Kind]]:
        """Reply to the first `count` datagrams of `batch`: the core to what it can, `respond` to each of the rest.

        `respond` gets the message and the address that it is from. The result is which datagrams others answer.
        """
        return self.respond_rest(batch, count, respond) if self.respond_core(batch, count) else ()

    def respond_rest(self, batch: Batch, count: int, respond: Respond) -> Sequence[tuple[int, Kind]]:
        """Let `respond` reply to the datagrams that the core left; which of them others answer."""
        elsewhere = []
        for index in range(count):
            if not batch.reply_lengths[index]:
                reply = respond(batch.query(index), batch.source(index))
                if isinstance(reply, Kind):
                    elsewhere.append((index, reply))
                elif reply is not None:
                    batch.put_reply(index, reply)
        return elsewhere

    def respond_core(self, batch: Batch, count: int) -> int:
        """Let the core answer what it can; how many datagrams are left, with 0 as the length of their reply."""
        if self._directory is None:
            batch.reply_lengths[:count] = array("i", bytes(4 * count))
            return count
        responder = batch.responder
        if responder is None or responder.directory is not self._directory:
            responder = batch.responder = new_responder(self._directory, batch, self.identity.nsid)
        left: int = responder.respond(count)
        return left

    def _answer(self, request: Request) -> tuple[Answer, int, int | None]:
        """Answer, rcode above what the answer's flags hold, and extended error of a well-formed query."""
        if _version_unknown(request):
            return _empty(Rcode.NOERROR), Rcode.BADVERS, None
        if request.tsig:  # RFC 8945 5.2.1: a key that is not known
            return _empty(Rcode.NOTAUTH), 0, None
        if request.qclass == CLASS_CH:
            return chaos.answer(self.identity, self.catalogue.revision, request.name, request.qtype), 0, None
        if request.qtype == Type.NXNAME:  # RFC 9824 3.5
            return _empty(Rcode.FORMERR), 0, Ede.INVALID_QUERY_TYPE
        if request.qclass != CLASS_IN:
            return _empty(Rcode.REFUSED), 0, Ede.NOT_AUTHORITATIVE
        if is_meta(request.qtype):
            return _empty(Rcode.REFUSED), 0, Ede.NOT_SUPPORTED
        found = self.catalogue.find(request.name, request.qtype)
        if found is None:
            return _empty(Rcode.REFUSED), 0, Ede.NOT_AUTHORITATIVE
        origin, table = found
        if table is None:
            return _empty(Rcode.SERVFAIL), 0, Ede.NOT_READY
        if table.index is None and self._directory is not None:
            table.index = run_to_end(index_of(table))  # a small zone
            self._directory.put(origin, table.index)
        do = request.edns is not None and request.edns.do
        return answer_for(table, request.qname, request.name, request.qtype, do), 0, None

    def _reply(
        self, request: Request, transport: Transport, answer: Answer, rcode: int, ede: int | None, room: int
    ) -> bytes:
        """`answer` as a message for this request, with an OPT record if the request had one (RFC 6891 6.1.1)."""
        edns = request.edns
        limit = MAX_MESSAGE
        if transport is Transport.UDP:
            limit = UDP_MINIMUM if edns is None else min(edns.payload, UDP_PAYLOAD)
        opt = b""
        if edns is not None:
            options = b""
            if self.identity.name and edns.has(Option.NSID):
                options = _OPTION.pack(Option.NSID, len(self.identity.nsid)) + self.identity.nsid
            if ede is not None:
                options += _OPTION.pack(Option.EDE, 2) + ede.to_bytes(2, "big")
            if edns.options and not rcode and request.qclass == CLASS_IN:
                found = self.catalogue.find(request.name, request.qtype)
                if found is not None and found[1] is not None:
                    options += zone_options(request, found[1].zone, self.catalogue.revision)
            extended = rcode >> _EXTENDED_SHIFT
            opt = _OPT.pack(Type.OPT, UDP_PAYLOAD, extended, 0, _DO if edns.do else 0, len(options)) + options
        return answer.message(
            request.id, request.recursion_desired, request.question, opt, 0 if edns is None else 1, limit - room
        )


_TRANSFERS: Final = frozenset({Type.AXFR, Type.IXFR})
_TRANSFERS_BY_DATAGRAM: Final = frozenset({Type.IXFR})


def _version_unknown(request: Request) -> bool:
    """Whether the request is of an EDNS version after 0 (RFC 6891 6.1.3)."""
    return request.edns is not None and request.edns.version > 0


def _empty(rcode: int) -> Answer:
    """An answer without records."""
    return Answer(QR | rcode, 0, b"", (), (Mark(0, (0, 0, 0)),), 0)
