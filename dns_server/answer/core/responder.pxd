# Types of responder.py where Cython compiles it; variables of its functions have theirs as annotations.
cimport cython
from dns_server.answer.core.directory cimport Directory
from dns_server.answer.core.query cimport Query
from dns_server.answer.core.reply cimport Reply
from dns_server.answer.core.zone cimport ZoneIndex

cdef Py_ssize_t _REPLY_STRIDE


@cython.final
cdef class Responder:
    cdef readonly Directory directory
    cdef Query _query
    cdef Reply _reply
    cdef Py_ssize_t _stride
    cdef int[::1] _lengths
    cdef int[::1] _reply_lengths

    cdef int _answer(self, Py_ssize_t to) except -1
