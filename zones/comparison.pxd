# Types of the variables of comparison.py where Cython compiles it.
cimport cython
from zones.arena cimport NameTable, SetTables

cdef Py_ssize_t _AT_ONCE, _STOP
cdef int _SOA, _RRSIG, _NSEC, _NSEC3, _NSEC3PARAM


cdef class Side:
    cdef readonly Py_ssize_t count
    cdef readonly NameTable names
    cdef bytearray octets
    cdef const unsigned int[::1] sets_at
    cdef const unsigned short[::1] types
    cdef const unsigned int[::1] ttls
    cdef const unsigned int[::1] records_at
    cdef bytearray rdata
    cdef const unsigned int[::1] rdata_at

    @cython.locals(index="Py_ssize_t")
    cdef Py_ssize_t find(self, Py_ssize_t number, int rdtype) except -2
    @cython.locals(begin="Py_ssize_t", end="Py_ssize_t", records="Py_ssize_t")
    cpdef Py_ssize_t size(self, Py_ssize_t number) except -1


cdef class Comparison:
    cdef readonly Side old
    cdef readonly Side new
    cdef readonly Py_ssize_t number
    cdef readonly Py_ssize_t counterpart
    cdef readonly bint is_large
    cdef readonly Py_ssize_t records
    cdef readonly Py_ssize_t removed
    cdef bytearray _met
    cdef Py_ssize_t _position
    cdef Py_ssize_t _likely
    cdef Py_ssize_t _budget

    @cython.locals(number="Py_ssize_t")
    cpdef bint advance(self) except -1
    cpdef Py_ssize_t next_new(self, Py_ssize_t number) except -1
    @cython.locals(found="Py_ssize_t")
    cdef Py_ssize_t _find(self, Py_ssize_t number) except -2
    @cython.locals(begin="Py_ssize_t", other_begin="Py_ssize_t", length="Py_ssize_t", index="Py_ssize_t")
    cdef bint _is_same_name(self, Py_ssize_t number, Py_ssize_t other) except -1
    @cython.locals(old=Side, new=Side, begin="Py_ssize_t", end="Py_ssize_t", shift="Py_ssize_t", index="Py_ssize_t", count="Py_ssize_t")
    cdef bint _is_same(self, Py_ssize_t number, Py_ssize_t other) except -1
    @cython.locals(old=Side, new=Side, begin="Py_ssize_t", end="Py_ssize_t", shift="Py_ssize_t", record="Py_ssize_t")
    cdef bint _is_same_set(self, Py_ssize_t index, Py_ssize_t other) except -1
    @cython.locals(old=Side, new=Side, index="Py_ssize_t", rdtype="int", count="Py_ssize_t", found="Py_ssize_t")
    cdef _tally(self, Py_ssize_t number, Py_ssize_t other)


cpdef bint is_signers(int rdtype) noexcept

@cython.locals(begin="Py_ssize_t", other_begin="Py_ssize_t", index="Py_ssize_t")
cdef bint is_same_rdata(Side side, Py_ssize_t record, Side other, Py_ssize_t other_record) except -1

@cython.locals(count="Py_ssize_t", owner=bytes, index="Py_ssize_t", rdtype="int", found="Py_ssize_t", record="Py_ssize_t", begin="Py_ssize_t")
cpdef Py_ssize_t collect(Side side, Py_ssize_t number, Side other, Py_ssize_t other_number, bytearray packed) except -1

@cython.locals(record="Py_ssize_t")
cdef bint has_rdata(Side side, Py_ssize_t index, Side other, Py_ssize_t other_record) except -1

cpdef pack(bytearray packed, bytes owner, unsigned int rdtype, unsigned int ttl)
