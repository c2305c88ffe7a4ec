"""What CPython is compiled for: a run that resembles an image's start, and then its service.

The recipe runs this with an interpreter that counts how often each branch is taken: `prepare FILE` compiles modules of
the standard library, and `train FILE` is what is counted. An image reads code objects, makes modules, classes and many
small objects, hands octets about and turns an event loop, so that is what is done here. Nothing in it depends on
clocks, random numbers or the machine: two runs count the same.
"""

import abc
import asyncio
import dataclasses
import enum
import importlib.machinery
import itertools
import json
import marshal
import os
import re
import struct
import sys
import typing
import zlib
from collections.abc import Generator, Mapping, Sequence
from pathlib import Path
from types import ModuleType

MODULES = """
__future__ _weakrefset types operator keyword reprlib collections functools enum copyreg re._constants re._casefix
re._parser re._compiler re dataclasses typing contextlib contextvars heapq bisect weakref copy string linecache tokenize
token traceback warnings struct base64 datetime _colorize textwrap inspect ast dis opcode _opcode_metadata importlib
importlib._abc importlib.machinery importlib.util ipaddress hashlib hmac random json json.decoder json.scanner
json.encoder logging logging.handlers argparse pathlib pathlib._abc pathlib._local glob fnmatch urllib urllib.parse
shutil tempfile uuid queue threading selectors socket signal tomllib tomllib._parser tomllib._re tomllib._types calendar
locale html html.entities difflib secrets sched configparser gettext pickle _compat_pickle subprocess concurrent
concurrent.futures concurrent.futures._base asyncio asyncio.base_events asyncio.base_futures asyncio.base_subprocess
asyncio.base_tasks asyncio.constants asyncio.coroutines asyncio.events asyncio.exceptions asyncio.format_helpers
asyncio.futures asyncio.locks asyncio.log asyncio.mixins asyncio.protocols asyncio.queues asyncio.runners
asyncio.selector_events asyncio.sslproto asyncio.staggered asyncio.streams asyncio.subprocess asyncio.taskgroups
asyncio.tasks asyncio.threads asyncio.timeouts asyncio.transports asyncio.trsock asyncio.unix_events
"""

Prepared = dict[str, tuple[bool, bytes]]
"""Whether a module is a package, and its code, by its name."""


def prepare() -> Prepared:
    """Code of the modules."""
    library = Path(os.__file__).parent
    prepared = {}
    for name in MODULES.split():
        base = library.joinpath(*name.split("."))
        source = base / "__init__.py" if base.is_dir() else base.with_name(base.name + ".py")
        code = compile(source.read_bytes(), name, "exec", dont_inherit=True, optimize=2)
        prepared[name] = base.is_dir(), marshal.dumps(code)
    return prepared


class _Finder:
    """Finds prepared modules, and loads them as an image does its frozen ones."""

    def __init__(self, prepared: Prepared) -> None:
        self._prepared = prepared

    def find_spec(
        self, name: str, _path: object = None, _target: object = None
    ) -> importlib.machinery.ModuleSpec | None:
        """Spec of a module; None for others."""
        found = self._prepared.get(name)
        return found and importlib.machinery.ModuleSpec(name, self, is_package=found[0])  # type: ignore[arg-type]

    def create_module(self, _spec: object) -> None:
        """The usual kind of module."""

    def exec_module(self, module: ModuleType) -> None:
        """Run its code."""
        exec(marshal.loads(self._prepared[module.__name__][1]), module.__dict__)


def start(prepared: Prepared) -> None:
    """Import the modules, once more those that are there."""
    sys.path[:] = []
    sys.meta_path.insert(0, _Finder(prepared))
    for name in prepared:
        sys.modules.pop(name, None)
    for name in prepared:
        __import__(name)


@dataclasses.dataclass(frozen=True, slots=True, order=True)
class _Frozen:
    name: bytes
    kind: int
    texts: tuple[bytes, ...] = ()


def classes() -> None:
    """Make classes of the kinds that the service has, and instances of them."""
    for number in range(20):

        class Protocol(typing.Protocol):
            def size(self) -> int: ...

        class Base(abc.ABC):
            @abc.abstractmethod
            def size(self) -> int: ...

        class Derived(Base):
            __slots__ = ("_name",)

            def __init__(self, name: str) -> None:
                self._name = name

            @property
            def name(self) -> str:
                return self._name

            def size(self) -> int:
                return len(self.name)

            def __len__(self) -> int:
                return self.size()

            def __eq__(self, other: object) -> bool:
                return isinstance(other, Derived) and self._name == other._name

            def __hash__(self) -> int:
                return hash(self._name)

        class Kind(enum.IntEnum):
            A = 1
            NS = 2
            SOA = 6

        class Record(typing.NamedTuple):
            owner: bytes
            kind: Kind
            ttl: int = 3600

        for _ in range(20):
            derived = {Derived(f"name{index}"): index for index in range(10)}
            assert derived[Derived("name3")] == 3
            assert sum(map(len, derived)) == 50
            assert [Kind(value) for value in (1, 2, 6)] == list(Kind)
            assert Record(b"\0", Kind.SOA)._replace(ttl=number).ttl == number
            assert all(isinstance(item, Base) for item in derived)
    frozen = sorted(_Frozen(b"%03d" % (index * 7 % 100), index % 5) for index in range(500))
    assert frozen[0] == _Frozen(b"000", 0)
    assert len(set(frozen)) == 100


