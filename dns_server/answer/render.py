"""Rendering of RRsets into an `Answer`: everything of a reply that lies between its question and its OPT record.

An answer is rendered once and serves each question whose name ends in the same `base`: pointers into that base and
into the answer itself move together by the difference in length, while the pointer to the start of the question's
name stays as it is. So one rendered NXDOMAIN serves all names of a zone, and one referral all names below a cut.

Read first: RFC 1035 4.1.4, RFC 2181 9, RFC 3597 4.
"""

import struct
from dataclasses import dataclass
from typing import Final, NamedTuple

from dns_server.answer.protocol import AA, HEADER_SIZE, MAX_MESSAGE, QR, TC
from dns_server.answer.rdata import COMPRESSIBLE, name_end
from zones.name import MAX_NAME, fold

QUESTION_POINTER: Final = b"\xc0\x0c"
_QUESTION_TAIL: Final = 4  # type and class behind the question's name
# A pointer has 14 bits, and a longer question moves its target by less than the length of a name.
_LAST_TARGET: Final = 0x3FFF - MAX_NAME
_COUNTS: Final = struct.Struct("!HHH")
_FIXED: Final = struct.Struct("!HHI")  # type, class, TTL


class Section:
    """Sections behind the question, as indices of their counts."""

    ANSWER: Final = 0
    AUTHORITY: Final = 1
    ADDITIONAL: Final = 2


class Mark(NamedTuple):
    """A place where the answer may be cut: behind an RRset and its signatures."""

    end: int
    """Octets of the body up to here."""
    counts: tuple[int, int, int]
    """Records of each section up to here."""


@dataclass(frozen=True, slots=True)
class Answer:
    """A rendered reply without header, question and OPT record."""

    flags: int
    """QR, AA and the rcode."""
    base: int
    """Length of the name that the pointers were made for; a longer question moves them."""
    body: bytes
    pointers: tuple[int, ...]
    """Where in `body` the 16-bit pointers stand that move."""
    marks: tuple[Mark, ...]
    """Places to cut, first to last; the first is before everything, the last is the whole."""
    needed: int
    """Index of the mark behind the last RRset that must not be left out without TC."""

    def message(self, head: bytes, flags: int, question: bytes, tail: bytes, tail_count: int, limit: int) -> bytes:
        """The whole reply in at most `limit` octets.

        `head` is the id, `flags` is joined with the answer's, `tail` are `tail_count` records that are always there.
        A reply that is too long ends behind the last RRset that fits, and has TC if one that is needed is left out.
        """
        room = limit - HEADER_SIZE - len(question) - len(tail)
        body = self.body
        index = len(self.marks) - 1
        flags |= self.flags
        while index and self.marks[index].end > room:
            index -= 1
        if index < self.needed:
            flags |= TC
        end, (answers, authorities, additionals) = self.marks[index]
        if shift := len(question) - _QUESTION_TAIL - self.base:
            moved = bytearray(body)
            for position in self.pointers:
                target = (moved[position] << 8 | moved[position + 1]) + shift
                moved[position], moved[position + 1] = target >> 8, target & 0xFF
            body = bytes(moved)
        counts = _COUNTS.pack(answers, authorities, additionals + tail_count)
        return b"".join((head, flags.to_bytes(2, "big"), b"\0\1", counts, question, body[:end], tail))


class Renderer:
    """Collects the RRsets of one answer, section after section."""

    def __init__(self, base: bytes) -> None:
        self._base = len(base)
        self._start = HEADER_SIZE + len(base) + _QUESTION_TAIL
        self._body = bytearray()
        self._pointers: list[int] = []
        self._counts = [0, 0, 0]
        self._marks = [Mark(0, (0, 0, 0))]
        self._needed = 0
        self._targets: dict[bytes, int] = {}
        self._learn(fold(base), HEADER_SIZE, len(base))

    def __len__(self) -> int:
        """Octets collected."""
        return len(self._body)

    def _learn(self, name: bytes, offset: int, end: int) -> None:
        """Note for later pointers that the first `end` octets of `name`, folded, stand at `offset` of the message."""
        position = 0
        while position < end and name[position] and offset + position <= _LAST_TARGET:
            self._targets.setdefault(name[position:], offset + position)
            position += 1 + name[position]

    def _name(self, name: bytes) -> None:
        """Write `name`, as much of its end as is known as a pointer."""
        folded = fold(name)
        offset = self._start + len(self._body)
        position = 0
        while folded[position]:
            target = self._targets.get(folded[position:])
            if target is not None:
                self._body += name[:position]
                self._pointers.append(len(self._body))
                self._body += (0xC000 | target).to_bytes(2, "big")
                break
            position += 1 + folded[position]
        else:
            self._body += name
        self._learn(folded, offset, position)

    def _rdata(self, rdtype: int, rdata: bytes) -> None:
        """Write RDLENGTH and `rdata`."""
        before, names = COMPRESSIBLE.get(rdtype, (0, 0))
        if not names:
            self._body += len(rdata).to_bytes(2, "big")
            self._body += rdata
            return
        length_at = len(self._body)
        self._body += b"\0\0"
        self._body += rdata[:before]
        position = before
        for _ in range(names):
            end = name_end(rdata, position)
            self._name(rdata[position:end])
            position = end
        self._body += rdata[position:]
        self._body[length_at : length_at + 2] = (len(self._body) - length_at - 2).to_bytes(2, "big")

    def add(
        self, section: int, owner: bytes | None, rdtype: int, rdclass: int, ttl: int, rdatas: tuple[bytes, ...]
    ) -> None:
        """Add an RRset; `owner=None` is the question's name. Call `mark` when its signatures are behind it."""
        for rdata in rdatas:
            if owner is None:
                self._body += QUESTION_POINTER
            else:
                self._name(owner)
            self._body += _FIXED.pack(rdtype, rdclass, ttl)
            self._rdata(rdtype, rdata)
        self._counts[section] += len(rdatas)

    def mark(self, *, needed: bool) -> None:
        """The reply may be cut here; `needed` says whether what was added since the last mark must be in it."""
        answers, authorities, additionals = self._counts
        self._marks.append(Mark(len(self._body), (answers, authorities, additionals)))
        if needed:
            self._needed = len(self._marks) - 1

    def answer(self, rcode: int, *, authoritative: bool) -> Answer:
        """What was collected."""
        marks = self._marks
        while marks[-1].end > MAX_MESSAGE:  # no transport can carry it
            marks.pop()
        flags = QR | (AA if authoritative else 0) | rcode
        return Answer(flags, self._base, bytes(self._body), tuple(self._pointers), tuple(marks), self._needed)
