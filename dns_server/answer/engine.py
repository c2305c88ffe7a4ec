"""A message in, the reply out: the one entry of this folder.

Read first: RFC 1035 4.1.1, RFC 6891 6 and 7, RFC 8906.
"""

import enum
from array import array
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from dns_server.answer import chaos
from dns_server.answer.answers import answer_for
from dns_server.answer.batch import Batch
from dns_server.answer.catalogue import Catalogue
from dns_server.answer.chaos import Identity
from dns_server.answer.core import cookies as core_cookies
from dns_server.answer.core.cookies import Cookies
from dns_server.answer.indexing import index_of, new_directory, new_responder
from dns_server.answer.load import Load
from dns_server.answer.protocol import (
    CLASS_CH,
    CLASS_IN,
    HEADER_SIZE,
    MAX_MESSAGE,
    OPCODE_SHIFT,
    QR,
    TC,
    UDP_MINIMUM,
    UDP_PAYLOAD,
    Ede,
    Opcode,
    Option,
    Rcode,
    Transport,
)
from dns_server.answer.render import Answer, Mark
from dns_server.answer.replies import bare_reply, extended_error, opt, option
from dns_server.answer.request import Malformed, Request, parse
from dns_server.answer.zone_options import zone_options
from stack.address import Address
from zones import rdtypes
from zones.slices import run_to_end

if TYPE_CHECKING:
    from dns_server.answer.core.directory import Directory

_ANONYMOUS: Final = Identity()


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


