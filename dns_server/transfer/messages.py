"""Messages filled with the records of a transfer.

Read first: RFC 5936 2.2 (many records a message), 2.2.1 (header), RFC 1035 4.1.4 (compression reaches 16 KiB).
"""

from collections.abc import Iterable, Iterator
from typing import Final

from dns_server.answer.protocol import CLASS_IN, HEADER_SIZE, MAX_MESSAGE, Rcode
from dns_server.answer.render import Answer, Renderer, Section
from dns_server.answer.request import Request
from zones.rrset import RRset

FULL: Final = 16_000
"""Octets at which a message is full: names can be pointed to up to here, and one is made in about a millisecond."""
_FIXED: Final = 10  # type, class, TTL, RDLENGTH
_MAX_NAME: Final = 255


class TooLong(Exception):
    """A record fits into no message."""


def bodies(qname: bytes, records: Iterable[RRset], room: int = MAX_MESSAGE) -> Iterator[Answer]:
    """Bodies of messages of at most `room` octets, header and question included, that have `records` in their order.

    TooLong when a record does not fit into one.
    """
    room -= HEADER_SIZE + len(qname) + 4
    renderer = Renderer(qname)
    for owner, rdtype, ttl, rdatas in records:
        size = sum(map(len, rdatas)) + len(rdatas) * (len(owner) + _FIXED)
        parts = (rdatas,) if size < FULL else tuple((rdata,) for rdata in rdatas)
        for part in parts:
            needed = size if part is rdatas else len(part[0]) + len(owner) + _FIXED
            if len(renderer) and (len(renderer) >= FULL or len(renderer) + needed > room):
                yield _body(renderer)
                renderer = Renderer(qname)
            if needed > room:
                raise TooLong
            renderer.add(Section.ANSWER, owner, rdtype, CLASS_IN, ttl, part)
    yield _body(renderer)


def message(request: Request, body: Answer, opt: bytes, room: int = MAX_MESSAGE) -> bytes:
    """The whole message; `opt` is an OPT record or nothing."""
    return body.message(request.id, request.recursion_desired, request.question, opt, 1 if opt else 0, room)


def _body(renderer: Renderer) -> Answer:
    renderer.mark(needed=True)
    return renderer.answer(Rcode.NOERROR, authoritative=True)
