"""Listeners, over real sockets and real clients."""
