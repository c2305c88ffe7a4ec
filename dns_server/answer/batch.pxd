# Types of batch.py where Cython compiles it.
cimport cython


@cython.final
cdef class Batch:
    cdef readonly Py_ssize_t size, stride
    cdef readonly bytearray queries, peers, trusted, replies
    cdef readonly object lengths, reply_lengths
    cdef public object responder
    cdef readonly unsigned char[::1] query_view, peer_view, trusted_view, reply_view
    cdef readonly int[::1] length_view, reply_length_view
