# Types of directory.py where Cython compiles it; variables of its functions have theirs as annotations.
cimport cython
from dns_server.answer.core.names cimport Names
from dns_server.answer.core.query cimport Query
from dns_server.answer.core.zone cimport ZoneIndex

cdef int _DS


@cython.final
cdef class Directory:
    cdef Names _origins
    cdef list _zones
    cdef bytearray _served

    cdef ZoneIndex find(self, Query query)
    cdef ZoneIndex zone(self, Query query)
