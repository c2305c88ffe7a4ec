# Types of siphash.py where Cython compiles it.
cimport cython

cdef unsigned long long _START_0, _START_1, _START_2, _START_3
cdef int _WORD_ROUNDS, _LAST_ROUNDS

@cython.locals(
    v0="unsigned long long", v1="unsigned long long", v2="unsigned long long", v3="unsigned long long",
    mask="unsigned long long", word="unsigned long long", octet="unsigned long long", words="Py_ssize_t", count="Py_ssize_t",
    begin="Py_ssize_t", index="Py_ssize_t", rounds="int",
)
cpdef unsigned long long siphash(unsigned long long first, unsigned long long second, const unsigned char[::1] octets, Py_ssize_t length) except? 1