@dataclass(slots=True)
class Drops:
    """Messages that got no reply since the start, by what was wrong with them."""

    short: int = 0
    """Less than a header."""
    response: int = 0
    """QR was set: answering responses makes loops (RFC 8906 3.1.1 asks for answers to all queries)."""


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
        cookies: Cookies | None = None,
        cookie_load: int = 0,
    ) -> None:
        """`elsewhere` has the kinds of requests that `dispatch` leaves to others.

        With `cookies` clients get cookies (RFC 7873). While more than `cookie_load` queries a second come over UDP
        without a valid one, 0 for any number, such queries are not answered but told how to prove their address.
        """
        self.identity = identity
        self.drops = Drops()
        self.proven = False
        """Whether the client of the message that `respond` or `dispatch` took last holds a valid cookie."""
        self._cookies = cookies
        self._cookie_load = cookie_load
        self._load = Load(cookie_load)
        self._elsewhere = elsewhere
        self._catalogue = Catalogue()
        self._directory: Directory | None = new_directory()
        if catalogue is not None:
            self.catalogue = catalogue

    def divide(self, processes: int) -> None:
        """Have one of so many shares of the clients, as other processes have theirs: of a load, each sees its part."""
        self._load = Load(-(-self._cookie_load // processes))

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

    def respond(
        self, wire: bytes, transport: Transport, now: float, room: int = 0, source: Address = b""
    ) -> bytes | None:
        """The reply to the message `wire` that came at `now` (seconds since 1970); None if there is to be none.

        `room` is how many octets must be left free, for a signature; `source` is the address that the message is from,
        without which cookies mean nothing. Never raises, whatever the message: what can't be taken apart is answered
        with FORMERR, and what is for others is refused.
        """
        found = self._respond(wire, transport, now, room, source, frozenset())
        assert not isinstance(found, Kind)
        return found

    def dispatch(self, wire: bytes, transport: Transport, now: float, source: Address = b"") -> "bytes | Kind | None":
        """As `respond`; for a message that others are to answer, its kind."""
        return self._respond(wire, transport, now, 0, source, self._elsewhere)

    def _respond(
        self, wire: bytes, transport: Transport, now: float, room: int, source: Address, elsewhere: frozenset[Kind]
    ) -> "bytes | Kind | None":
        self.proven = False
        if len(wire) < HEADER_SIZE:
            self.drops.short += len(wire) > 0  # of nothing the reader knows why
            return None
        if wire[2] & QR >> 8:
            self.drops.response += 1
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
        cookie = self._judge(request, source, now)
        answer, rcode, ede = self._demand(request, transport, cookie, now) or self._answer(request)
        return self._reply(request, transport, answer, rcode, ede, room, cookie)

    def _judge(self, request: Request, source: Address, now: float) -> bytes:
        """The cookie option of the reply, if there is to be one; notes whether the client's was valid."""
        data = b"" if request.edns is None else request.edns.cookie
        if self._cookies is None or not data or not source:
            return b""
        state = self._cookies.judge(data, 0, len(data), source, 0, len(source), int(now))
        self.proven = state == core_cookies.PROVEN
        return option(Option.COOKIE, bytes(self._cookies.reply))

    def _demand(
        self, request: Request, transport: Transport, cookie: bytes, now: float
    ) -> tuple[Answer, int, int | None] | None:
        """What to say instead of an answer while too many queries come from clients without a valid cookie.

        RFC 7873 5.2.3 and 5.2.4: BADCOOKIE gives those who know of cookies one; TC sends the others to TCP.
        """
        if self._cookies is None or self.proven or transport is not Transport.UDP or _version_unknown(request):
            return None
        self._load.note(1, now)
        if not self._load.is_high:
            return None
        return (_empty(Rcode.BADCOOKIE & 0xF), Rcode.BADCOOKIE, None) if cookie else (_empty(TC), 0, None)

    def respond_batch(self, batch: Batch, count: int, respond: Respond, now: float) -> Sequence[tuple[int, Kind]]:
        """Reply to the first `count` datagrams of `batch`: the core to what it can, `respond` to each of the rest.

        `respond` gets the message and the address that it is from. The result is which datagrams others answer.
        `batch.trusted` is set; `now` is in seconds since 1970.
        """
        return self.respond_rest(batch, count, respond) if self.respond_core(batch, count, now) else ()

    def respond_rest(self, batch: Batch, count: int, respond: Respond) -> Sequence[tuple[int, Kind]]:
        """Let `respond` reply to the datagrams that the core left; which of them others answer."""
        elsewhere = []
        for index in range(count):
            if not batch.reply_lengths[index]:
                reply = respond(batch.query(index), batch.source(index))
                batch.trusted[index] = self.proven
                if isinstance(reply, Kind):
                    elsewhere.append((index, reply))
                elif reply is not None:
                    batch.put_reply(index, reply)
        return elsewhere

    def respond_core(self, batch: Batch, count: int, now: float) -> int:
        """Let the core answer what it can; how many datagrams are left, with 0 as the length of their reply."""
        if self._directory is None:
            batch.reply_lengths[:count] = array("i", bytes(4 * count))
            batch.trusted[:count] = bytes(count)
            return count
        responder = batch.responder
        if responder is None or responder.directory is not self._directory:
            responder = new_responder(self._directory, batch, self.identity.nsid, self._cookies)
            batch.responder = responder
        left: int = responder.respond(count, int(now), self._load.is_high)
        if responder.unproven:
            self._load.note(responder.unproven, now)
        return left

    def _answer(self, request: Request) -> tuple[Answer, int, int | None]:
        """Answer, rcode above what the answer's flags hold, and extended error of a well-formed query."""
        if _version_unknown(request):
            return _empty(Rcode.NOERROR), Rcode.BADVERS, None
        if request.tsig:  # RFC 8945 5.2.1: a key that is not known
            return _empty(Rcode.NOTAUTH), 0, None
        if request.qclass == CLASS_CH:
            return chaos.answer(self.identity, self.catalogue.revision, request.name, request.qtype), 0, None
        if request.qtype == rdtypes.NXNAME:  # RFC 9824 3.5
            return _empty(Rcode.FORMERR), 0, Ede.INVALID_QUERY_TYPE
        if request.qclass != CLASS_IN:
            return _empty(Rcode.REFUSED), 0, Ede.NOT_AUTHORITATIVE
        # No zone can have records of these; but ANY is answered, and 0 is a type that nothing has.
        if request.qtype not in (0, rdtypes.ANY) and rdtypes.is_meta(request.qtype):
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
        self,
        request: Request,
        transport: Transport,
        answer: Answer,
        rcode: int,
        ede: int | None,
        room: int,
        cookie: bytes,
    ) -> bytes:
        """`answer` as a message for this request, with an OPT record if the request had one (RFC 6891 6.1.1)."""
        edns = request.edns
        limit = MAX_MESSAGE
        if transport is Transport.UDP:
            limit = UDP_MINIMUM if edns is None else min(edns.payload, UDP_PAYLOAD)
        options = b""
        if edns is not None:
            if self.identity.name and edns.has(Option.NSID):
                options = option(Option.NSID, self.identity.nsid)
            if ede is not None:
                options += extended_error(ede)
            if edns.options and not rcode and request.qclass == CLASS_IN:
                found = self.catalogue.find(request.name, request.qtype)
                if found is not None and found[1] is not None:
                    options += zone_options(request, found[1].zone, self.catalogue.revision)
            options += cookie
        return answer.message(
            request.id,
            request.recursion_desired,
            request.question,
            opt(edns, options, rcode),
            0 if edns is None else 1,
            limit - room,
        )


_TRANSFERS: Final = frozenset({rdtypes.AXFR, rdtypes.IXFR})
_TRANSFERS_BY_DATAGRAM: Final = frozenset({rdtypes.IXFR})


def _version_unknown(request: Request) -> bool:
    """Whether the request is of an EDNS version after 0 (RFC 6891 6.1.3)."""
    return request.edns is not None and request.edns.version > 0


def _empty(rcode: int) -> Answer:
    """An answer without records."""
    return Answer(QR | rcode, 0, b"", (), (Mark(0, (0, 0, 0)),), 0)
