"""Several processes that answer over UDP (`--workers`), and the main process that feeds and watches them.

The main process keeps everything of which there is one: the zones and their source, TCP and TLS, HTTP, transfers,
updates, the log. It opens for each worker a socket of each address (SO_REUSEPORT: the kernel spreads clients over them)
and keeps them open, so nothing that came is lost when a worker ends and another takes its place. Workers are forked
from the main process and share its memory as long as neither changes it. A change of a few zones is sent to them, a
large one makes fresh workers of the main process, which then share the new zones too.
"""
