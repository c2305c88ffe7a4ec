"""Which MAC a neighbour has, and whether it still answers: the cache and states of RFC 4861, for ARP as well.

An entry learned from others without being asked for never takes the place of one that is in use.

Read first: RFC 4861 7.2, 7.3.
"""

import enum
from collections import OrderedDict, deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from stack.address import Address
from stack.counters import Counters
from stack.interface.limits import Limits
from stack.interface.timer import Alarm

# RFC 4861 10
RETRANSMIT_S = 1.0
REACHABLE_S = 30.0
DELAY_FIRST_PROBE_S = 5.0
MULTICAST_SOLICITS = 3
UNICAST_SOLICITS = 3
STALE_S = 1200.0  # how long an entry is kept that nobody uses


class State(enum.Enum):
    """RFC 4861 7.3.2."""

    INCOMPLETE = "being asked for"
    REACHABLE = "confirmed lately"
    STALE = "not confirmed lately, not in use"
    DELAY = "in use, waiting for confirmation by what it is used for"
    PROBE = "in use, being asked"


@dataclass(slots=True)
class Neighbour:
    """One entry; `mac` is empty while INCOMPLETE."""

    address: Address
    state: State
    deadline: float
    mac: bytes = b""
    probes: int = 0
    waiting: deque[bytes] = field(default_factory=deque)


