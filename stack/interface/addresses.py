"""IPv6 addresses of ours: duplicate address detection and lifetimes.

Read first: RFC 4862 5.4 and 5.5.4, RFC 4429 (optimistic), RFC 6724 (source selection).
"""

import enum
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from stack.address import Address, is_link_local, is_multicast, solicited_node, text
from stack.draw import Draw
from stack.interface.notices import Notices
from stack.interface.timer import Alarm

FOREVER = float("inf")

DAD_TRANSMITS = 1  # RFC 4862 5.1 DupAddrDetectTransmits
MAX_DELAY_S = 1.0  # RFC 4861 10 MAX_RTR_SOLICITATION_DELAY, which 4862 5.4.2 wants before the first question
RETRANSMIT_S = 1.0
RETRY_S = 60.0  # after a duplicate was found, an operator's address is asked for again


class State(enum.Enum):
    """RFC 4862 2, RFC 4429 2.1."""

    TENTATIVE = "not to be used yet"
    OPTIMISTIC = "used, while it is being asked whether anyone else has it"
    PREFERRED = "ours"
    DEPRECATED = "ours, not for new conversations"
    DUPLICATE = "another host has it"


@dataclass(slots=True)
class Ipv6Address:
    """One address; `kept` when an operator wrote it down. `deadline` is that of the next step of the detection."""

    address: Address
    state: State
    kept: bool
    valid_until: float
    preferred_until: float
    deadline: float | None
    asked: int = 0


class Addresses:
    """The addresses of an interface; `ask` sends the question of duplicate address detection, `join` joins a group."""

    def __init__(
        self,
        limit: int,
        draw: Draw,
        notices: Notices,
        ask: Callable[[Address], None],
        join: Callable[[Address, float], None],
        leave: Callable[[Address], None],
    ) -> None:
        self._limit = limit
        self._draw = draw
        self._notices = notices
        self._ask = ask
        self._join = join
        self._leave = leave
        self._entries: dict[Address, Ipv6Address] = {}
        self._alarm = Alarm()

    def add(
        self,
        address: Address,
        now: float,
        *,
        optimistic: bool,
        kept: bool = False,
        valid_until: float = FOREVER,
        preferred_until: float = FOREVER,
    ) -> bool:
        """Begin to use `address`; False when there are too many already."""
        if len(self._entries) >= self._limit:
            return False
        state = State.OPTIMISTIC if optimistic else State.TENTATIVE
        deadline = now + self._draw.uniform(0, MAX_DELAY_S)
        entry = Ipv6Address(address, state, kept, valid_until, preferred_until, deadline)
        self._entries[address] = entry
        self._watch(entry)
        # RFC 4862 5.4.2: join before asking, or the answers don't get here
        self._join(solicited_node(address), now)
        return True

    def get(self, address: Address) -> Ipv6Address | None:
        """The entry of `address`."""
        return self._entries.get(address)

    def remove(self, address: Address) -> None:
        """No longer use `address`."""
        if self._entries.pop(address, None) is not None:
            group = solicited_node(address)
            if all(solicited_node(other) != group for other in self._entries):
                self._leave(group)

    def extend(self, address: Address, valid_until: float, preferred_until: float, now: float) -> None:
        """A router says how long `address` is good."""
        entry = self._entries[address]
        entry.valid_until, entry.preferred_until = valid_until, preferred_until
        if entry.state is State.DEPRECATED and preferred_until > now:
            entry.state = State.PREFERRED
        self._watch(entry)

    def slept(self, seconds: float) -> None:
        """The machine did not run for so long, which its monotonic clock does not know: lifetimes went on."""
        for entry in self._entries.values():
            entry.valid_until -= seconds
            entry.preferred_until -= seconds
            self._watch(entry)

    def is_local(self, address: Address) -> bool:
        """May packets to `address` be taken?"""
        entry = self._entries.get(address)
        return entry is not None and entry.state in (State.OPTIMISTIC, State.PREFERRED, State.DEPRECATED)

    def is_settled(self, address: Address) -> bool:
        """Is it certain that `address` is ours alone?"""
        entry = self._entries.get(address)
        return entry is not None and entry.state in (State.PREFERRED, State.DEPRECATED)

    @property
    def usable(self) -> list[Address]:
        """Addresses that may be used now."""
        return [address for address in self._entries if self.is_local(address)]

    def __iter__(self) -> Iterator[Address]:
        """All addresses, in use or not."""
        return iter(self._entries)

    def source_for(self, destination: Address) -> Address | None:
        """The best source for `destination`, by rules 1, 2, 3 and 8 of RFC 6724 5."""

        def rank(candidate: Address) -> tuple[bool, bool, bool, int]:
            same_scope = is_link_local(candidate) == _is_link_scope(destination)
            difference = int.from_bytes(candidate) ^ int.from_bytes(destination)
            preferred = self._entries[candidate].state is not State.DEPRECATED
            return candidate == destination, same_scope, preferred, 128 - difference.bit_length()

        return max(self.usable, key=rank, default=None)

    def duplicate(self, address: Address, now: float) -> None:
        """Another host has `address`, which is still being asked for, or asks for it too (RFC 4862 5.4.3 to 5.4.5)."""
        entry = self._entries.get(address)
        if entry is None or entry.state not in (State.TENTATIVE, State.OPTIMISTIC):
            return
        self._notices.add("address conflict", f"another host has {text(address)}")
        if entry.kept:
            entry.state, entry.deadline = State.DUPLICATE, now + RETRY_S
            self._alarm.by(now + RETRY_S)
        else:
            self.remove(address)

    def poll_at(self) -> float | None:
        """When `poll` has something to do."""
        return self._alarm.at

    def poll(self, now: float) -> None:
        """Ask, settle, deprecate and forget what is due."""
        if not self._alarm.is_due(now):
            return
        for entry in list(self._entries.values()):
            if entry.deadline is not None and entry.deadline <= now:
                self._step(entry, now)
            if entry.preferred_until <= now and entry.state is State.PREFERRED:
                entry.state = State.DEPRECATED
            if entry.valid_until <= now:
                self._notices.add("address expired", text(entry.address))
                self.remove(entry.address)
        for entry in self._entries.values():
            self._watch(entry, now)

    def _step(self, entry: Ipv6Address, now: float) -> None:
        if entry.state is State.DUPLICATE:
            entry.state, entry.asked = State.TENTATIVE, 0
        if entry.asked < DAD_TRANSMITS:
            entry.asked += 1
            entry.deadline = now + RETRANSMIT_S
            self._ask(entry.address)
        else:
            entry.state, entry.deadline = State.PREFERRED, None
            self._notices.add("address claimed", f"{text(entry.address)} is ours")

    def _watch(self, entry: Ipv6Address, now: float = -FOREVER) -> None:
        for deadline in (entry.deadline, entry.preferred_until, entry.valid_until):
            if deadline is not None and now < deadline < FOREVER:
                self._alarm.by(deadline)


def _is_link_scope(address: Address) -> bool:
    """Does `address` mean something on the link only (RFC 4291 2.5.6, 2.7)?"""
    return address[1] & 0x0F <= 2 if is_multicast(address) else is_link_local(address)
