"""What the service has to do with other servers and with signed requests: the parts of it, tied together.

Keys and permissions follow each version of the zones, differences go to the journal, secondaries are told.
"""

import time
from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from structlog.typing import FilteringBoundLogger

from dns_server.access.gate import Admitted, Gate, Report
from dns_server.access.keyring import BadKeyFile, keyring, read_key_file
from dns_server.access.permissions import Access
from dns_server.access.signed import SignedQueries
from dns_server.access.transfers import Transfers
from dns_server.answer.engine import Engine, Kind
from dns_server.answer.protocol import Rcode
from dns_server.answer.replies import bare_reply, question_of
from dns_server.catalog.producer import CatalogProducer
from dns_server.client import Client
from dns_server.notify.incoming import NotifyHandler, Trigger
from dns_server.notify.secondaries import Secondaries
from dns_server.notify.sender import NotifySender
from dns_server.publisher import Publisher
from dns_server.reports import Difference
from dns_server.transfer.handler import TransferHandler
from dns_server.transfer.journal import Journal
from dns_server.transfer.recovery import AskPast, Recovery
from zones.delta import Delta, delta_within
from zones.keys import Operation, TsigKey
from zones.policy import Policy
from zones.slices import run_sliced
from zones.snapshot import Snapshot

Handler = Callable[[bytes, Client], AsyncGenerator[bytes, None]]
"""The messages of the reply to one kind of request."""


@dataclass(frozen=True, slots=True)
class PeersPlan:
    """What the operator chose."""

    transfers: Transfers = field(default_factory=Transfers)
    keys: tuple[TsigKey, ...] = ()
    """Beside those of the repository."""
    key_file: Path | None = None
    """Where they are from."""
    allow_md5: bool = False
    catalog: bytes | None = None
    """Folded origin of the catalog zone; None for none."""
    journal_octets: int = 16 << 20
    """Memory for differences of versions."""


class Peers:
    """Everything of one service that is for other servers."""

    def __init__(
        self,
        plan: PeersPlan,
        engine: Engine,
        publisher: Publisher,
        log: FilteringBoundLogger,
        report: Report,
        is_own: Callable[[str, int], bool],
    ) -> None:
        """`report` is for what a peer can cause at will; `is_own` says whether we listen on an address and port."""
        self._plan = plan
        self._keys = plan.keys
        self._log = log
        self._publisher = publisher
        self.gate: Final = Gate(report, time.time)
        self.journal: Final = Journal(plan.journal_octets)
        self.secondaries: Final = Secondaries()
        self.transfers: Final = TransferHandler(
            self.gate, lambda: publisher.snapshot, self.journal, self.secondaries, log
        )
        self.notifier: Final = NotifySender(
            self.gate, lambda: publisher.snapshot, self.secondaries, is_own, log, report
        )
        self.notified: Final = NotifyHandler(self.gate, lambda: publisher.snapshot, log)
        signed = SignedQueries(self.gate, engine, self._shown)
        self.handlers: Final[dict[Kind, Handler]] = {
            Kind.TRANSFER: self.transfers.handle,
            Kind.SIGNED: signed.handle,
            Kind.NOTIFY: self.notified.handle,
        }
        """Who answers what the engine leaves to others; a kind that is not there is refused."""
        if plan.catalog is not None:
            publisher.producers.append(CatalogProducer(plan.catalog, time.time, log))
        publisher.followers.append(self.follow)

    def start(self, trigger: Trigger) -> None:
        """Begin to tell secondaries; `trigger` asks for a sync."""
        self.notified.trigger = trigger
        self.notifier.start()

    def recover_from(self, past: AskPast) -> None:
        """Ask the history of the repository for differences that the journal does not have."""
        self.transfers.recovery = Recovery(past, self.journal, lambda: self._publisher.snapshot, self._log)

    def stop(self) -> None:
        """End."""
        self.notifier.stop()

    def handle(self, kind: Kind, wire: bytes, client: Client) -> AsyncGenerator[bytes, None]:
        """The messages of the reply to a request that the engine leaves to others."""
        return self.handlers.get(kind, self._refuse)(wire, client)

    async def follow(self, before: Snapshot, after: Snapshot, change: Difference) -> None:
        """A version of the zones went into service."""
        if self._publisher.loads == 1 or _permissions(before) != _permissions(after):
            self._renew_access(after)
        for origin in change.removed:
            self.journal.forget(origin)
            self.secondaries.forget(origin)
        for origin in change.changed:
            known = before.zones.get(origin)
            step: Delta | None = None
            if known is not None and known.zone.serial != after.zones[origin].zone.serial:
                step = await run_sliced(delta_within(known.zone, after.zones[origin].zone, self._plan.journal_octets))
            if step is not None:
                self.journal.add(origin, step)
            else:
                self.journal.forget(origin)
        # Not before: who is told asks for the difference at once.
        self.notifier.changed(change.changed, change.removed)

    def read_keys_again(self) -> None:
        """Take the keys that the operator's file has now; where they can't be read, the ones before stay in force."""
        if self._plan.key_file is None:
            return
        try:
            self._keys = read_key_file(self._plan.key_file)
        except BadKeyFile as error:
            self._log.error("the keys before stay in force", reason=str(error))
        else:
            self._renew_access(self._publisher.snapshot)

    def _renew_access(self, after: Snapshot) -> None:
        keys = keyring(after, self._keys, allow_md5=self._plan.allow_md5)
        for reason in keys.left_out:
            self._log.warning("a key does not count", reason=reason)
        policy = Policy() if after.policy_file is None else after.policy_file.policy
        self.gate.access = Access(keys, policy, self._plan.transfers)

    def _shown(self, origin: bytes, admitted: Admitted, client: Client) -> None:
        """Somebody asked for an SOA as secondaries do: it is told of changes if it may have the zone."""
        key = admitted.key
        if key is None or origin not in self._publisher.snapshot.zones:
            return
        if self.gate.access.may(key, Operation.TRANSFER, origin, client.address):
            self.notifier.shown.note(origin, client.address, key.name, self.gate.clock())

    async def _refuse(self, wire: bytes, client: Client) -> AsyncGenerator[bytes, None]:
        admitted = self.gate.admit(wire, client)
        if isinstance(admitted, bytes):
            yield admitted
            return
        refusal = bare_reply(admitted.message, Rcode.REFUSED, question_of(admitted.message))
        yield admitted.sign(refusal, self.gate.clock())


def _permissions(snapshot: Snapshot) -> tuple[object, object]:
    """What keys and permissions are made of."""
    return snapshot.key_files, snapshot.policy_file
