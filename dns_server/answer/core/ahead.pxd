# What ahead.py stands for where Cython compiles: an instruction of the processor, which GCC and Clang have by this name.

cdef extern from *:
    void fetch "__builtin_prefetch" (const void *place) noexcept nogil
