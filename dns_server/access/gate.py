"""What each signed or restricted request passes first: the signature is judged, failures are counted and logged."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from dns_server.access.permissions import Access, Record
from dns_server.client import Client
from dns_server.tsig.exchange import Replies
from dns_server.tsig.verify import Rejected, Verified, verify
from zones.keys import Operation, TsigKey
from zones.name import to_text

Report = Callable[..., None]
"""Called with an event and fields for what a peer can cause at will: it is bounded."""


@dataclass(slots=True)
class Admitted:
    """A request whose signature is right, or that has none."""

    message: bytes
    """Without its TSIG record."""
    verified: Verified | None
    """None where it was not signed."""
    _replies: Replies | None

    @property
    def key(self) -> TsigKey | None:
        """The key that it was signed with."""
        return None if self.verified is None else self.verified.key

    @property
    def key_name(self) -> str | None:
        """Of the key, for logs."""
        return None if self.verified is None else to_text(self.verified.key.name)

    @property
    def room(self) -> int:
        """Octets that signing adds to a reply."""
        return 0 if self._replies is None else self._replies.room

    def sign(self, reply: bytes, now: float) -> bytes:
        """`reply`, signed where the request was; the messages of a stream in their order."""
        return reply if self._replies is None else self._replies.sign(reply, now)


class Gate:
    """Knows the keys and permissions in force; `access` is replaced with each version of the zones."""

    def __init__(self, report: Report, clock: Callable[[], float]) -> None:
        """`clock` gives seconds since 1970."""
        self.access = Access()
        self.clock: Final = clock
        self.failures: Final[Counter[str]] = Counter()
        """Requests whose signature is not believed, by reason."""
        self.denied: Final[Counter[Operation]] = Counter()
        """Requests that are not permitted, by what they wanted."""
        self._report = report

    def admit(self, wire: bytes, client: Client) -> Admitted | bytes:
        """The request, or the reply that rejects it."""
        found = verify(wire, self.access.keyring.keys, self.clock())
        if isinstance(found, Rejected):
            self.failures[found.reason] += 1
            self._report("signature not believed", client=str(client), key=found.key, reason=found.reason)
            return found.reply
        if found is None:
            return Admitted(wire, None, None)
        return Admitted(found.message, found, found.replies())

    def may(
        self, admitted: Admitted, operation: Operation, zone: bytes, client: Client, records: tuple[Record, ...] = ()
    ) -> bool:
        """Whether the request may do that; see `Access.may`. A denial is counted and logged."""
        if self.access.may(admitted.key, operation, zone, client.address, records):
            return True
        self.denied[operation] += 1
        self._report(
            "not permitted",
            operation=operation.name.lower(),
            zone=to_text(zone),
            client=str(client),
            key=admitted.key_name,
        )
        return False
