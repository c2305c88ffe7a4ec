"""Long work in slices, so that the event loop is never held for long.

A sliced function is a generator that yields `None` at least about every 200 microseconds of work and returns its
result. The same function runs to its end with `run_to_end` in tools, and beside a live service with `run_sliced`.
"""

import asyncio
import time
from collections.abc import Generator, Iterable
from typing import Any, Final, TypeVar

Result = TypeVar("Result")
Sliced = Generator[None, None, Result]

BUDGET_S = 0.0005  # seconds a slice may hold the loop; a turn of the loop takes about 4 microseconds more
_AT_ONCE_S: Final = 0.0002
_ITEMS_A_SLICE: Final = 1024


def run_to_end(work: Sliced[Result]) -> Result:
    """The result of `work`, with no pauses."""
    while True:
        try:
            next(work)
        except StopIteration as stop:
            result: Result = stop.value
            return result


async def run_sliced(work: Sliced[Result], budget: float = BUDGET_S) -> Result:
    """The result of `work`, giving the loop a turn after each `budget` seconds.

    A slice comes last in its turn: what has arrived meanwhile, such as queries, waits for the end of one slice and
    never for that of the next. What is short is done at once.
    """
    try:
        _go_on(work, min(budget, _AT_ONCE_S))
    except StopIteration as stop:
        short: Result = stop.value
        return short
    loop = asyncio.get_running_loop()
    ended: asyncio.Future[Result] = loop.create_future()
    loop.call_later(0, _run_slice, loop, work, budget, ended)
    try:
        return await ended
    finally:
        del ended  # it holds an error whose traceback holds this frame


def _run_slice(
    loop: asyncio.AbstractEventLoop, work: Sliced[Result], budget: float, ended: "asyncio.Future[Result]"
) -> None:
    """A slice of `work`, and the next one in the next turn.

    It is called by a timer that is due at once: asyncio calls those behind what its turn has found to read, but a task
    that gives way with `sleep(0)` before that.
    """
    if ended.done():  # nobody waits for it any more
        work.close()
        return
    try:
        _go_on(work, budget)
    except StopIteration as stop:
        ended.set_result(stop.value)
    except Exception as error:
        ended.set_exception(error)
        del ended  # as above
    else:
        loop.call_later(0, _run_slice, loop, work, budget, ended)


def _go_on(work: Sliced[Result], seconds: float) -> None:
    """Steps of `work`, one at least, for so long. StopIteration at its end."""
    until = time.monotonic() + seconds
    next(work)
    while time.monotonic() < until:
        next(work)


def drain(containers: Iterable[dict[Any, Any] | set[Any] | list[Any]]) -> Sliced[None]:
    """Empty what nobody needs any more, some items at a time."""
    for container in containers:
        take = container.popitem if isinstance(container, dict) else container.pop
        while container:
            for _ in range(min(len(container), _ITEMS_A_SLICE)):
                take()
            yield
