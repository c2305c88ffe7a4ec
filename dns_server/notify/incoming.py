"""NOTIFY from those who push: starts a sync, and tells what came of it.

Read first: RFC 1996 3 and 4.7 to 4.9, RFC 8914.
"""

import asyncio
from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from structlog.typing import FilteringBoundLogger

from dns_server.access.gate import Admitted, Gate
from dns_server.answer.protocol import AA, CLASS_IN, Ede, Rcode
from dns_server.answer.replies import bare_reply, extended_error, reply
from dns_server.answer.request import Malformed, Request, parse
from dns_server.client import Client
from dns_server.tsig.replay import Obeyed
from zones import rdtypes
from zones.keys import Operation
from zones.name import to_text
from zones.snapshot import Snapshot

if TYPE_CHECKING:
    from zones.sync import Outcome

SYNC_S: Final = 60.0
"""Seconds after which the reply no longer waits for the sync."""
_SHORT: Final = 12  # digits of a commit id that people read

Trigger = Callable[[], "asyncio.Future[Outcome]"]
"""Asks for a sync; see `Sync.trigger`."""


@dataclass(slots=True)
class IncomingCounters:
    """What happened since the start."""

    obeyed: int = 0
    refused: int = 0
    """Not signed, or with a key that may not."""
    repeated: int = 0
    """Copies of what was obeyed already."""


class NotifyHandler:
    """Obeys notifications with a key that may."""

    def __init__(self, gate: Gate, snapshot: Callable[[], Snapshot], log: FilteringBoundLogger) -> None:
        self._gate = gate
        self._snapshot = snapshot
        self._log = log
        self._obeyed = Obeyed()
        self.trigger: Trigger | None = None
        """None as long as nothing is followed."""
        self.counters: Final = IncomingCounters()

    async def handle(self, wire: bytes, client: Client) -> AsyncGenerator[bytes, None]:
        """The reply, after the sync."""
        admitted = self._gate.admit(wire, client)
        if isinstance(admitted, bytes):
            self.counters.refused += 1
            yield admitted
            return
        try:
            request = parse(admitted.message, tells=True)
        except Malformed as malformed:
            yield admitted.sign(bare_reply(admitted.message, Rcode.FORMERR, malformed.question), self._gate.clock())
            return
        said = await self._obey(request, admitted, client)
        if said is not None:
            yield admitted.sign(said, self._gate.clock())

    async def _obey(self, request: Request, admitted: Admitted, client: Client) -> bytes | None:
        if request.qtype != rdtypes.SOA or request.qclass != CLASS_IN:
            return reply(request, Rcode.FORMERR)
        if admitted.verified is None or self.trigger is None:
            self.counters.refused += 1
            return reply(request, Rcode.REFUSED, extended_error(Ede.PROHIBITED, "notifications must be signed"))
        if not self._gate.may(admitted, Operation.NOTIFY, request.name, client):
            self.counters.refused += 1
            return reply(request, Rcode.REFUSED, extended_error(Ede.PROHIBITED, "the key may not notify this zone"))
        if not self._obeyed.is_new(admitted.verified, self._gate.clock()):
            self.counters.repeated += 1
            known = self._obeyed.reply(admitted.verified)
            return None if known is None else request.id + known[2:]
        self.counters.obeyed += 1
        self._log.info("notified", zone=to_text(request.name), client=str(client), key=admitted.key_name)
        rcode, text = await self._sync(request.name)
        said = reply(request, rcode, extended_error(Ede.OTHER, text), AA)
        self._obeyed.done(admitted.verified, said)
        return said

    async def _sync(self, zone: bytes) -> tuple[int, str]:
        """Response code and text of a sync."""
        assert self.trigger is not None
        future = self.trigger()
        await asyncio.wait([future], timeout=SYNC_S)
        if not future.done():
            return Rcode.SERVFAIL, _served(self._snapshot(), zone, f"still syncing after {SYNC_S:.0f} s")
        if future.cancelled():
            return Rcode.SERVFAIL, "the server is stopping"
        outcome = future.result()
        if outcome.error:
            return Rcode.SERVFAIL, _served(self._snapshot(), zone, outcome.error)
        return Rcode.NOERROR, _served(self._snapshot(), zone)


def _served(snapshot: Snapshot, zone: bytes, problem: str = "") -> str:
    """Which commit is served, and what is wrong: a `problem` of the sync, then that of the zone."""
    parts = [f"commit {snapshot.revision[:_SHORT]}" if snapshot.revision else "a folder"]
    served = snapshot.zones.get(zone)
    parts.append("zone not served" if served is None else f"serial {served.zone.serial}")
    name = to_text(zone)
    wrong = [problem] if problem else []
    wrong += [str(finding) for finding in broken.findings[:1]] if (broken := snapshot.broken.get(zone)) else []
    wrong += [f"held back: {held.message}" for held in snapshot.held_back if held.what in (name, "zones")]
    others = [to_text(origin) for origin in snapshot.broken if origin != zone]
    if others:
        wrong.append(
            f"broken besides: {' '.join(others[:3])}{f' and {len(others) - 3} more' if len(others) > 3 else ''}"
        )
    return "; ".join([*parts, *(wrong or ["nothing is wrong"])])
