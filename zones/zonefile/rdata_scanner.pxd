# Types of the attributes and methods of rdata_scanner.py where Cython compiles it.

cdef int _TAB, _NEWLINE, _RETURN, _BLANK, _QUOTE, _DOT, _COLON, _SEMICOLON, _AT, _NO_DIGIT, _OPENING, _CLOSING
cdef Py_ssize_t _SCRATCH
cdef bytes _KEEP


cdef class RdataScanner:
    cdef bytes _text
    cdef bytes _origin
    cdef bytearray _out
    cdef Py_ssize_t _used, _end, _limit, _more_lines
    cdef bint _is_open
    cdef bytes _plain
    cdef bytes _hex

    cdef bint _is_line_end(self, Py_ssize_t index)
    cdef bint _is_end(self, Py_ssize_t index)
    cdef Py_ssize_t _skip_blanks(self, Py_ssize_t index)
    cdef Py_ssize_t _next(self, Py_ssize_t index)
    cdef bint _take_line(self, Py_ssize_t begin)
    cdef Py_ssize_t _end_of_word(self, Py_ssize_t index)
    cdef long long _number(self, Py_ssize_t index, Py_ssize_t after, long long maximum)
    cdef Py_ssize_t _read_name(self, Py_ssize_t index, bytes fold)
    cdef Py_ssize_t _read_common(self, int rdtype, Py_ssize_t index)
    cdef Py_ssize_t _read_u16(self, Py_ssize_t index)
    cdef Py_ssize_t _read_soa(self, Py_ssize_t index)
    cdef long long _period(self, Py_ssize_t index, Py_ssize_t after)
    cdef long long _unit(self, int letter)
    cdef Py_ssize_t _read_ipv4(self, Py_ssize_t index)
    cdef Py_ssize_t _read_ipv6(self, Py_ssize_t index)
    cdef Py_ssize_t _read_strings(self, Py_ssize_t index)
