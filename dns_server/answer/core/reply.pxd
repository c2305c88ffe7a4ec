# Types of reply.py where Cython compiles it; variables of its functions have theirs as annotations.
cimport cython
from dns_server.answer.core.kept cimport Kept
from dns_server.answer.core.query cimport Query

cdef Py_ssize_t _HEADER, _OPT_SIZE, _HEAD, _MARK
cdef int _LARGEST, _OPT, _NSID, _EDE, _NOT_AUTHORITATIVE, _REFUSED, _TC


@cython.final
cdef class Reply:
    cdef unsigned char[::1] _octets
    cdef unsigned char[::1] _nsid
    cdef Py_ssize_t _nsid_size

    cdef int write(self, Query query, Kept kept, Py_ssize_t answer, Py_ssize_t to) except -1
    cdef int refuse(self, Query query, Py_ssize_t to) except -1
    cdef Py_ssize_t _tail_size(self, Query query, int ede) noexcept
    cdef int _close(self, Query query, Py_ssize_t to, Py_ssize_t end, int ede) except -1
    cdef int _option(self, Py_ssize_t at, int code, Py_ssize_t length) except -1
    cdef int _copy(self, Py_ssize_t to, unsigned char[::1] source, Py_ssize_t begin, Py_ssize_t count) except -1
