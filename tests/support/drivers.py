"""The virtio drivers of the image, compiled for the host, with devices that a test makes up.

The C is that of platform/virtio and platform/guest; what is below it (ports, device memory, pages, the clock, the
console) is here. Each scenario runs in a process of its own, which a panic ends with its exit code as it ends an image.
Pages that a driver asks for have unmapped ones around them: an access outside is a fault of the process.
"""

import faulthandler
import importlib.util
import mmap
import os
import re
import signal
import sysconfig
import tempfile
import traceback
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final

import cffi

from dns_build.targets import PLATFORM

PAGE: Final = 4096
PATIENCE_S: Final = 60
"""Seconds until a driver counts as hanging: its own patience is measured by a clock that runs fast."""
NETWORK, BLOCK, CONSOLE, RANDOM = 1, 2, 3, 4
VERSION_1: Final = 1 << 32

_SOURCES = (
    "virtio/virtqueue.c",
    "virtio/network.c",
    "virtio/block.c",
    "virtio/entropy.c",
    "virtio/pci.c",
    "guest/block.c",
    "guest/panic.c",
)
_BELOW = """
void uz_console_write(const char *data, size_t size);
uint64_t uz_clock_monotonic(void);
void end(int code);
void *memory_pages(size_t count);
uint64_t memory_top(void);
void *map_device(uint64_t start, size_t size);
void port_write(uint16_t port, uint32_t value, unsigned size);
uint32_t port_read(uint16_t port, unsigned size);
uint64_t device_features(struct virtio *device);
void device_accept(struct virtio *device, uint64_t features);
uint8_t device_status(struct virtio *device);
void device_set_status(struct virtio *device, uint8_t status);
uint8_t device_configuration(struct virtio *device, unsigned offset);
uint16_t device_queue_size(struct virtio *device, uint16_t number);
void device_set_queue(struct virtio *device, const struct queue *queue);
void device_notify(struct virtio *device, uint16_t queue);
void device_acknowledge(struct virtio *device);
void found(const struct virtio *device);
"""
_CALLS = """
unsigned uz_network_count(void);
unsigned uz_network_receive(unsigned device, uint8_t *buffer, size_t slot, uint64_t *lengths, unsigned limit);
unsigned uz_network_send(unsigned device, const uint8_t *memory, const uint64_t *starts, const uint64_t *lengths,
                         unsigned count);
int uz_block_read(unsigned device, uint64_t sector, uint8_t *data, size_t size);
int uz_block_write(unsigned device, uint64_t sector, const uint8_t *data, size_t size);
size_t target_random(void *buffer, size_t size);
int mprotect(void *address, size_t size, int protection);
"""
# The machine's ports in place of the instructions, which a process must not use.
_PORTS = """
#include <stdint.h>
void port_write(uint16_t port, uint32_t value, unsigned size);
uint32_t port_read(uint16_t port, unsigned size);
static inline void outb(uint16_t port, uint8_t value) { port_write(port, value, 1); }
static inline void outw(uint16_t port, uint16_t value) { port_write(port, value, 2); }
static inline void outl(uint16_t port, uint32_t value) { port_write(port, value, 4); }
static inline uint8_t inb(uint16_t port) { return (uint8_t)port_read(port, 1); }
static inline uint16_t inw(uint16_t port) { return (uint16_t)port_read(port, 2); }
static inline uint32_t inl(uint16_t port) { return port_read(port, 4); }
"""
_FRAME = """
#include <sys/mman.h>
#include "guest.h"
#include "virtio.h"
void end(int code);
void *map_device(uint64_t start, size_t size);
void uz_exit(int code) { end(code); __builtin_unreachable(); }
volatile void *paging_map_device(uint64_t start, size_t size) { return map_device(start, size); }
const uint64_t symbols[1];
const uint32_t symbol_count;
const char symbol_names[1];
char text_start[1], text_end[1];
const struct transport made_up = {
	device_features, device_accept, device_status, device_set_status, device_configuration,
	device_queue_size, device_set_queue, device_notify, device_acknowledge,
};
"""


