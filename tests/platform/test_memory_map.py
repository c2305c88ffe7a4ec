"""Pages of RAM of machines whose memory has holes: platform/guest/memory.c, where a page outside of RAM is a fault."""

import random
import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest

from dns_build.targets import PLATFORM

BASE = 1 << 36  # far from all that a process has; what follows stands for the first megabytes of a machine
MB = 1 << 20
IMAGE = BASE + 10 * MB, BASE + 18 * MB

# The ranges come as arguments; commands on standard input take (t) and free (f) pages, or ask for what is free (r).
HARNESS = r"""
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include "guest.h"

_Noreturn static void end(int code, const char *format, va_list values)
{
	vprintf(format, values);
	exit(code);
}
void refuse(const char *format, ...) { va_list v; va_start(v, format); end(EXIT_NO_MACHINE, format, v); }
void panic(const char *format, ...) { va_list v; va_start(v, format); end(EXIT_PANIC, format, v); }

void paging_forget(void) {}

int main(int argc, char **argv)
{
	setvbuf(stdout, NULL, _IOLBF, 0);
	struct memory_range ranges[16];
	unsigned count = 0;
	for (int i = 1; i + 1 < argc; i += 2, count++) {
		uint64_t start = ranges[count].start = strtoull(argv[i], NULL, 0);
		uint64_t stop = ranges[count].end = strtoull(argv[i + 1], NULL, 0);
		uint64_t first = (start + PAGE_SIZE - 1) & -PAGE_SIZE, end = stop & -PAGE_SIZE;
		if (end > first && mmap((void *)first, end - first, PROT_READ | PROT_WRITE,
				MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0) == MAP_FAILED)
			return 1;
	}
	memory_init(ranges, count);
	printf("total %zu\n", (size_t)uz_memory());
	char command;
	unsigned long a, b;
	while (scanf(" %c %lu %lu", &command, &a, &b) == 3) {
		if (command == 'f') {
			memory_free((void *)a, b);
			continue;
		}
		if (command == 'r') {
			printf("%zu\n", (size_t)uz_memory_free());
			continue;
		}
		char *taken = memory_pages(a);
		for (size_t i = 0; taken && i < a * PAGE_SIZE; i++)
			if (taken[i])
				return 2;
		if (taken)
			memset(taken, 0xff, a * PAGE_SIZE);
		printf("%lu\n", (unsigned long)taken);
	}
	return 0;
}
"""

Ranges = Sequence[tuple[int, int]]
MAPS: dict[str, Ranges] = {
    "one": [(BASE, BASE + 64 * MB)],
    "as OVMF splits it": [
        (BASE, BASE + 0x806000),
        (BASE + 0x808000, BASE + 0x80B000),
        (BASE + 0x810000, BASE + 50 * MB),
    ],
    "holes behind the image": [
        (BASE, BASE + 20 * MB),
        (BASE + 21 * MB, BASE + 22 * MB),
        (BASE + 30 * MB, BASE + 45 * MB),
        (BASE + (1 << 32), BASE + (1 << 32) + 4 * MB),
    ],
    "the highest first": [(BASE + 40 * MB, BASE + 60 * MB), (BASE, BASE + 24 * MB)],
    "edges within pages": [(BASE + 5, BASE + 19 * MB + 77), (BASE + 19 * MB + 4099, BASE + 50 * MB - 1)],
    "nothing behind the image there": [(BASE, IMAGE[1]), (BASE + 100 * MB, BASE + 130 * MB)],
    "empty ones": [(BASE, BASE), (BASE + MB, BASE + MB + 3), (BASE + 2 * MB, BASE + 48 * MB)],
}


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("memory")
    (folder / "harness.c").write_text(HARNESS)
    symbols = [f"-Wl,--defsym=image_{name}={value}" for name, value in zip(("start", "end"), IMAGE, strict=True)]
    sources = [str(folder / "harness.c"), str(PLATFORM / "guest" / "memory.c")]
    options = ["-O1", "-mcmodel=large", "-fno-pie", "-no-pie", "-I", str(PLATFORM / "include"), *symbols]
    subprocess.run(["gcc", *options, *sources, "-o", str(folder / "harness")], check=True)
    return folder / "harness"


def whole_pages(ranges: Ranges) -> set[int]:
    """Addresses of the pages that are RAM and not the image."""
    found: set[int] = set()
    for start, end in ranges:
        found.update(range(-(-start // 4096) * 4096, end // 4096 * 4096, 4096))
    return found - set(range(*IMAGE, 4096))


def arguments(program: Path, ranges: Ranges) -> list[str]:
    return [str(program), *(str(edge) for pair in ranges for edge in pair)]


@pytest.mark.parametrize("name", MAPS)
def test_every_page_of_ram_and_nothing_else_is_given(name: str, program: Path) -> None:
    ranges = MAPS[name]
    usable = whole_pages(ranges)
    chance = random.Random(name)
    with subprocess.Popen(
        arguments(program, ranges), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None

        def answer(command: str) -> int:
            assert process.stdin is not None
            assert process.stdout is not None
            process.stdin.write(command)
            return int(process.stdout.readline())

        total = int(process.stdout.readline().split()[1])
        assert 0 < len(usable) * 4096 - total <= 16 * MB  # the map of pages itself: a bit for each below the last one
        held: dict[int, int] = {}
        for _ in range(2):  # until nothing is left, twice: what was freed is given again
            size = 512
            while size:
                at = answer(f"t {size} 0\n")
                if not at:
                    size //= 2
                    continue
                pages = set(range(at, at + size * 4096, 4096))
                assert pages <= usable, hex(at)
                usable -= pages
                held[at] = size
            assert sum(held.values()) * 4096 == total
            assert answer("r 0 0\n") == 0
            for at in chance.sample(sorted(held), len(held) // 2):
                count = held.pop(at)
                process.stdin.write(f"f {at} {count}\n")
                usable.update(range(at, at + count * 4096, 4096))
            assert answer("r 0 0\n") == total - sum(held.values()) * 4096
        process.stdin.close()
        assert process.wait(60) == 0


@pytest.mark.parametrize(
    ("ranges", "said"),
    [
        ([(BASE, IMAGE[1])], "no RAM above the image"),
        ([(BASE, BASE + 24 * MB)], "give the machine at least"),
        ([], "no RAM above the image"),
    ],
)
def test_too_little_is_refused(ranges: Ranges, said: str, program: Path) -> None:
    done = subprocess.run(arguments(program, ranges), capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 71
    assert said in done.stdout
