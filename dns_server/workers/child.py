"""A child process made of a running one: what must not be shared with the parent is let go of at once.

Read first: fork(2), signal-safety(7), epoll(7) on descriptors that several processes have.
"""

import os
import signal
import traceback
from collections.abc import Callable, Collection
from typing import Final, NoReturn

EXIT_FAULT: Final = 70  # EX_SOFTWARE of sysexits.h
_PARENTS: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
"""Signals that a terminal or a service manager sends to all processes; the parent acts on them."""
_FIRST_OWN: Final = 3  # below are the standard streams


def fork(run: Callable[[], int], keep: Collection[int]) -> int:
    """A child process that does `run` and exits with its result; its process id.

    It keeps the descriptors `keep` and the standard streams. The loop of the parent, if one runs, is none of it.
    """
    before = signal.pthread_sigmask(signal.SIG_BLOCK, _PARENTS)  # none may arrive while the child has our handlers
    try:
        pid = os.fork()
        if not pid:
            _live(run, keep, before)
        return pid
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _live(run: Callable[[], int], keep: Collection[int], mask: Collection[int]) -> NoReturn:
    """The whole life of the child: it never returns into the parent's code."""
    code = EXIT_FAULT
    try:
        signal.set_wakeup_fd(-1)  # it leads to the parent's loop
        for number in _PARENTS:
            signal.signal(number, signal.SIG_IGN)
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)
        _let_go(keep)
        code = run()
    except BaseException:  # a defect of ours
        traceback.print_exc()
    finally:
        os._exit(code)


def _let_go(keep: Collection[int]) -> None:
    """Close the parent's descriptors: a peer's connection must end when the parent closes it.

    Their numbers stay taken, by the null device, for objects of the parent that are never used here still hold them.
    """
    null = os.open(os.devnull, os.O_RDWR)
    for name in os.listdir("/proc/self/fd"):  # noqa: PTH208  the same with less
        descriptor = int(name)
        if descriptor >= _FIRST_OWN and descriptor not in keep and descriptor != null:
            os.dup2(null, descriptor, inheritable=False)
