# What octets.py stands for where Cython compiles: copies of memory, whose bounds are checked here.
from cpython.bytearray cimport PyByteArray_AS_STRING, PyByteArray_GET_SIZE, PyByteArray_Resize
from cpython.bytes cimport PyBytes_FromStringAndSize
from libc.string cimport memcpy


cdef inline bytes cut(bytearray octets, Py_ssize_t begin, Py_ssize_t end):
    if not 0 <= begin <= end <= PyByteArray_GET_SIZE(octets):
        raise IndexError("octets")
    return PyBytes_FromStringAndSize(PyByteArray_AS_STRING(octets) + begin, end - begin)


cdef inline int extend(bytearray octets, bytearray more, Py_ssize_t begin, Py_ssize_t end) except -1:
    cdef Py_ssize_t size = PyByteArray_GET_SIZE(octets)
    if not 0 <= begin <= end <= PyByteArray_GET_SIZE(more):
        raise IndexError("octets")
    PyByteArray_Resize(octets, size + end - begin)
    memcpy(PyByteArray_AS_STRING(octets) + size, PyByteArray_AS_STRING(more) + begin, end - begin)
    return 0
