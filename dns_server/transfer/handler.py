"""Requests for transfers: who may, the whole zone or a difference, message by message.

Read first: RFC 5936 4 (transport), RFC 1995 2 to 4, RFC 9103 (over TLS), RFC 7314 (EXPIRE).
"""

import struct
import time
from collections.abc import AsyncGenerator, Callable, Iterable
from typing import TYPE_CHECKING, Final

from structlog.typing import FilteringBoundLogger

from dns_server.access.gate import Admitted, Gate
from dns_server.answer.protocol import (
    CLASS_IN,
    HEADER_SIZE,
    MAX_MESSAGE,
    UDP_MINIMUM,
    UDP_PAYLOAD,
    Ede,
    Rcode,
    Transport,
)
from dns_server.answer.replies import extended_error, opt, reply
from dns_server.answer.request import Malformed, Request, parse, skip_name
from dns_server.answer.zone_options import zone_options
from dns_server.client import Client
from dns_server.listeners.answering import Aborted
from dns_server.notify.secondaries import Secondaries
from dns_server.transfer import records
from dns_server.transfer.journal import Journal
from dns_server.transfer.limits import Counters, Turns, must_have_taken
from dns_server.transfer.messages import TooLong, bodies, message
from zones import rdtypes
from zones.keys import Operation
from zones.name import to_text
from zones.rrset import RRset
from zones.serial import is_newer, serial_in
from zones.slices import run_sliced
from zones.snapshot import Snapshot
from zones.zone import Zone

if TYPE_CHECKING:
    from dns_server.transfer.recovery import Recovery

_RECORD: Final = struct.Struct("!HHIH")  # type, class, TTL, RDLENGTH
_LEAST_SOA: Final = 22


