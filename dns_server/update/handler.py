"""Who may update, and what the reply says: from a message off the wire to a change that is written.

Read first: RFC 2136 3 (processing by the server), RFC 3007 (it is signed), RFC 8945 5.2.3 (and obeyed once).
"""

import asyncio
from collections import Counter
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Final

from structlog.typing import FilteringBoundLogger

from dns_server.access.gate import Admitted, Gate, Report
from dns_server.answer.protocol import CLASS_IN, HEADER_SIZE, MAX_MESSAGE, OPT_SIZE, Ede, Rcode
from dns_server.answer.replies import bare_reply, extended_error, reply
from dns_server.answer.request import Malformed, Request, parse
from dns_server.client import Client
from dns_server.telemetry.statistics import RCODE_NAMES
from dns_server.tsig.replay import Obeyed
from dns_server.update.counters import UpdateCounters
from dns_server.update.message import UpdateMessage, read
from dns_server.update.rules import SIGNERS, Refusal, evaluate, is_well_formed
from zones import rdtypes
from zones.git.authoring import Person
from zones.keys import Operation
from zones.name import to_text
from zones.slices import Sliced, run_sliced
from zones.snapshot import Snapshot
from zones.source import SourceError
from zones.writeback.edit import Change
from zones.writeback.transaction import NotAllowed, NotWritten, Transaction, Written
from zones.zone import Zone

MAX_IN_PROGRESS: Final = 256
"""Updates that may wait for their push."""
MAX_PER_CLIENT: Final = 64
"""Of one address."""
_QUESTION_SIZE: Final = 4  # type and class
_RECORD_SIZE: Final = 12  # a pointer to the name, type, class, TTL and length

Write = Callable[[bytes, Transaction], Awaitable[Written]]
"""Writes a change of a zone (folded origin); see `Writer.write`."""


@dataclass(frozen=True, slots=True)
class _Update:
    """A message as a change that can be made again on a newer version of the zone."""

    message: UpdateMessage
    author: Person
    permits: Callable[[Sequence[Change]], bool]

    def changes(self, zone: Zone) -> Sliced[Sequence[Change]]:
        """What the message does to `zone`. Refusal."""
        found = yield from evaluate(zone, self.message)
        if not self.permits(found):  # an update that removes all of a name says no types
            raise Refusal(Rcode.REFUSED, "not all of these records may be changed with this key")
        if not all(_fits_message(change) for change in found):
            raise Refusal(Rcode.REFUSED, "an RRset would be too long for any message")
        return found


def _fits_message(change: Change) -> bool:
    """Whether what a change leaves of an RRset can be told to who asks for it."""
    if change.after is None:
        return True
    fixed = HEADER_SIZE + len(change.owner) + _QUESTION_SIZE + OPT_SIZE
    return fixed + sum(_RECORD_SIZE + len(rdata) for rdata in change.after.rdatas) <= MAX_MESSAGE


