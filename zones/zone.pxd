# Types of the variables of zone.py where Cython compiles it: of those functions that small zones are made and read by.
cimport cython
from zones.arena cimport RecordLog, SetTables, rdata_at


@cython.locals(number="long long", index="Py_ssize_t")
cpdef long long set_of(SetTables tables, bytes owner, int rdtype) except -2

cpdef types_of(SetTables tables, Py_ssize_t number)

@cython.locals(record="Py_ssize_t")
cpdef list rdatas_of(SetTables tables, Py_ssize_t index)

cpdef add_alone(SetTables tables, RecordLog log, Py_ssize_t record)

cpdef folded(RecordLog log, Py_ssize_t record)
