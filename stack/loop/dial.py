"""Opening connections: one address after the other, or happy eyeballs.

Read first: RFC 8305.
"""

import asyncio
import itertools
from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import Final, TypeVar

from stack.loop.names import AddressInfo

ATTEMPT_DELAY: Final = 0.25
"""Seconds until the next address is tried beside those that have not answered (RFC 8305 5)."""

_T = TypeVar("_T")


def interleave(infos: Sequence[AddressInfo], first_family_count: int = 1) -> list[AddressInfo]:
    """RFC 8305 4: `first_family_count` addresses of the family that comes first, then one of each in turn."""
    families: dict[int, list[AddressInfo]] = {}
    for info in infos:
        families.setdefault(info[0], []).append(info)
    lists = list(families.values())
    if len(lists) < 2:
        return list(infos)
    head, lists[0] = lists[0][: first_family_count - 1], lists[0][first_family_count - 1 :]
    turns = itertools.zip_longest(*lists)
    return head + [info for turn in turns for info in turn if info is not None]


async def race(
    candidates: Iterable[AddressInfo],
    attempt: Callable[[AddressInfo], Awaitable[_T]],
    delay: float | None,
    discard: Callable[[_T], None],
) -> _T:
    """The result of the first attempt to succeed (RFC 8305 5); the next begins when one fails or `delay` has passed.

    `delay` in seconds; None tries one after the other. Results that come too late go to `discard`. When all fail,
    their OSError, or one that tells of them all.
    """
    remaining = iter(candidates)
    running: set[asyncio.Future[_T]] = set()
    errors: list[OSError] = []
    try:
        while True:
            following = next(remaining, None)
            if following is not None:
                running.add(asyncio.ensure_future(attempt(following)))
            elif not running:
                raise _combined(errors)
            timeout = None if following is None else delay
            done, running = await asyncio.wait(running, timeout=timeout, return_when=asyncio.FIRST_COMPLETED)
            winners = [task.result() for task in done if _succeeded(task, errors)]
            if winners:
                for late in winners[1:]:
                    discard(late)
                return winners[0]
    finally:
        for task in running:
            if not task.cancel() and not task.cancelled() and task.exception() is None:
                discard(task.result())


def _succeeded(task: "asyncio.Future[_T]", errors: list[OSError]) -> bool:
    error = task.exception()
    if error is None:
        return True
    if not isinstance(error, OSError):
        raise error
    errors.append(error)
    return False


def _combined(errors: list[OSError]) -> OSError:
    if len(errors) == 1:
        return errors[0]
    if len({error.errno for error in errors}) == 1:
        return OSError(errors[0].errno, "; ".join(error.strerror or str(error) for error in errors))
    return OSError("; ".join(str(error) for error in errors) or "there is no address to connect to")
