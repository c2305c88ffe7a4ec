"""`asyncio.unix_events` where there are no sockets, signals and processes: loops are made by `stack.loop`."""

from asyncio import events

__all__ = ("DefaultEventLoopPolicy",)


class DefaultEventLoopPolicy(events.BaseDefaultEventLoopPolicy):
    """Remembers the loop that is set; makes none."""

    def _loop_factory(self):
        raise RuntimeError("this image has no sockets: use stack.loop.loop.StackLoop")
