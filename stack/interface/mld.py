"""Groups we listen to, reported so that switches send us the questions of neighbour discovery.

We report in version 2 only. Deviation: RFC 3810 8.2.1 wants version 1 reports where a router of version 1 asks.

Read first: RFC 3810 5.2, 6.
"""

from collections.abc import Callable

from stack.address import ALL_NODES, IPV6_UNSPECIFIED, Address
from stack.counters import Counters
from stack.draw import Draw
from stack.interface.timer import Alarm
from stack.wire import mld
from stack.wire.icmpv6 import Message

ALL_MLDV2_ROUTERS: Address = bytes.fromhex("ff020000000000000000000000000016")
ROBUSTNESS = 2  # RFC 3810 9.1: how often a change is reported
UNSOLICITED_INTERVAL_S = 1.0  # RFC 3810 9.11


class Mld:
    """The groups of an interface; `report(message)` sends a report."""

    def __init__(self, draw: Draw, counters: Counters, report: Callable[[Message, float], None]) -> None:
        self._draw = draw
        self._counters = counters
        self._report = report
        self._groups: set[Address] = set()
        self._unreported: dict[Address, int] = {}
        self._change_at = Alarm()
        self._answer_at = Alarm()

    def __contains__(self, group: Address) -> bool:
        """Do we listen to `group`?"""
        return group == ALL_NODES or group in self._groups

    def join(self, group: Address, now: float) -> None:
        """Listen to `group`, and say so."""
        if group not in self._groups:
            self._groups.add(group)
            self._unreported[group] = ROBUSTNESS
            self._change_at.by(now)

    def leave(self, group: Address) -> None:
        """No longer listen to `group`. Nobody is told: routers find out by asking."""
        self._groups.discard(group)
        self._unreported.pop(group, None)

    def receive(self, message: Message, now: float) -> None:
        """Take a query; raises WireError. RFC 3810 6.2: the answer comes after a random delay."""
        query = mld.parse(message)
        if query.group == IPV6_UNSPECIFIED or query.group in self._groups:
            self._answer_at.by(now + self._draw.uniform(0, query.delay_s))
        else:
            self._counters.add(mld.LAYER, "query for a group of others")

    def poll_at(self) -> float | None:
        """When `poll` has something to do."""
        pending = [alarm.at for alarm in (self._change_at, self._answer_at) if alarm.at is not None]
        return min(pending, default=None)

    def poll(self, now: float) -> None:
        """Send the reports that are due."""
        if self._change_at.is_due(now) and self._unreported:
            self._report(mld.emit(mld.CHANGE_TO_EXCLUDE, sorted(self._unreported)), now)
            self._unreported = {group: left - 1 for group, left in self._unreported.items() if left > 1}
            if self._unreported:
                self._change_at.by(now + self._draw.uniform(0, UNSOLICITED_INTERVAL_S))
        if self._answer_at.is_due(now) and self._groups:
            self._report(mld.emit(mld.MODE_IS_EXCLUDE, sorted(self._groups)), now)
