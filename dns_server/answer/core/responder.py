"""Answers the datagrams of one batch."""

import cython

from dns_server.answer.batch import REPLY_STRIDE, Batch
from dns_server.answer.core.directory import Directory
from dns_server.answer.core.query import Query
from dns_server.answer.core.reply import Reply
from dns_server.answer.core.zone import ZoneIndex

COMPILED: bool = cython.compiled

_REPLY_STRIDE = REPLY_STRIDE


class Responder:
    """Takes the datagrams of a batch, whose buffers stay where they are, and fills in the replies."""

    def __init__(self, directory: Directory, batch: Batch, nsid: bytes) -> None:
        self.directory = directory
        self._query = Query(batch.queries)
        self._reply = Reply(batch.replies, nsid)
        self._stride = batch.stride
        self._lengths = batch.lengths
        self._reply_lengths = batch.reply_lengths

    def respond(self, count: cython.Py_ssize_t) -> cython.Py_ssize_t:
        """Answer what can be of the first `count` datagrams; how many are left, with 0 as the length of their reply."""
        missed: cython.Py_ssize_t = 0
        index: cython.Py_ssize_t
        for index in range(count):
            length: cython.int = 0
            if self._query.read(index * self._stride, self._lengths[index]):
                length = self._answer(index * _REPLY_STRIDE)
            self._reply_lengths[index] = length
            if not length:
                missed += 1
        return missed

    def _answer(self, to: cython.Py_ssize_t) -> cython.int:
        """Length of the reply to the query in hand, written at `to`; 0 if it is left to the engine."""
        apex: cython.Py_ssize_t = self.directory.find(self._query)
        if apex < 0:
            return self._reply.refuse(self._query, to)
        zone: ZoneIndex | None = self.directory.found()
        if zone is None:
            return 0
        answer: cython.Py_ssize_t = zone.look_up(self._query, apex)
        if answer < 0:
            return 0
        return self._reply.write(self._query, zone.kept, answer, to)
