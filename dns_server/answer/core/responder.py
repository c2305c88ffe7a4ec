"""Answers the datagrams of one batch."""

import cython

from dns_server.answer.batch import PEER_STRIDE, REPLY_STRIDE, Batch
from dns_server.answer.core.cookies import Cookies
from dns_server.answer.core.directory import Directory
from dns_server.answer.core.query import Query
from dns_server.answer.core.reply import Reply
from dns_server.answer.core.zone import ZoneIndex

COMPILED: bool = cython.compiled

_REPLY_STRIDE = REPLY_STRIDE
_PEER_STRIDE = PEER_STRIDE
_AF_INET = 2
_GROUP = 16  # datagrams that are read before the first is answered: enough to fetch what they need from memory


class Responder:
    """Takes the datagrams of a batch, whose buffers stay where they are, and fills in the replies."""

    def __init__(self, directory: Directory, batch: Batch, nsid: bytes, cookies: Cookies | None) -> None:
        self.directory = directory
        self.unproven = 0
        """How many datagrams of the last call were answered without a valid cookie, where there are cookies."""
        self._cookies = cookies
        self._queries = [Query(batch.queries) for _ in range(_GROUP)]
        self._reply = Reply(batch.replies, nsid, cookies)
        self._stride = batch.stride
        self._lengths = batch.lengths
        self._reply_lengths = batch.reply_lengths
        self._peers = batch.peers
        self._trusted = batch.trusted
        self._demanding = False

    def respond(self, count: cython.Py_ssize_t, now: cython.longlong, demanding: cython.bint) -> cython.Py_ssize_t:
        """Answer what can be of the first `count` datagrams; how many are left, with 0 as the length of their reply.

        `now` is in seconds since 1970. With `demanding` clients without a valid cookie get no answers.
        """
        missed: cython.Py_ssize_t = 0
        index: cython.Py_ssize_t
        begin: cython.Py_ssize_t
        self._demanding = demanding
        self.unproven = 0
        for begin in range(0, count, _GROUP):
            end: cython.Py_ssize_t = min(begin + _GROUP, count)
            self._read(begin, end)
            for index in range(begin, end):
                query: Query = self._queries[index - begin]
                length: cython.int = 0
                self._trusted[index] = 0
                if query.is_plain:
                    length = self._respond(query, index, now)
                if not length:
                    missed += 1
                self._reply_lengths[index] = length
        return missed

    def _read(self, begin: cython.Py_ssize_t, end: cython.Py_ssize_t) -> cython.int:
        """Read the datagrams of a group, and have fetched from memory what their answers take, all at the same time."""
        index: cython.Py_ssize_t
        query: Query
        zone: ZoneIndex | None
        for index in range(begin, end):
            query = self._queries[index - begin]
            query.zone = -1
            query.is_plain = query.read(index * self._stride, self._lengths[index])
            if query.is_plain:
                zone = self.directory.find(query)
                if zone is not None:
                    zone.fetch_slot(query)
        if end - begin == 1:
            return 0
        for index in range(end - begin):
            query = self._queries[index]
            zone = self.directory.zone(query)
            if zone is not None:
                zone.fetch_name(query)
        for index in range(end - begin):
            query = self._queries[index]
            zone = self.directory.zone(query)
            if zone is not None:
                zone.fetch_answer(query)
        return 0

    def _respond(self, query: Query, index: cython.Py_ssize_t, now: cython.longlong) -> cython.int:
        """Length of the reply to the query in hand; 0 if it is left to the engine."""
        to: cython.Py_ssize_t = index * _REPLY_STRIDE
        cookies: Cookies | None = self._cookies
        self._reply.has_cookie = False
        if cookies is None:
            return self._answer(query, to)
        if query.cookie_size:
            peer: cython.Py_ssize_t = index * _PEER_STRIDE
            is_ipv4: cython.bint = self._peers[peer] | self._peers[peer + 1] == _AF_INET
            self._trusted[index] = cookies.judge(
                query.octets, query.cookie_at, query.cookie_size,
                self._peers, peer + (4 if is_ipv4 else 8), 4 if is_ipv4 else 16, now,
            )  # fmt: skip
            self._reply.has_cookie = True
        if self._trusted[index]:
            return self._answer(query, to)
        length: cython.int = self._reply.demand(query, to) if self._demanding else self._answer(query, to)
        if length:
            self.unproven += 1
        return length

    def _answer(self, query: Query, to: cython.Py_ssize_t) -> cython.int:
        """As `_respond`, whoever asks."""
        if query.zone < 0:
            return self._reply.refuse(query, to)
        zone: ZoneIndex | None = self.directory.zone(query)
        if zone is None:
            return 0
        answer: cython.Py_ssize_t = zone.look_up(query)
        if answer < 0:
            return 0
        return self._reply.write(query, zone.kept, answer, to)