class Neighbours:
    """The neighbours of one family.

    `solicit(address, mac)` asks for a neighbour, everyone when `mac` is None. `deliver(mac, packets)` sends packets.
    `failed(address, packets)` says that a neighbour does not answer, with the packets that waited for it.
    """

    def __init__(
        self,
        layer: str,
        limits: Limits,
        counters: Counters,
        solicit: Callable[[Address, bytes | None], None],
        deliver: Callable[[bytes, Sequence[bytes]], None],
        failed: Callable[[Address, list[bytes], float], None],
    ) -> None:
        self._layer = layer
        self._limits = limits
        self._counters = counters
        self._solicit = solicit
        self._deliver = deliver
        self._failed = failed
        self._known: OrderedDict[Address, Neighbour] = OrderedDict()
        self._unresolved: OrderedDict[Address, Neighbour] = OrderedDict()
        self._alarm = Alarm()
        self.retransmit_s = RETRANSMIT_S
        self.reachable_s = REACHABLE_S

    def __len__(self) -> int:
        return len(self._known) + len(self._unresolved)

    def mac(self, address: Address) -> bytes | None:
        """MAC of `address` when it is known."""
        entry = self._known.get(address)
        return entry.mac if entry else None

    def state(self, address: Address) -> State | None:
        """State of `address`, None when there is no entry."""
        entry = self._known.get(address) or self._unresolved.get(address)
        return entry.state if entry else None

    def is_asked(self, address: Address) -> bool:
        """Is an answer of `address` outstanding?"""
        return self.state(address) in (State.INCOMPLETE, State.PROBE)

    def send(self, address: Address, packets: Sequence[bytes], now: float) -> None:
        """Send `packets` to the neighbour, at once or as soon as its MAC is known."""
        entry = self._known.get(address)
        if entry is not None:
            self._known.move_to_end(address)
            if entry.state is State.STALE:
                self._enter(entry, State.DELAY, now + DELAY_FIRST_PROBE_S)
            self._deliver(entry.mac, packets)
            return
        entry = self._unresolved.get(address)
        if entry is None:
            if len(self._unresolved) >= self._limits.unresolved:
                _, oldest = self._unresolved.popitem(last=False)
                self._counters.add(self._layer, "too many unresolved neighbours")
                self._counters.add(self._layer, "packet to an unresolved neighbour", len(oldest.waiting))
            entry = self._unresolved[address] = Neighbour(address, State.INCOMPLETE, now + self.retransmit_s, probes=1)
            self._alarm.by(entry.deadline)
            self._solicit(address, None)
        entry.waiting.extend(packets)
        if (excess := len(entry.waiting) - self._limits.waiting_packets) > 0:
            for _ in range(excess):
                entry.waiting.popleft()
            self._counters.add(self._layer, "packet to an unresolved neighbour", excess)

    def learn(self, address: Address, mac: bytes, now: float) -> None:
        """The neighbour wrote to us, so it exists: RFC 4861 7.2.3, no proof that it is reachable from here."""
        entry = self._known.get(address)
        if entry is not None:
            self._overwrite(entry, mac, now)
        elif address in self._unresolved:
            self._resolve(address, mac, State.STALE, now)
        else:
            self._make_room()
            entry = self._known[address] = Neighbour(address, State.STALE, now + STALE_S, mac)
            self._known.move_to_end(address, last=False)  # nobody uses it yet: the first to make room
            self._alarm.by(entry.deadline)

    def refresh(self, address: Address, mac: bytes, now: float) -> None:
        """As `learn`, but without a new entry."""
        if address in self._known or address in self._unresolved:
            self.learn(address, mac, now)

    def advertised(self, address: Address, mac: bytes | None, now: float, *, solicited: bool, override: bool) -> None:
        """The neighbour advertised itself (RFC 4861 7.2.5); `mac` None when it left its MAC out."""
        entry = self._known.get(address)
        if entry is None:
            if address in self._unresolved and mac is not None:
                self._resolve(address, mac, State.REACHABLE if solicited else State.STALE, now)
            return
        changed = mac is not None and mac != entry.mac
        if changed and not override:
            if entry.state is State.REACHABLE:
                self._enter(entry, State.STALE, now + STALE_S)
            return
        if changed and mac is not None:
            entry.mac = mac
        if solicited:
            self._enter(entry, State.REACHABLE, now + self.reachable_s)
        elif changed:
            self._enter(entry, State.STALE, now + STALE_S)

    def confirm(self, address: Address, now: float) -> None:
        """What is spoken to the neighbour makes progress (RFC 4861 7.3.1), so it need not be asked."""
        entry = self._known.get(address)
        if entry is not None:
            self._enter(entry, State.REACHABLE, now + self.reachable_s)

    def poll_at(self) -> float | None:
        """When `poll` has something to do."""
        return self._alarm.at

    def poll(self, now: float) -> None:
        """Do what is due: ask again, give up, age."""
        if not self._alarm.is_due(now):
            return
        for entry in [*self._unresolved.values(), *self._known.values()]:
            # Who is told of a failure may send at once, and so push out an entry whose turn was still to come.
            if entry.deadline <= now and entry is (
                self._known.get(entry.address) or self._unresolved.get(entry.address)
            ):
                self._expire(entry, now)
        for table in (self._unresolved, self._known):
            for entry in table.values():
                self._alarm.by(entry.deadline)

    def _expire(self, entry: Neighbour, now: float) -> None:
        match entry.state:
            case State.INCOMPLETE if entry.probes < MULTICAST_SOLICITS:
                self._ask(entry, None, now)
            case State.INCOMPLETE:
                del self._unresolved[entry.address]
                self._counters.add(self._layer, "neighbour does not answer")
                self._counters.add(self._layer, "packet to an unresolved neighbour", len(entry.waiting))
                self._failed(entry.address, list(entry.waiting), now)
            case State.REACHABLE:
                self._enter(entry, State.STALE, now + STALE_S)
            case State.STALE:
                del self._known[entry.address]
            case State.DELAY:
                entry.state, entry.probes = State.PROBE, 0
                self._ask(entry, entry.mac, now)
            case State.PROBE if entry.probes < UNICAST_SOLICITS:
                self._ask(entry, entry.mac, now)
            case State.PROBE:
                # RFC 4861 7.3.3: drop the entry; the next packet asks everyone again
                del self._known[entry.address]
                self._counters.add(self._layer, "neighbour went away")

    def _ask(self, entry: Neighbour, mac: bytes | None, now: float) -> None:
        entry.probes += 1
        entry.deadline = now + self.retransmit_s
        self._solicit(entry.address, mac)

    def _overwrite(self, entry: Neighbour, mac: bytes, now: float) -> None:
        """An unsolicited MAC: taken when the entry is old, else a reason to ask the old MAC whether it is there."""
        if mac == entry.mac:
            return
        if entry.state is State.STALE:
            entry.mac = mac
            return
        self._counters.add(self._layer, "unsolicited change of a fresh neighbour")
        if entry.state is State.REACHABLE:
            self._enter(entry, State.DELAY, now + DELAY_FIRST_PROBE_S)

    def _resolve(self, address: Address, mac: bytes, state: State, now: float) -> None:
        entry = self._unresolved.pop(address)
        entry.mac = mac
        self._make_room()
        self._known[address] = entry
        if state is State.REACHABLE:
            self._enter(entry, state, now + self.reachable_s)
        else:  # packets are about to be sent, RFC 4861 7.3.3: from STALE that leads to DELAY
            self._enter(entry, State.DELAY, now + DELAY_FIRST_PROBE_S)
        waiting, entry.waiting = entry.waiting, deque()
        self._deliver(mac, waiting)

    def _make_room(self) -> None:
        if len(self._known) >= self._limits.neighbours:
            self._known.popitem(last=False)
            self._counters.add(self._layer, "too many neighbours")

    def _enter(self, entry: Neighbour, state: State, deadline: float) -> None:
        entry.state, entry.deadline, entry.probes = state, deadline, 0
        self._alarm.by(deadline)
