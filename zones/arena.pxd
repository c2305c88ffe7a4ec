# Types of the variables of arena.py where Cython compiles it.
cimport cython
from zones.octets cimport cut, extend

cdef unsigned long long _LOW, _LINE_BITS, _COLUMN_BITS, _MAX_LINE, _MAX_COLUMN
cdef Py_ssize_t _FIRST_ROOM, _MOST_ROOM


cdef class NameTable:
    cdef public bytearray octets
    cdef Py_ssize_t _count
    cdef object _at_array
    cdef object _slots_array
    cdef unsigned int[::1] _at
    cdef unsigned long long[::1] _slots
    cdef unsigned long long _mask

    cpdef bytes name(self, Py_ssize_t number)
    cpdef Py_ssize_t begin(self, Py_ssize_t number) except -1
    @cython.locals(tag="unsigned long long", slot="unsigned long long", entry="unsigned long long")
    cpdef long long find(self, bytes name)
    @cython.locals(number="long long", tag="unsigned long long")
    cpdef Py_ssize_t intern(self, bytes name)
    @cython.locals(begin="Py_ssize_t", end="Py_ssize_t", octets=bytearray, index="Py_ssize_t", is_plain=bint)
    cpdef bytes canonical_key(self, Py_ssize_t number, Py_ssize_t above)


@cython.locals(mask="unsigned long long", index="Py_ssize_t", entry="unsigned long long", slot="unsigned long long")
cpdef move_slots(unsigned long long[::1] slots, Py_ssize_t start, Py_ssize_t stop, unsigned long long[::1] larger)

cpdef Py_ssize_t room_after(Py_ssize_t count)


cdef class RecordLog:
    cdef public NameTable names
    cdef public bytearray rdata
    cdef public list files
    cdef Py_ssize_t _count
    cdef object _array
    cdef unsigned long long[::1] _words
    cdef public object begins
    cdef public bint is_grouped
    cdef bytes _owner
    cdef long long _owner_number

    cpdef Py_ssize_t turn_to(self, bytes owner) except -1
    @cython.locals(at="Py_ssize_t")
    cpdef append(self, unsigned long long rdtype, unsigned long long ttl, bytearray octets, Py_ssize_t length, unsigned long long place)
    cpdef Py_ssize_t owner(self, Py_ssize_t record)
    cpdef int rdtype(self, Py_ssize_t record)
    cpdef long long ttl(self, Py_ssize_t record)
    cpdef unsigned long long rdata_at(self, Py_ssize_t record)
    cpdef unsigned long long place(self, Py_ssize_t record)


cdef class SetTables:
    cdef public NameTable names
    cdef public object order
    cdef public object sets_at
    cdef public object types
    cdef public object ttls
    cdef public object records_at
    cdef public bytearray rdata
    cdef public object rdata_at
    cdef public object places
    cdef public list files

    @cython.locals(
        begins="const unsigned int[::1]", types="unsigned short[::1]", ttls="unsigned int[::1]", places="unsigned long long[::1]",
        sets_at="unsigned int[::1]", records_at="unsigned int[::1]", rdata_at="unsigned int[::1]",
        sets="Py_ssize_t", records="Py_ssize_t", count="Py_ssize_t", index="Py_ssize_t", record="Py_ssize_t",
    )
    cpdef Py_ssize_t add_single(self, RecordLog log, const unsigned int[::1] order, Py_ssize_t number, Py_ssize_t stop) except -1
    cpdef add_record(self, RecordLog log, Py_ssize_t record)
    cpdef close_set(self, int rdtype, long long ttl)
    cpdef close_owner(self)


@cython.locals(begin="Py_ssize_t")
cpdef bytes rdata_at(bytearray rdata, Py_ssize_t offset)

cpdef unsigned long long pack_place(unsigned long long file, unsigned long long line, unsigned long long column)
