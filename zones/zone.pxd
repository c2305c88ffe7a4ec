# Types of the variables of zone.py where Cython compiles it: of those functions that all who read a zone go through.
cimport cython
from zones.arena cimport SetTables, rdata_at


@cython.locals(number="long long", index="Py_ssize_t")
cpdef long long set_of(SetTables tables, bytes owner, int rdtype) except -2

cpdef types_of(SetTables tables, Py_ssize_t number)

@cython.locals(record="Py_ssize_t")
cpdef list rdatas_of(SetTables tables, Py_ssize_t index)
