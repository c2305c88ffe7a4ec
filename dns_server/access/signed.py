"""Ordinary queries that are signed: answered as any other, and the answer is signed.

Read first: RFC 8945 5.3.
"""

from collections.abc import AsyncGenerator, Callable

from dns_server.access.gate import Admitted, Gate
from dns_server.answer.engine import Engine
from dns_server.answer.protocol import Transport
from dns_server.answer.request import parse
from dns_server.client import Client
from zones import rdtypes

Shown = Callable[[bytes, Admitted, Client], None]
"""Called with a folded name when somebody asked for its SOA over TCP, signed: that is what secondaries do."""


class SignedQueries:
    """Answers them from the engine."""

    def __init__(self, gate: Gate, engine: Engine, shown: Shown) -> None:
        self._gate = gate
        self._engine = engine
        self._shown = shown

    async def handle(self, wire: bytes, client: Client) -> AsyncGenerator[bytes, None]:
        """The answer."""
        admitted = self._gate.admit(wire, client)
        if isinstance(admitted, bytes):
            yield admitted
            return
        now = self._gate.clock()
        reply = self._engine.respond(admitted.message, client.transport, now, admitted.room)
        if reply is None:
            return
        request = parse(admitted.message)
        if request.qtype == rdtypes.SOA and client.transport is Transport.TCP:
            self._shown(request.name, admitted, client)
        yield admitted.sign(reply, now)
