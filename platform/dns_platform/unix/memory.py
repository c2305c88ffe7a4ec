"""How libc gets memory for large buffers."""

import ctypes

_M_TRIM_THRESHOLD = -1  # mallopt(3)
_M_MMAP_THRESHOLD = -3
_THRESHOLD = 1 << 18
_KEPT = 1 << 22


def map_large_buffers() -> None:
    """Let each buffer from 256 KiB on have pages of its own, where libc is glibc.

    Making such a buffer longer then moves its pages instead of its content, and what it takes goes back to the system
    when it is freed. glibc by itself raises the threshold up to 32 MiB as large buffers come and go: a zone of a
    million records then held the loop for 4 to 18 ms each time that one of its buffers grew, to copy it.

    Of smaller ones up to 4 MiB are kept for the next. glibc gives back what is above 128 KiB: each piece of a file that
    is read was then memory that the system had to clear, for 0.6 ms.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)  # musl has none, and always maps large buffers
    if mallopt is not None:
        mallopt(_M_MMAP_THRESHOLD, _THRESHOLD)
        mallopt(_M_TRIM_THRESHOLD, _KEPT)
