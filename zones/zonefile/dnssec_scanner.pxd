# Types of the attributes and methods of dnssec_scanner.py where Cython compiles it.
from zones.zonefile.rdata_scanner cimport RdataScanner

cdef int _NO_DIGIT, _BLANK, _TAB, _QUOTE, _HYPHEN, _PAD, _WINDOW
cdef bytes _BASE64, _BASE32, _KEEP
cdef dict _NUMBERS


cdef class DnssecScanner(RdataScanner):
    cdef long long _group
    cdef int _bits, _padding

    cdef Py_ssize_t _read_rdata(self, int rdtype, Py_ssize_t index)
    cdef Py_ssize_t _read_row(self, Py_ssize_t index, Py_ssize_t numbers, int wide)
    cdef Py_ssize_t _read_number(self, Py_ssize_t index, int octets)
    cdef bint _put(self, long long number, int octets)
    cdef Py_ssize_t _read_signature(self, Py_ssize_t index)
    cdef Py_ssize_t _read_type(self, Py_ssize_t index)
    cdef Py_ssize_t _read_time(self, Py_ssize_t index)
    cdef long long _moment(self, Py_ssize_t index)
    cdef Py_ssize_t _read_salt(self, Py_ssize_t index)
    cdef Py_ssize_t _read_hash(self, Py_ssize_t index)
    cdef Py_ssize_t _read_bitmap(self, Py_ssize_t index)
    cdef Py_ssize_t _read_data(self, Py_ssize_t index, bytes digits, int size)
    cdef bint _decode(self, Py_ssize_t index, Py_ssize_t after, bytes digits, int size)
    cdef Py_ssize_t _read_property(self, Py_ssize_t index)
