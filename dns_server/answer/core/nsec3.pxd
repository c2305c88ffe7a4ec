# Types of nsec3.py where Cython compiles it.
cimport cython

cdef unsigned int _MASK, _K0, _K1, _K2, _K3
cdef Py_ssize_t _BLOCK, _LENGTH_SIZE, _MAX_MESSAGE


@cython.final
cdef class Nsec3Hash:
    cdef unsigned char[::1] _salt_octets
    cdef Py_ssize_t _salt_size, _iterations
    cdef unsigned char[::1] _message
    cdef unsigned int[::1] _words
    cdef unsigned int[::1] _state
    cdef unsigned int[::1] _start
    cdef readonly unsigned char[::1] digest

    @cython.locals(index="Py_ssize_t", _="Py_ssize_t")
    cpdef int hash(self, unsigned char[::1] octets, Py_ssize_t start, Py_ssize_t length) except -1
    @cython.locals(index="Py_ssize_t", end="Py_ssize_t", word="unsigned int")
    cdef int _round(self, Py_ssize_t length) except -1
    @cython.locals(
        index="Py_ssize_t", octet="unsigned int", word="unsigned int", mixed="unsigned int",
        a="unsigned int", b="unsigned int", c="unsigned int", d="unsigned int", e="unsigned int",
    )
    cdef int _block(self, Py_ssize_t at) except -1
