"""Unix signals for the loop. Where there is no `signal` module there are no signals either."""

import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import asyncio
    from types import FrameType


class Signals:
    """The handlers that were added to a loop.

    Python runs a signal's handler in the main thread between two instructions, and goes on waiting if it was waiting;
    `call_soon_threadsafe` ends that wait.
    """

    def __init__(self, loop: "asyncio.BaseEventLoop") -> None:
        self._loop = loop
        self._previous: dict[int, Any] = {}

    def add(self, number: int, callback: Callable[..., object], arguments: tuple[object, ...]) -> None:
        """Call `callback` in the loop. RuntimeError where it can't be: not in the main thread, or no such signal."""
        import signal

        if threading.current_thread() is not threading.main_thread():
            raise RuntimeError("signal handlers can be added in the main thread only")

        def handle(_number: int, _frame: "FrameType | None") -> None:
            self._loop.call_soon_threadsafe(callback, *arguments)

        try:
            previous = signal.signal(number, handle)
        except (OSError, ValueError) as error:
            raise RuntimeError(f"signal {number} can't be caught: {error}") from error
        self._previous.setdefault(number, previous)

    def remove(self, number: int) -> bool:
        """Restore what was before."""
        import signal

        if number not in self._previous:
            return False
        signal.signal(number, self._previous.pop(number))
        return True

    def clear(self) -> None:
        """Remove all."""
        for number in list(self._previous):
            self.remove(number)
