# Types of covers.py where Cython compiles it; variables of its functions have theirs as annotations.
cimport cython


@cython.final
cdef class Covers:
    cdef readonly Py_ssize_t count
    cdef bint _before
    cdef bytearray _octets
    cdef object _at
    cdef unsigned char[::1] _key
    cdef unsigned int[::1] _begin

    cpdef add(self, bytes key)
    cpdef Py_ssize_t find_key(self, bytes key) except -1
    cdef Py_ssize_t find(self, unsigned char[::1] key, Py_ssize_t length) except -1
