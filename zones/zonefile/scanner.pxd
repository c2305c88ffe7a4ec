# Types of the attributes and methods of scanner.py where Cython compiles it; its variables have theirs as annotations.
cimport cython
from zones.arena cimport RecordLog, pack_place

cdef int _TAB, _NEWLINE, _RETURN, _BLANK, _QUOTE, _DOLLAR, _DOT, _COLON, _SEMICOLON, _AT, _NO_DIGIT
cdef Py_ssize_t _MAX_LINE
cdef bytes _FOLD, _KEEP
cdef dict _TYPES


cdef class Scanner:
    cdef public Py_ssize_t position
    cdef public Py_ssize_t line
    cdef public bytes owner
    cdef public long long ttl
    cdef bytes _text
    cdef bytes _zone
    cdef bytes _origin
    cdef bytearray _out
    cdef Py_ssize_t _used
    cdef bytes _plain
    cdef bytes _hex
    cdef bint _is_inside

    @cython.locals(log=RecordLog)
    cpdef Py_ssize_t scan(self, builder, Py_ssize_t file, bytes origin, long long default_ttl, Py_ssize_t budget) except -1
    cdef bint _is_line_end(self, Py_ssize_t index)
    cdef Py_ssize_t _skip_blanks(self, Py_ssize_t index)
    cdef Py_ssize_t _end_of_word(self, Py_ssize_t index)
    cdef long long _number(self, Py_ssize_t index, Py_ssize_t after, long long maximum)
    cdef Py_ssize_t _read_name(self, Py_ssize_t index, bytes fold)
    cdef Py_ssize_t _read_rdata(self, int rdtype, Py_ssize_t index)
    cdef Py_ssize_t _read_u16(self, Py_ssize_t index)
    cdef Py_ssize_t _read_soa(self, Py_ssize_t index)
    cdef long long _period(self, Py_ssize_t index, Py_ssize_t after)
    cdef long long _unit(self, int letter)
    cdef Py_ssize_t _read_ipv4(self, Py_ssize_t index)
    cdef Py_ssize_t _read_ipv6(self, Py_ssize_t index)
    cdef Py_ssize_t _read_strings(self, Py_ssize_t index)
