# Types of cookies.py where Cython compiles it.
cimport cython
from dns_server.answer.core.siphash cimport siphash

cdef int _CLIENT, _REPLY, _MAX, _PROVEN, _UNPROVEN
cdef int _SERVER_MIN, _VERSION, _HASHED
cdef Py_ssize_t _ENTRIES, _ENTRY
cdef long long _MAX_AGE_S, _MAX_AHEAD_S, _RENEWED_AFTER_S, _HALF, _MASK32

cpdef bint is_size(Py_ssize_t length) noexcept


@cython.final
cdef class Cookies:
    cdef list _halves
    cdef unsigned long long _first, _second
    cdef unsigned char[::1] _input, _hashed
    cdef unsigned long long[::1] _hashes
    cdef readonly unsigned char[::1] reply

    @cython.locals(
        index="Py_ssize_t", size="Py_ssize_t", octet="unsigned long long", shown="unsigned long long",
        then="long long", age="long long",
    )
    cpdef int judge(self, const unsigned char[::1] octets, Py_ssize_t at, Py_ssize_t length, const unsigned char[::1] source, Py_ssize_t source_at, Py_ssize_t source_size, long long now) except -1
    @cython.locals(made="unsigned long long", index="Py_ssize_t")
    cdef int _make(self, Py_ssize_t size, long long now) except -1
    @cython.locals(entry="Py_ssize_t", begin="Py_ssize_t", index="Py_ssize_t", difference="int")
    cdef unsigned long long _hash(self, Py_ssize_t size) except? 1