def _declarations() -> str:
    """The structures of virtio.h, and the starts of its drivers, as cffi reads them."""
    text = (PLATFORM / "virtio" / "virtio.h").read_text()
    text = re.sub(r"/\*.*?\*/", "", text, flags=re.DOTALL)
    text = re.sub(r"^#.*$", "", text, flags=re.MULTILINE)
    starts = [line for line in text.splitlines() if re.match(r"(void|int) (network|block|entropy|pci)_\w+\(", line)]
    return text[: text.index("int virtio_start")] + "\n".join(starts)


@cache
def _module() -> Any:  # noqa: ANN401
    builder = cffi.FFI()
    builder.cdef(_declarations() + _CALLS + "extern const struct transport made_up;")
    builder.cdef('extern "Python+C" {' + _BELOW + "}")
    below = "\n".join(line for line in _BELOW.splitlines() if "memory_" not in line)
    folder = Path(tempfile.mkdtemp(prefix="unizone-drivers-"))
    (folder / "x86.h").write_text(_PORTS)
    builder.set_source(
        "_drivers",
        _FRAME.replace('#include "virtio.h"', f'#include "virtio.h"\n{below}'),
        sources=[str(PLATFORM / name) for name in _SOURCES],
        include_dirs=[str(folder), str(PLATFORM / "include"), str(PLATFORM / "virtio")],
        extra_compile_args=["-O1", "-D_GNU_SOURCE", "-fno-strict-aliasing", "-Wno-unused"],
    )
    path = builder.compile(tmpdir=str(folder))
    spec = importlib.util.spec_from_file_location("_drivers", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


class Machine:
    """What is below the drivers, in the process of one scenario; tests change its fields and replace its methods."""

    def __init__(self, output: int) -> None:
        self._output = output
        module = _module()
        self.ffi, self.lib = module.ffi, module.lib
        self.now = 0
        self.features = VERSION_1
        self.sizes = [16, 16]
        self.configuration = bytes(16)
        self.status = 0
        self.statuses: list[int] = []
        self.resets = True
        self.agrees = True
        self.queues: dict[int, Any] = {}
        self.accepted = 0
        self.notified: list[int] = []
        self.found: list[Any] = []
        self.on_notify: Callable[[int], None] = lambda _: None
        self.read_port: Callable[[int, int], int] = lambda _port, size: (1 << 8 * size) - 1
        self.write_port: Callable[[int, int, int], None] = lambda _port, _value, _size: None
        self.mapped: list[tuple[int, int]] = []
        self.device_memory: dict[int, Any] = {}
        self._kept: list[Any] = []
        for name in re.findall(r"\b\*?(\w+)\(", _BELOW):
            self.ffi.def_extern(name=name)(getattr(self, f"_{name}"))

    def start(self, kind: int) -> None:
        """Hand a device of that kind to its driver."""
        device = self.ffi.new("struct virtio *", {"transport": self.ffi.addressof(self.lib.made_up), "type": kind})
        device.is_legacy = not self.features & VERSION_1
        self._kept.append(device)
        {NETWORK: self.lib.network_device, BLOCK: self.lib.block_device, RANDOM: self.lib.entropy_device}[kind](device)

    def given(self, queue: int) -> list[int]:
        """Heads of all that the driver ever gave to a queue, the last of them as far as the ring reaches."""
        available, size = self.queues[queue].available, self.queues[queue].size
        count = available.index
        return [available.ring[i % size] for i in range(max(0, count - size), count)]

    def hand_back(self, queue: int, descriptor: int, size: int) -> None:
        """Say that a buffer is done and has `size` octets in it."""
        used = self.queues[queue].used
        entry = used.ring[used.index % self.queues[queue].size]
        entry.descriptor, entry.size = descriptor, size
        used.index = (used.index + 1) & 0xFFFF

    def write(self, queue: int, descriptor: int, data: bytes) -> None:
        """Fill a buffer."""
        self.ffi.memmove(self.ffi.cast("void *", self.queues[queue].descriptors[descriptor].address), data, len(data))

    def pages(self, count: int) -> Any:  # noqa: ANN401
        """Memory with unmapped pages before and behind it."""
        whole = mmap.mmap(-1, (count + 2) * PAGE)
        self._kept.append(whole)
        start = self.ffi.from_buffer(whole)
        self._kept.append(start)
        for guard in (0, count + 1):
            assert self.lib.mprotect(start + guard * PAGE, PAGE, 0) == 0
        return self.ffi.cast("void *", start + PAGE)

    # What the C calls

    def _uz_console_write(self, data: Any, size: int) -> None:  # noqa: ANN401
        os.write(self._output, bytes(self.ffi.buffer(data, size)))

    def _uz_clock_monotonic(self) -> int:
        self.now += 10_000_000
        return self.now

    def _end(self, code: int) -> None:
        os._exit(code)

    def _memory_pages(self, count: int) -> Any:  # noqa: ANN401
        return self.pages(count)

    def _memory_top(self) -> int:
        return 0

    def _map_device(self, start: int, size: int) -> Any:  # noqa: ANN401
        self.mapped.append((start, size))
        page = start & -PAGE
        if page not in self.device_memory:
            self.device_memory[page] = self.pages((start + size - page + PAGE - 1) // PAGE)
        return self.device_memory[page] + (start - page)

    def _port_write(self, port: int, value: int, size: int) -> None:
        self.write_port(port, value, size)

    def _port_read(self, port: int, size: int) -> int:
        return self.read_port(port, size)

    def _device_features(self, _device: Any) -> int:  # noqa: ANN401
        return self.features

    def _device_accept(self, _device: Any, features: int) -> None:  # noqa: ANN401
        self.accepted = features

    def _device_status(self, _device: Any) -> int:  # noqa: ANN401
        return self.status

    def _device_set_status(self, _device: Any, status: int) -> None:  # noqa: ANN401
        self.statuses.append(status)
        if status or self.resets:
            self.status = status if self.agrees else status & ~8
        else:
            self.status = 1

    def _device_configuration(self, _device: Any, offset: int) -> int:  # noqa: ANN401
        return self.configuration[offset]

    def _device_queue_size(self, _device: Any, number: int) -> int:  # noqa: ANN401
        return self.sizes[number]

    def _device_set_queue(self, _device: Any, queue: Any) -> None:  # noqa: ANN401
        self.queues[queue.number] = queue

    def _device_notify(self, _device: Any, queue: int) -> None:  # noqa: ANN401
        self.notified.append(queue)
        self.on_notify(queue)

    def _device_acknowledge(self, _device: Any) -> None:  # noqa: ANN401
        pass

    def _found(self, device: Any) -> None:  # noqa: ANN401
        self.found.append(self.ffi.new("struct virtio *", device[0]))


@dataclass(frozen=True)
class Outcome:
    """How a scenario ended."""

    code: int
    """Exit code; negative is a signal: -11 an access outside, -14 a driver that hangs."""
    console: str


def run(scenario: Callable[[Machine], None]) -> Outcome:
    """Run `scenario` in a process of its own. Its assertions are the caller's."""
    _module()
    reading, writing = os.pipe()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # other threads of the test run hold nothing that is needed
        process = os.fork()
    if not process:
        os.close(reading)
        _child(scenario, writing)
    os.close(writing)
    with os.fdopen(reading, "rb") as pipe:
        console = pipe.read().decode(errors="replace")
    code = os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])
    assert code != _ASSERTION, console
    return Outcome(code, console)


_ASSERTION: Final = 99


def _child(scenario: Callable[[Machine], None], output: int) -> None:
    faulthandler.disable()
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.alarm(PATIENCE_S)
    try:
        scenario(Machine(output))
    except BaseException:
        os.write(output, traceback.format_exc().encode())
        os._exit(_ASSERTION)
    os._exit(0)


def is_available() -> bool:
    """Whether Python's headers are there, without which nothing can be compiled for it."""
    return (Path(sysconfig.get_path("include")) / "Python.h").exists()
