# Types of messages.py where Cython compiles it; variables of its functions have theirs as annotations.
cimport cython
from dns_server.answer.batch cimport Batch

cdef unsigned int _CUT, _IPV6_MULTICAST
cdef Py_ssize_t _WORDS, _CONTROL_LENGTH, _FLAGS, _LENGTH, _CONTROL_SIZE, _CONTROL_WORDS
cdef Py_ssize_t _INTERFACE_WORD, _LOCAL_WORD, _DESTINATION_WORD, _ADDRESS_WORD, _PORT


@cython.final
cdef class MessageQueue:
    cdef readonly Batch batch
    cdef readonly int dropped, cut, from_port_0, to_group, unsent
    cdef readonly str failure
    cdef int _descriptor
    cdef object _recvmmsg, _sendmmsg, _in_vectors
    cdef bint _is_ipv4, _is_wildcard
    cdef unsigned long long _in_address, _out_address
    cdef unsigned int[::1] _control
    cdef unsigned long long[::1] _in_headers, _out_headers, _out_vectors

    cpdef int receive(self) except -1
    cpdef int send(self, int count) except -1
    cdef bint _is_from_port_0(self, Py_ssize_t index) except -1
    cdef bint _is_to_group(self, Py_ssize_t index) except -1
    cdef int _send(self, Py_ssize_t begin, Py_ssize_t end) except -1
