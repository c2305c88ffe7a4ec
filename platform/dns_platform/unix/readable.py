"""One descriptor that can be read when any of several sockets can, for who waits for one."""

import select
import socket
from collections.abc import Sequence


class Readable:
    """Of `sockets`, which stay their owner's."""

    def __init__(self, sockets: Sequence[socket.socket]) -> None:
        self._first = sockets[0]
        self._epoll: select.epoll | None = None
        if len(sockets) > 1:
            self._epoll = select.epoll()
            for each in sockets:
                self._epoll.register(each, select.EPOLLIN)

    def fileno(self) -> int:
        """The descriptor."""
        return self._first.fileno() if self._epoll is None else self._epoll.fileno()

    def close(self) -> None:
        """Give it up."""
        if self._epoll is not None:
            self._epoll.close()
