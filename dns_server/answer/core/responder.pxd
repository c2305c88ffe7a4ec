# Types of responder.py where Cython compiles it; variables of its functions have theirs as annotations.
cimport cython
from dns_server.answer.core.cookies cimport Cookies
from dns_server.answer.core.directory cimport Directory
from dns_server.answer.core.query cimport Query
from dns_server.answer.core.reply cimport Reply
from dns_server.answer.core.zone cimport ZoneIndex

cdef Py_ssize_t _REPLY_STRIDE, _PEER_STRIDE, _GROUP
cdef int _AF_INET


@cython.final
cdef class Responder:
    cdef readonly Directory directory
    cdef readonly Py_ssize_t unproven
    cdef Cookies _cookies
    cdef list _queries
    cdef Reply _reply
    cdef Py_ssize_t _stride
    cdef int[::1] _lengths
    cdef int[::1] _reply_lengths
    cdef unsigned char[::1] _peers
    cdef unsigned char[::1] _trusted
    cdef bint _demanding

    cdef int _read(self, Py_ssize_t begin, Py_ssize_t end) except -1
    cdef int _respond(self, Query query, Py_ssize_t index, long long now) except -1
    cdef int _answer(self, Query query, Py_ssize_t to) except -1
