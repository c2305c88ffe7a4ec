# Types of the variables of survey.py where Cython compiles it.
cimport cython
from zones.arena cimport NameTable, SetTables

cdef Py_ssize_t _AT_ONCE
cdef int _INNER, _ANY_NUMBER, _LAST


cdef class Survey:
    cdef readonly Py_ssize_t count
    cdef NameTable _names
    cdef const unsigned int[::1] _order
    cdef const unsigned int[::1] _sets_at
    cdef const unsigned short[::1] _types
    cdef const unsigned int[::1] _records_at
    cdef bytes _host

    @cython.locals(limit="Py_ssize_t")
    cpdef Py_ssize_t next_notable(self, Py_ssize_t position, bytes above, bytes most, bytes hosts) except -1
    @cython.locals(number="Py_ssize_t", index="Py_ssize_t")
    cpdef list notable_sets(self, Py_ssize_t position, bytes most)
    @cython.locals(octets=bytearray, begin="Py_ssize_t", end="Py_ssize_t", first="Py_ssize_t", index="Py_ssize_t", is_odd=bint)
    cdef bint _is_plain(self, Py_ssize_t number, bytes above, bytes most, bytes hosts) except -1
    @cython.locals(octets=bytearray, index="Py_ssize_t", kind="int")
    cdef bint _is_host(self, Py_ssize_t begin, Py_ssize_t end) except -1
    @cython.locals(largest="int")
    cdef bint _is_notable(self, Py_ssize_t index, bytes most) except -1
