"""Work in slices beside others on the event loop: what has arrived goes first, and nothing is lost with who waits."""

import asyncio
import gc
import socket
import weakref
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import pytest

from zones.slices import Sliced, run_sliced

STEPS = 20


@contextmanager
def connected() -> Iterator[tuple[socket.socket, socket.socket]]:
    one, other = socket.socketpair()
    with one, other:
        one.setblocking(False)
        yield one, other


def test_what_arrives_during_a_slice_is_read_before_the_next_slice() -> None:
    sent = read = 0

    def work(peer: socket.socket) -> Sliced[list[int]]:
        behind = []
        for _ in range(STEPS):
            nonlocal sent
            yield
            behind.append(sent - read)
            peer.send(b"x")
            sent += 1
        return behind

    async def scenario(own: socket.socket, peer: socket.socket) -> list[int]:
        def readable() -> None:
            nonlocal read
            read += len(own.recv(100))

        loop = asyncio.get_running_loop()
        loop.add_reader(own, readable)
        try:
            return await run_sliced(work(peer), budget=0)
        finally:
            loop.remove_reader(own)

    with connected() as (own, peer):
        assert asyncio.run(scenario(own, peer)) == [0] * STEPS


def test_short_work_is_done_at_once() -> None:
    def short() -> Sliced[int]:
        yield from ()
        return 7

    async def scenario() -> int:
        turns = 0

        def count() -> None:
            nonlocal turns
            turns += 1

        asyncio.get_running_loop().call_soon(count)
        assert await run_sliced(short()) == 7
        return turns

    assert asyncio.run(scenario()) == 0


def failing(steps: int) -> Sliced[None]:
    for _ in range(steps):
        yield
    raise LookupError("it went wrong")


@pytest.mark.parametrize("steps", [0, 5])
def test_an_error_comes_to_who_waits(steps: int) -> None:
    async def scenario() -> None:
        with pytest.raises(LookupError, match="it went wrong"):
            await run_sliced(failing(steps), budget=0)

    asyncio.run(scenario())


def test_work_that_nobody_waits_for_any_more_is_closed() -> None:
    closed = asyncio.Event()

    def endless() -> Sliced[None]:
        try:
            while True:
                yield
        finally:
            closed.set()

    async def scenario() -> None:
        task = asyncio.create_task(run_sliced(endless(), budget=0))
        for _ in range(3):
            await asyncio.sleep(0)
        task.cancel()
        async with asyncio.timeout(60):
            await closed.wait()
        assert task.cancelled()

    asyncio.run(scenario())


def test_work_of_several_goes_on_in_turns() -> None:
    order = []

    def work(name: str) -> Sliced[None]:
        for _ in range(STEPS):
            order.append(name)
            yield

    async def scenario() -> None:
        await asyncio.gather(run_sliced(work("a"), budget=0), run_sliced(work("b"), budget=0))

    asyncio.run(scenario())
    assert order == ["a", "b"] * STEPS


def test_nothing_holds_what_has_failed() -> None:
    """The garbage collector seldom looks at what lives long, so a failed load must go by its reference counts."""

    class Held:
        pass

    def work(held: Held) -> Sliced[None]:
        yield
        raise LookupError(str(held))

    async def scenario() -> None:
        held = Held()
        gone = weakref.ref(held)
        running = work(held)
        del held
        with suppress(LookupError):
            await run_sliced(running, budget=0)
        del running
        await asyncio.sleep(0)  # the loop holds what it calls
        assert gone() is None

    gc.disable()
    try:
        asyncio.run(scenario())
    finally:
        gc.enable()
