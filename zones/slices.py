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

BUDGET_S = 0.002  # seconds a slice may hold the loop
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

    And one at the end of what took longer than that: who calls may have other long work to do.
    """
    is_long = False
    while True:
        until = time.monotonic() + budget
        try:
            next(work)
            while time.monotonic() < until:
                next(work)
        except StopIteration as stop:
            result: Result = stop.value
            break
        is_long = True
        await asyncio.sleep(0)
    if is_long:
        await asyncio.sleep(0)
    return result


def drain(containers: Iterable[dict[Any, Any] | set[Any] | list[Any]]) -> Sliced[None]:
    """Empty what nobody needs any more, some items at a time."""
    for container in containers:
        take = container.popitem if isinstance(container, dict) else container.pop
        while container:
            for _ in range(min(len(container), _ITEMS_A_SLICE)):
                take()
            yield
