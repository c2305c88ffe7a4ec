"""QEMU on a host whose wall clock a test sets forward: a small library between QEMU and the C library says the time."""

import os
import struct
import subprocess
from pathlib import Path

_SOURCE = """
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <time.h>

static long ahead(void)
{
	static const volatile long *seconds;
	if (!seconds)
		seconds = mmap(0, sizeof *seconds, PROT_READ, MAP_SHARED, open(getenv("TIME_AHEAD"), O_RDONLY), 0);
	return *seconds;
}

int gettimeofday(struct timeval *restrict time, void *restrict zone)
{
	static int (*next)(struct timeval *, void *);
	if (!next)
		next = (int (*)(struct timeval *, void *))dlsym(RTLD_NEXT, "gettimeofday");
	int result = next(time, zone);
	time->tv_sec += ahead();
	return result;
}

int clock_gettime(clockid_t clock, struct timespec *time)
{
	static int (*next)(clockid_t, struct timespec *);
	if (!next)
		next = (int (*)(clockid_t, struct timespec *))dlsym(RTLD_NEXT, "clock_gettime");
	int result = next(clock, time);
	if (clock == CLOCK_REALTIME)
		time->tv_sec += ahead();
	return result;
}
"""


class HostTime:
    """How far the wall clock is ahead of the real one; it begins at 0."""

    def __init__(self, folder: Path) -> None:
        self._file = folder / "ahead"
        self.advance(0)
        source, self._library = folder / "hosttime.c", folder / "hosttime.so"
        source.write_text(_SOURCE)
        subprocess.run(["gcc", "-O2", "-shared", "-fPIC", "-o", self._library, source], check=True)

    def command(self, arguments: list[str]) -> list[str]:
        """`arguments` as a program that lives in this time."""
        variables = [f"LD_PRELOAD={self._library}", f"TIME_AHEAD={self._file}"]
        return ["/usr/bin/env", *variables, *arguments]

    def advance(self, seconds: int) -> None:
        """Set the clock forward by `seconds` from the real time."""
        with self._file.open("r+b" if self._file.exists() else "wb") as file:
            file.write(struct.pack("<q", seconds))
            os.fsync(file.fileno())
