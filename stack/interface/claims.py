"""IPv4 address conflict detection: probe, announce, defend.

Read first: RFC 5227.
"""

import enum
from collections.abc import Callable
from dataclasses import dataclass

from stack.address import IPV4_UNSPECIFIED, Address, mac_text, text
from stack.draw import Draw
from stack.interface.notices import Notices
from stack.interface.timer import Alarm
from stack.wire.arp import Packet

# RFC 5227 1.1
PROBE_WAIT_S = 1.0
PROBE_NUM = 3
PROBE_MIN_S = 1.0
PROBE_MAX_S = 2.0
ANNOUNCE_WAIT_S = 2.0
ANNOUNCE_NUM = 2
ANNOUNCE_INTERVAL_S = 2.0
DEFEND_INTERVAL_S = 10.0


class State(enum.Enum):
    """How far the claim to an address has come."""

    PROBING = "asking whether anyone else has it"
    ANNOUNCING = "telling everyone that it is ours"
    OWNED = "ours, and defended"


@dataclass(slots=True)
class Claim:
    """A claim to `address`.

    An `optimistic` one may be used while it is probed for. A `kept` one is never given up: an operator wrote it down.
    """

    address: Address
    optimistic: bool
    kept: bool
    claimed: Callable[[float], None]
    lost: Callable[[float], None]
    deadline: float | None
    state: State = State.PROBING
    count: int = 0
    last_conflict: float | None = None


class Claims:
    """Claims to IPv4 addresses; `probe` and `announce` send the ARP packets."""

    def __init__(
        self,
        mac: bytes,
        draw: Draw,
        notices: Notices,
        probe: Callable[[Address], None],
        announce: Callable[[Address], None],
    ) -> None:
        self._mac = mac
        self._draw = draw
        self._notices = notices
        self._probe = probe
        self._announce = announce
        self._claims: dict[Address, Claim] = {}
        self._alarm = Alarm()

    def add(
        self,
        address: Address,
        now: float,
        *,
        optimistic: bool,
        kept: bool,
        claimed: Callable[[float], None],
        lost: Callable[[float], None],
    ) -> None:
        """Claim `address`: `claimed(now)` is called once nobody objected, `lost(now)` when it has to be given up."""
        deadline = now + self._draw.uniform(0, PROBE_WAIT_S)
        self._claims[address] = Claim(address, optimistic, kept, claimed, lost, deadline)
        self._alarm.by(deadline)

    def drop(self, address: Address) -> None:
        """No longer claim `address`."""
        self._claims.pop(address, None)

    def is_usable(self, address: Address) -> bool:
        """May packets carry `address`, and ARP answer for it?"""
        claim = self._claims.get(address)
        return claim is not None and (claim.optimistic or claim.state is not State.PROBING)

    def state(self, address: Address) -> State | None:
        """How far the claim to `address` has come."""
        claim = self._claims.get(address)
        return claim.state if claim else None

    def heard(self, packet: Packet, now: float) -> bool:
        """Look for a conflict in `packet`; True when there is one, and its sender is not to be believed."""
        if packet.sender_mac == self._mac:
            return False
        claim = self._claims.get(packet.sender)
        if claim is None and packet.sender == IPV4_UNSPECIFIED:
            # RFC 5227 2.1.1: another host probes for the same address at the same time
            claim = self._claims.get(packet.target)
            if claim is None or claim.state is not State.PROBING:
                return False
        if claim is None:
            return False
        self._conflict(claim, packet.sender_mac, now)
        return True

    def poll_at(self) -> float | None:
        """When `poll` has something to do."""
        return self._alarm.at

    def poll(self, now: float) -> None:
        """Send the probes and announcements that are due."""
        if not self._alarm.is_due(now):
            return
        for claim in list(self._claims.values()):
            if claim.deadline is not None and claim.deadline <= now:
                self._step(claim, now)
        for claim in self._claims.values():
            if claim.deadline is not None:
                self._alarm.by(claim.deadline)

    def _step(self, claim: Claim, now: float) -> None:
        claim.count += 1
        match claim.state:
            case State.PROBING if claim.count <= PROBE_NUM:
                self._probe(claim.address)
                last = claim.count == PROBE_NUM
                claim.deadline = now + (ANNOUNCE_WAIT_S if last else self._draw.uniform(PROBE_MIN_S, PROBE_MAX_S))
            case State.PROBING:
                claim.state, claim.count, claim.deadline = State.ANNOUNCING, 1, now + ANNOUNCE_INTERVAL_S
                self._announce(claim.address)
                claim.claimed(now)
            case _:
                self._announce(claim.address)
                done = claim.count >= ANNOUNCE_NUM
                claim.state = State.OWNED if done else State.ANNOUNCING
                claim.deadline = None if done else now + ANNOUNCE_INTERVAL_S

    def _conflict(self, claim: Claim, mac: bytes, now: float) -> None:
        detail = f"{text(claim.address)} is also used by {mac_text(mac)}"
        recent = claim.last_conflict is not None and now - claim.last_conflict < DEFEND_INTERVAL_S
        if not recent:
            self._notices.add("address conflict", detail)
        if claim.kept:
            # RFC 5227 2.4 (c): a host that others rely on may keep its address; it defends it at most every 10 s.
            # Deviation: also before it was announced (2.1.1), or anyone on the link could keep the server off the net.
            if not recent:
                claim.last_conflict = now
                self._announce(claim.address)
        elif claim.state is State.PROBING or recent:
            # RFC 5227 2.1.1 and 2.4 (b): choose another address; after a second conflict within 10 s, too
            self.drop(claim.address)
            claim.lost(now)
        else:
            claim.last_conflict = now
            self._announce(claim.address)
