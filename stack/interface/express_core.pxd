# Types of express_core.py where Cython compiles it; most variables of its functions have theirs as annotations.
cimport cython

cdef Py_ssize_t _ETHERNET, _HEAD_4, _HEAD_6, _SLOT, _PEER, _KEY_4, _KEY_6
cdef int _AF_INET, _AF_INET6, _UDP, _TTL, _DO_NOT_FRAGMENT, _FRAGMENT_BITS
cdef unsigned long _WORD


@cython.final
cdef class ExpressCore:
    cdef readonly int count
    cdef unsigned char[::1] _mac, _queries, _peers, _replies, _heads, _frames, _served_4, _served_6, _own_4, _own_6
    cdef int[::1] _lengths, _reply_lengths
    cdef unsigned long long[::1] _starts, _sizes
    cdef object _frames_out, _starts_out, _sizes_out
    cdef int _size, _count_4, _count_6, _own_count_4, _own_count_6
    cdef Py_ssize_t _stride, _reply_stride, _frame_stride

    @cython.locals(index="Py_ssize_t", start="Py_ssize_t", length="Py_ssize_t")
    cdef int _take_batch(self, const unsigned char[::1] view, const unsigned long long[:] starts, const unsigned long long[:] lengths, frames, list left) except -1
    cdef bint _is_taken(self, const unsigned char[::1] view, Py_ssize_t at, Py_ssize_t size) except -1
    @cython.locals(index="int")
    cdef bint _take_4(self, const unsigned char[::1] view, Py_ssize_t at, Py_ssize_t size) except -1
    @cython.locals(index="int")
    cdef bint _take_6(self, const unsigned char[::1] view, Py_ssize_t at, Py_ssize_t size) except -1
    cdef bint _is_usual(self, const unsigned char[::1] view, Py_ssize_t at) except -1
    cdef int _keep(self, const unsigned char[::1] view, Py_ssize_t at, Py_ssize_t head, Py_ssize_t length) except -1
    @cython.locals(index="int", length="Py_ssize_t", at="Py_ssize_t", end="Py_ssize_t")
    cpdef give(self, int hop_limit)
    cdef Py_ssize_t _give_4(self, int index, Py_ssize_t at, Py_ssize_t length) except -1
    cdef Py_ssize_t _give_6(self, int index, Py_ssize_t at, Py_ssize_t length, int hop_limit) except -1
    cdef int _ethernet(self, Py_ssize_t head, Py_ssize_t at) except -1
    @cython.locals(made="unsigned long")
    cdef Py_ssize_t _datagram(self, int index, Py_ssize_t addresses, Py_ssize_t at, Py_ssize_t length) except -1
