"""Who asks, and how."""

from typing import NamedTuple

from dns_server.answer.protocol import Transport


class Client(NamedTuple):
    """The other end of a message."""

    address: str
    """IPv4 or IPv6 address as text."""
    port: int
    transport: Transport
    is_secured: bool = False
    """Whether TLS carries it."""

    def __str__(self) -> str:
        return f"[{self.address}]:{self.port}" if ":" in self.address else f"{self.address}:{self.port}"
