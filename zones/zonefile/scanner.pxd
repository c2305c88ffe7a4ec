# Types of the attributes and methods of scanner.py where Cython compiles it; its variables have theirs as annotations.
cimport cython
from zones.arena cimport RecordLog, pack_place
from zones.octets cimport cut
from zones.zonefile.dnssec_scanner cimport DnssecScanner

cdef int _TAB, _NEWLINE, _RETURN, _BLANK, _DOLLAR, _DOT, _SEMICOLON
cdef Py_ssize_t _MAX_ENTRY
cdef bytes _FOLD
cdef dict _TYPES


cdef class Scanner(DnssecScanner):
    cdef public Py_ssize_t position
    cdef public Py_ssize_t line
    cdef public bytes owner
    cdef public long long ttl
    cdef public long long default_ttl
    cdef bytes _zone
    cdef bint _is_inside

    @cython.locals(log=RecordLog)
    cpdef Py_ssize_t scan(self, builder, Py_ssize_t file, bytes origin, Py_ssize_t budget) except -1
    cdef long long _read_default_ttl(self, Py_ssize_t index)