class UpdateHandler:
    """Answers UPDATE messages."""

    def __init__(
        self,
        gate: Gate,
        snapshot: Callable[[], Snapshot],
        write: Write | None,
        log: FilteringBoundLogger,
        report: Report,
    ) -> None:
        """`write` is None where the zones come from nothing that can be written to."""
        self._gate = gate
        self._snapshot = snapshot
        self._write = write
        self._log = log
        self._report = report
        self._obeyed = Obeyed()
        self._by_client: Counter[str] = Counter()
        self._tasks: set[asyncio.Task[bytes]] = set()
        self.counters: Final = UpdateCounters()

    async def handle(self, wire: bytes, client: Client) -> AsyncGenerator[bytes, None]:
        """The reply; none to a copy of what is being worked on."""
        admitted = self._gate.admit(wire, client)
        if isinstance(admitted, bytes):
            yield admitted
            return
        verified = admitted.verified
        if verified is not None and not self._obeyed.is_new(verified, self._gate.clock()):
            self.counters.repeated += 1
            known = self._obeyed.reply(verified)
            if known is not None:
                yield admitted.sign(wire[:2] + known[2:], self._gate.clock())
            return
        # A client that goes away does not stop what it began.
        task = asyncio.create_task(self._answer(admitted, client))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        yield admitted.sign(await asyncio.shield(task), self._gate.clock())

    async def _answer(self, admitted: Admitted, client: Client) -> bytes:
        """The reply, without a signature."""
        try:
            request = parse(admitted.message, tells=True)
            await self._obey(request, admitted, client)
        except Malformed:
            self.counters.replies[Rcode.FORMERR] += 1
            return bare_reply(admitted.message, Rcode.FORMERR)
        except Refusal as refusal:
            rcode, reason = refusal.rcode, refusal.reason
        else:
            rcode, reason = Rcode.NOERROR, ""
        self.counters.replies[rcode] += 1
        options = extended_error(Ede.OTHER, reason) if reason else b""
        answer = reply(request, rcode, options)
        if admitted.verified is not None:
            self._obeyed.done(admitted.verified, answer)
        return answer

    async def _obey(self, request: Request, admitted: Admitted, client: Client) -> None:
        """Do what `request` wants. Its records, whose parsing costs, are looked at when it may. Refusal, Malformed."""
        origin = request.name
        if request.edns is not None and request.edns.version:  # RFC 6891 6.1.3
            raise Refusal(Rcode.BADVERS, "")
        if request.qtype != rdtypes.SOA:  # RFC 2136 3.1.1
            raise Refusal(Rcode.FORMERR, "the zone section is not of type SOA")
        snapshot = self._snapshot()
        served = snapshot.zones.get(origin)
        if request.qclass != CLASS_IN or (served is None and origin not in snapshot.broken):
            raise Refusal(Rcode.NOTAUTH, f"{to_text(origin)} is not served here")  # RFC 2136 3.1.2
        if not self._gate.may(admitted, Operation.UPDATE, origin, client):
            raise Refusal(Rcode.REFUSED, "not permitted" if admitted.key else "updates must be signed")
        if served is None:
            raise Refusal(Rcode.SERVFAIL, "the zone is broken")
        if self._write is None:
            raise Refusal(Rcode.REFUSED, "the zones come from nothing that can be written to")
        self._begin(client)
        try:
            message = await run_sliced(read(admitted.message, request))
            if not await run_sliced(is_well_formed(message)):
                await run_sliced(evaluate(served.zone, message))
                raise AssertionError  # it was refused
            self._check_records(message, admitted, client)
            await self._do(self._write, message, admitted, client)
        finally:
            self._end(client)

    def _check_records(self, message: UpdateMessage, admitted: Admitted, client: Client) -> None:
        """Refusal where records are named that may not be changed."""
        signers = [record.rdtype for record in message.updates if record.rdtype in SIGNERS]
        if signers:
            raise Refusal(Rcode.REFUSED, f"{rdtypes.to_text(signers[0])} records are made by signing")
        records = tuple((record.owner, record.rdtype) for record in message.updates if record.rdtype != rdtypes.ANY)
        if not self._gate.may(admitted, Operation.UPDATE, message.zone, client, records):
            raise Refusal(Rcode.REFUSED, "not all of these records may be changed with this key")

    def _begin(self, client: Client) -> None:
        """Refusal where too much is in progress."""
        mine = self._by_client[client.address]
        if self.counters.in_progress >= MAX_IN_PROGRESS or mine >= MAX_PER_CLIENT:
            self.counters.busy += 1
            self._report("too many updates at once", client=str(client), of_this_client=mine)
            raise Refusal(Rcode.SERVFAIL, "too many updates at once; try again")
        self.counters.in_progress += 1
        self._by_client[client.address] += 1

    def _end(self, client: Client) -> None:
        self.counters.in_progress -= 1
        self._by_client[client.address] -= 1
        if not self._by_client[client.address]:
            del self._by_client[client.address]

    async def _do(self, write: Write, message: UpdateMessage, admitted: Admitted, client: Client) -> None:
        """Have the change written. Refusal."""
        key = admitted.key
        assert key is not None  # nobody else is permitted
        origin, access = message.zone, self._gate.access

        def permits(changes: Sequence[Change]) -> bool:
            records = [(change.owner, change.rdtype) for change in changes]
            return access.may(key, Operation.UPDATE, origin, client.address, records)

        name = to_text(key.name).removesuffix(".")
        update = _Update(message, Person(name, f"{name}@localhost"), permits)
        log = self._log.bind(zone=to_text(origin), client=str(client), key=admitted.key_name)
        try:
            written = await write(origin, update)
        except Refusal as refusal:
            log.info("update refused", rcode=RCODE_NAMES[refusal.rcode], reason=refusal.reason)
            raise
        except NotAllowed as error:
            log.info("update refused", rcode=RCODE_NAMES[Rcode.REFUSED], reason=str(error))
            raise Refusal(Rcode.REFUSED, str(error)) from error
        except (NotWritten, SourceError) as error:
            log.error("update failed", rcode=RCODE_NAMES[Rcode.SERVFAIL], reason=str(error))
            raise Refusal(Rcode.SERVFAIL, "the change could not be written") from error
        log.info("update obeyed", serial=written.serial, commit=written.commit or None)
