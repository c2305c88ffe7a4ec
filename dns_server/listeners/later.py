"""Requests that came as datagrams and are answered later: so many at once, and so many of one client."""

import asyncio
import contextlib
from collections import Counter
from collections.abc import Callable
from typing import Final

from dns_server.answer.engine import Kind
from dns_server.client import Client
from dns_server.listeners.answering import Aborted, Handle
from dns_server.listeners.clients import client_of
from dns_server.listeners.udp_counters import UdpCounters

AT_ONCE: Final = 256
PER_CLIENT: Final = 32


class Later:
    """Runs the handlers of datagrams."""

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        handle: Handle,
        report: Callable[..., None],
        bug: Callable[..., None],
    ) -> None:
        """`report` is for what a peer can cause at will; `bug` gets what a handler raises by a defect of ours."""
        self._loop = loop
        self._handle = handle
        self._report = report
        self._bug = bug
        self._tasks: set[asyncio.Task[None]] = set()
        self._clients: Counter[str] = Counter()
        self.counters: Final = UdpCounters()
        """Of the sockets that requests come from."""

    def start(
        self,
        kind: Kind,
        query: bytes,
        client: Client,
        send: Callable[[bytes], None],
        silent: Callable[[], None] | None = None,
    ) -> None:
        """Answer `query` by `send`, when the reply is there; `silent` is called where there is to be none."""
        name = client_of(client.address)
        if len(self._tasks) >= AT_ONCE or self._clients[name] >= PER_CLIENT:
            self.counters.crowded += 1
            self._report("request dropped: too many are being answered", kind=kind.value, client=str(client))
            if silent is not None:
                silent()
            return
        self._clients[name] += 1
        task = self._loop.create_task(self._run(kind, query, client, send, silent))
        self._tasks.add(task)
        task.add_done_callback(lambda done: self._ended(done, name))

    def close(self) -> None:
        """Give up what is still being answered."""
        for task in self._tasks:
            task.cancel()

    async def _run(
        self,
        kind: Kind,
        query: bytes,
        client: Client,
        send: Callable[[bytes], None],
        silent: Callable[[], None] | None,
    ) -> None:
        is_answered = False
        try:
            async with contextlib.aclosing(self._handle(kind, query, client)) as messages:
                async for message in messages:
                    send(message)
                    is_answered = True
        except Aborted:
            pass
        except Exception as error:
            self._bug("internal error, a request was dropped", query=query[:512].hex(), exc_info=error)
        if silent is not None and not is_answered:
            silent()

    def _ended(self, task: "asyncio.Task[None]", name: str) -> None:
        self._tasks.discard(task)
        self._clients[name] -= 1
        if not self._clients[name]:
            del self._clients[name]