def octets() -> None:
    """Names and messages: slices, views, numbers, tables of names, packed files."""
    header = struct.Struct("!6H")
    message = bytearray(512)
    names: dict[bytes, list[int]] = {}
    for number in range(4000):
        labels = [b"host%d" % (number % 500), b"Garden", b"example"]
        name = b"".join(bytes((len(label),)) + label.lower() for label in labels) + b"\0"
        names.setdefault(name, []).append(number)
        header.pack_into(message, 0, number, 0x8400, 1, 1, 0, 0)
        end = 12 + len(name)
        message[12:end] = name
        message[end : end + 4] = b"\0\1\0\1"
        view = memoryview(message)[: end + 4]
        at, found = 12, []
        while size := view[at]:
            found.append(bytes(view[at + 1 : at + 1 + size]))
            at += 1 + size
        assert found[2] == labels[2]
        assert header.unpack_from(view)[0] == number
        assert int.from_bytes(view[at + 1 : at + 3], "big") == 1
        assert bytes(view).find(b"\7example") > 0
        checksum = sum(view[0:end:2])
        assert (checksum >> 16) + (checksum & 0xFFFF) > 0
    assert sorted(names, key=lambda name: name[::-1]) != sorted(names)
    packed = zlib.compress(b"\n".join(names))
    assert len(zlib.decompress(packed).splitlines()) == len(names)


def texts() -> None:
    """Lines of zone files and of logs."""
    pattern = re.compile(r'\s*([^\s;"]+|"(?:[^"\\]|\\.)*"|;.*)')
    for number in range(2000):
        line = f'www{number}\t3600 IN TXT "some text {number}" ; comment'
        owner, ttl, *_, rdata = (field for field in pattern.findall(line) if not field.startswith(";"))
        fields: Mapping[str, object] = {"owner": owner, "ttl": int(ttl), "rdata": rdata}
        shown = " ".join(f"{key}={value}" for key, value in fields.items())
        assert shown.upper().partition("TTL=")[2].split()[0] == "3600"
        assert line.encode("ascii").count(b" ") > 3
        assert rdata.strip('"').rsplit(maxsplit=1)[-1] == str(number)
    value = json.loads(json.dumps({f"key{number}": [number, None, 1.5, "text"] for number in range(100)}))
    assert value["key7"][0] == 7


def errors() -> None:
    """What is missing, and work in slices."""

    def sliced(count: int) -> Generator[None, None, int]:
        total = 0
        for number in range(count):
            total += number
            yield None
        return total

    def whole() -> Generator[None, None, int]:
        return (yield from sliced(50))

    for number in range(400):
        missing: dict[int, int] = {}
        try:
            missing[number] += 1
        except KeyError:
            missing[number] = 1
        try:
            try:
                int("x")
            finally:
                missing[number] += 1
        except (TypeError, ValueError):
            assert missing == {number: 2}
        assert getattr(sys, "missing", None) is None
        assert sum(1 for _ in whole()) == 50


class _Loop(asyncio.BaseEventLoop):
    """A loop that waits for nothing, on the frame of the own stack's."""

    def __init__(self) -> None:
        super().__init__()
        self._selector = self
        self._times = itertools.count()

    def select(self, _timeout: float | None) -> Sequence[object]:
        return ()

    def _process_events(self, _events: Sequence[object]) -> None:
        pass

    def time(self) -> float:
        return next(self._times) / 1000


class _Receiver(asyncio.DatagramProtocol):
    def __init__(self) -> None:
        self.received: list[bytes] = []

    def datagram_received(self, data: bytes, _address: object) -> None:
        self.received.append(data)


async def _answer(queue: "asyncio.Queue[int | None]", answered: list[int]) -> None:
    while (item := await queue.get()) is not None:
        answered.append(item)
        await asyncio.sleep(0)


async def _serve() -> None:
    answered: list[int] = []
    queue: asyncio.Queue[int | None] = asyncio.Queue(8)
    receiver, loop = _Receiver(), asyncio.get_running_loop()
    task = asyncio.create_task(_answer(queue, answered))
    for number in range(800):
        loop.call_soon(receiver.datagram_received, b"data", ("192.0.2.1", number))
        await queue.put(number)
        future = loop.create_future()
        loop.call_soon(future.set_result, number)
        handle = loop.call_later(1000, receiver.datagram_received, b"", None)
        assert await future == number
        handle.cancel()
        async with asyncio.timeout(100), asyncio.Lock():
            pass
    await queue.put(None)
    await task
    assert len(answered) == len(receiver.received) == 800


def service() -> None:
    """An event loop with tasks, queues, futures and timers."""
    loop = _Loop()
    try:
        loop.run_until_complete(_serve())
    finally:
        loop.close()


def train(prepared: Prepared) -> None:
    """What is counted."""
    for part in (classes, octets, texts, errors, service):
        part()
    start(prepared)


if __name__ == "__main__":
    verb, path = sys.argv[1], Path(sys.argv[2])
    if verb == "prepare":
        path.write_bytes(marshal.dumps(prepare()))
    else:
        train(marshal.loads(path.read_bytes()))