class TransferHandler:
    """Answers AXFR and IXFR; many run at the same time, each with the version of the zone that it began with."""

    def __init__(
        self,
        gate: Gate,
        snapshot: Callable[[], Snapshot],
        journal: Journal,
        secondaries: Secondaries,
        log: FilteringBoundLogger,
    ) -> None:
        """`snapshot` gives what is in service; `secondaries` notes who has what."""
        self._gate = gate
        self._snapshot = snapshot
        self._journal = journal
        self._secondaries = secondaries
        self._log = log
        self._turns = Turns()
        self.recovery: Recovery | None = None
        """None where there is no history to ask."""
        self.counters: Final = Counters()

    async def handle(self, wire: bytes, client: Client) -> AsyncGenerator[bytes, None]:
        """The messages of the reply to the request `wire`. Aborted when the rest must not follow."""
        admitted = self._gate.admit(wire, client)
        if isinstance(admitted, bytes):
            yield admitted
            return
        request = parse(admitted.message)
        zone = self._zone(request, admitted, client)
        if isinstance(zone, bytes):
            yield admitted.sign(zone, self._gate.clock())
            return
        try:
            serial = _serial_asked(request, admitted.message) if request.qtype == rdtypes.IXFR else None
        except Malformed:
            yield admitted.sign(reply(request, Rcode.FORMERR), self._gate.clock())
            return
        is_there = client.transport is not Transport.UDP or admitted.key is not None
        if serial is not None and is_there:
            self._note(zone, client, serial, admitted)
        if client.transport is Transport.UDP:
            assert serial is not None  # the engine refuses AXFR over UDP
            yield admitted.sign(await self._by_datagram(request, serial, admitted, zone), self._gate.clock())
            return
        async with self._turns.turn(client.address):
            self.counters.running += 1
            try:
                async for signed in self._stream(request, serial, admitted, zone, client):
                    yield signed
            finally:
                self.counters.running -= 1

    def _zone(self, request: Request, admitted: Admitted, client: Client) -> Zone | bytes:
        """The zone that is asked for, or the reply that refuses it."""
        if request.qclass != CLASS_IN:
            return reply(request, Rcode.REFUSED, extended_error(Ede.NOT_AUTHORITATIVE))
        if not self._gate.may(admitted, Operation.TRANSFER, request.name, client):
            return reply(request, Rcode.REFUSED, extended_error(Ede.PROHIBITED))
        snapshot = self._snapshot()
        served = snapshot.zones.get(request.name)
        if served is not None:
            return served.zone
        if request.name in snapshot.broken:
            return reply(request, Rcode.SERVFAIL, extended_error(Ede.NOT_READY))
        return reply(request, Rcode.NOTAUTH, extended_error(Ede.NOT_AUTHORITATIVE))  # RFC 5936 2.2.1

    async def _by_datagram(self, request: Request, serial: int, admitted: Admitted, zone: Zone) -> bytes:
        """RFC 1995 2: the difference where it fits, else the SOA alone, which makes the client ask by TCP."""
        limit = UDP_MINIMUM if request.edns is None else min(request.edns.payload, UDP_PAYLOAD)
        tail = opt(request.edns, zone_options(request, zone, self._snapshot().revision))
        room = limit - admitted.room - len(tail)
        chosen = await self._difference(serial, zone)
        if chosen is not None:
            first, *more = bodies(request.qname, chosen, MAX_MESSAGE)
            whole = message(request, first, tail)
            if not more and len(whole) <= room + len(tail):
                self.counters.ixfr += 1
                return whole
        self.counters.current += 1
        return message(request, next(bodies(request.qname, _soa_alone(zone))), tail)

    async def _difference(self, serial: int, zone: Zone) -> Iterable[RRset] | None:
        """What an IXFR of who has the version `serial` is answered with; None when it must be the whole zone."""
        if serial == zone.serial or is_newer(serial, than=zone.serial):
            return _soa_alone(zone)
        delta = await run_sliced(self._journal.since(zone.origin, serial, zone.serial))
        if delta is None or len(delta.removed) + len(delta.added) > zone.record_count:
            return None
        return records.difference(delta)

    async def _stream(
        self, request: Request, serial: int | None, admitted: Admitted, zone: Zone, client: Client
    ) -> AsyncGenerator[bytes, None]:
        """The messages; `serial` is that of an IXFR."""
        chosen: Iterable[RRset] | None = None
        if serial is not None:
            chosen = await self._difference(serial, zone)
            if chosen is None and self.recovery is not None and is_newer(zone.serial, than=serial):
                await self.recovery.recover(zone.origin)
                chosen = await self._difference(serial, zone)
            self._count_ixfr(chosen)
        else:
            self.counters.axfr += 1
        tail = opt(request.edns, zone_options(request, zone, self._snapshot().revision))
        started = time.monotonic()
        messages = octets = 0
        room = MAX_MESSAGE - admitted.room - len(tail)
        try:
            for body in bodies(request.qname, records.whole(zone) if chosen is None else chosen, room):
                signed = admitted.sign(message(request, body, b"" if messages else tail), self._gate.clock())
                messages += 1
                octets += len(signed)
                self.counters.octets += len(signed)
                yield signed
                seconds = time.monotonic() - started
                if octets < must_have_taken(seconds):
                    raise Aborted(f"the client took {octets} octets in {seconds:.0f} s")
        except TooLong:
            raise Aborted("a record is too long for any message") from None
        except Aborted:
            self.counters.cut_off += 1
            raise
        if not isinstance(chosen, tuple):  # else it had the newest, or a newer one
            self._note(zone, client, zone.serial, admitted)
        self._log.info(
            "zone transferred",
            zone=to_text(zone.origin),
            serial=zone.serial,
            kind="AXFR" if chosen is None else "IXFR",
            client=str(client),
            key=admitted.key_name,
            tls=client.is_secured,
            messages=messages,
            octets=octets,
            seconds=round(time.monotonic() - started, 3),
        )

    def _note(self, zone: Zone, client: Client, serial: int, admitted: Admitted) -> None:
        self._secondaries.has(zone.origin, client.address, serial, admitted.key_name, self._gate.clock())

    def _count_ixfr(self, chosen: Iterable[RRset] | None) -> None:
        if chosen is None:
            self.counters.fallbacks += 1
        elif isinstance(chosen, tuple):
            self.counters.current += 1
        else:
            self.counters.ixfr += 1


def _soa_alone(zone: Zone) -> tuple[RRset, ...]:
    assert zone.soa is not None
    return (zone.soa,)


def _serial_asked(request: Request, asked: bytes) -> int:
    """The serial that the client has (RFC 1995 3). Malformed where it does not say so."""
    if asked[8:10] != b"\0\1":
        raise Malformed("an IXFR request has one record in its authority section", request.question)
    position = skip_name(asked, HEADER_SIZE + len(request.question))
    rdtype, _, _, length = _RECORD.unpack_from(asked, position)
    end = position + _RECORD.size + length
    if rdtype != rdtypes.SOA or length < _LEAST_SOA:
        raise Malformed("that record is the SOA of the version that the client has", request.question)
    return serial_in(asked[end - length : end])
