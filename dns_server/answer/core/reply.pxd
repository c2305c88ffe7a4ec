# Types of reply.py where Cython compiles it; variables of its functions have theirs as annotations.
cimport cython
from dns_server.answer.core.cookies cimport Cookies
from dns_server.answer.core.kept cimport Kept, Segment
from dns_server.answer.core.query cimport Query

cdef Py_ssize_t _HEADER, _OPT_SIZE, _COOKIE_SIZE, _HEAD, _MARK
cdef int _LARGEST, _OPT, _NSID, _COOKIE, _EDE, _NOT_AUTHORITATIVE, _QR, _TC, _REFUSED, _BADCOOKIE


@cython.final
cdef class Reply:
    cdef unsigned char[::1] _octets
    cdef unsigned char[::1] _nsid
    cdef Py_ssize_t _nsid_size
    cdef unsigned char[::1] _cookie
    cdef bint has_cookie

    cdef int write(self, Query query, Kept kept, Py_ssize_t answer, Py_ssize_t to) except -1
    cdef int refuse(self, Query query, Py_ssize_t to) except -1
    cdef int demand(self, Query query, Py_ssize_t to) except -1
    cdef int _bare(self, Query query, Py_ssize_t to, int flags, int rcode, int ede) except -1
    cdef Py_ssize_t _tail_size(self, Query query, int ede) noexcept
    cdef int _close(self, Query query, Py_ssize_t to, Py_ssize_t end, int extended, int ede) except -1
    cdef int _option(self, Py_ssize_t at, int code, Py_ssize_t length) except -1
