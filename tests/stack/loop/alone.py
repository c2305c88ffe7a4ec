"""A loop whose only link goes nowhere: client and server meet through the interface's own address."""

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

from dns_platform.memory import link
from dns_platform.unix.host import UnixClock, UnixEntropy
from dns_platform.unix.poller import UnixPoller
from stack.address import parse_interface
from stack.interface.settings import Settings, Static
from stack.loop.loop import StackLoop
from stack.loop.turn import Platform
from stack.tcp.commons import Limits

ADDRESS = "192.0.2.1"
_T = TypeVar("_T")


def make_loop(limits: Limits | None = None) -> StackLoop:
    device, _ = link()
    platform = Platform(UnixClock(), UnixEntropy(), UnixPoller(device), device)
    settings = Settings(ipv4=(Static(*parse_interface(f"{ADDRESS}/24")),))
    return StackLoop(platform, settings, limits)


def run(main: Coroutine[Any, Any, _T], limits: Limits | None = None) -> _T:
    loop = make_loop(limits)
    with asyncio.Runner(loop_factory=lambda: loop) as runner:
        return runner.run(asyncio.wait_for(main, 60))
