"""Asking our engine and the other servers the same, and what differs without an excuse."""

from collections.abc import Iterable
from dataclasses import dataclass

import dns.message

from dns_server.answer.engine import Engine
from dns_server.answer.protocol import Transport
from tests.dns_server.answer.deviations import Case, excused
from tests.dns_server.answer.replies import Reply, read, show
from tests.support.servers import Server
from zones.name import fold
from zones.zone import Zone

SHOWN = 5


@dataclass(frozen=True)
class Bench:
    """Servers with the same zones."""

    engine: Engine
    zones: list[Zone]
    servers: list[Server]

    def differences(self, zone: Zone, queries: Iterable[bytes]) -> list[str]:
        """Descriptions of unexcused differences, the first few in full."""
        found: list[str] = []
        for wire in queries:
            ours = self._ours(wire, Transport.UDP)
            for server in self.servers:
                reply = server.ask(wire)
                if reply is None:
                    found.append(f"{server.name} does not answer {dns.message.from_wire(wire).question[0]}")
                    continue
                theirs = read(reply)
                found += self._compare(zone, wire, server, ours, theirs)
                if ours.tc or theirs.tc:
                    found += self._compare_whole(zone, wire, server, ours)
        return found

    def _ours(self, wire: bytes, transport: Transport) -> Reply:
        reply = self.engine.respond(wire, transport, 0.0)
        assert reply is not None
        return read(reply, distinct=True)

    def _compare_whole(self, zone: Zone, wire: bytes, server: Server, cut: Reply) -> list[str]:
        """Compare over TCP, where nothing is cut; what was cut must be part of the whole."""
        whole = self._ours(wire, Transport.TCP)
        assert not whole.tc
        for section in ("answer", "authority", "additional"):
            assert getattr(cut, section) <= getattr(whole, section)
        reply = server.ask(wire, tcp=True)
        assert reply is not None
        return self._compare(zone, wire, server, whole, read(reply))

    def _compare(self, zone: Zone, wire: bytes, server: Server, ours: Reply, theirs: Reply) -> list[str]:
        differing = ours.differs(theirs)
        if ours.tc or theirs.tc:
            differing -= {"answer", "authority", "additional"}  # how much is put into a cut reply is free
        if not differing:
            return []
        question = dns.message.from_wire(wire).question[0]
        case = Case(server.name, zone, fold(question.name.to_wire() or b""), int(question.rdtype), ours, theirs)
        if not (differing := differing - excused(case)):
            return []
        return [f"{question}: {sorted(differing)}\nours: {show(ours)}\n{server.name}: {show(theirs)}\n"]


def report(found: list[str]) -> str:
    """The message of a failed comparison: a few of the differences, spread over all."""
    spread = found[:: max(1, len(found) // SHOWN)]
    return f"{len(found)} differences, some of them:\n" + "\n".join(spread)
