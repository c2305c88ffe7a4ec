"""The one question about permission: may the holder of this key, from this address, do that to this zone?

A key has what its name grants, unless the policy names it: then it has what the policy says. Transfers may be open to
addresses without a key (`--axfr`, and rules of the policy without keys); updates and notifications never are.
"""

from collections.abc import Collection
from dataclasses import dataclass, field

from dns_server.access.keyring import Keyring
from dns_server.access.transfers import Open, Transfers
from zones import name as names
from zones.keys import Operation, TsigKey
from zones.policy import Policy, Rule, is_in_networks

Record = tuple[bytes, int]
"""Folded owner and type of a record that an update changes."""


@dataclass(frozen=True, slots=True)
class Access:
    """Keys and permissions of one version of the repository."""

    keyring: Keyring = field(default_factory=Keyring)
    policy: Policy | None = field(default_factory=Policy)
    """None: there is one and it can't be read, so nobody may do anything."""
    transfers: Transfers = field(default_factory=Transfers)
    _by_policy: frozenset[bytes] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_by_policy", frozenset() if self.policy is None else self.policy.keys)

    def may(
        self,
        key: TsigKey | None,
        operation: Operation,
        zone: bytes,
        source: str,
        records: Collection[Record] = (),
    ) -> bool:
        """Whether `operation` on the zone (folded origin) is allowed to who signed with `key`, or did not sign.

        `source` is the address that it came from. An update names the `records` that it changes: each of them must be
        allowed; without any, the answer says whether there is something that may be changed.
        """
        if operation is Operation.TRANSFER:
            if self.transfers.open is Open.NONE:
                return False
            if self._is_open(key, source):
                return True
        if self.policy is None or (key is None and operation is not Operation.TRANSFER):
            return False
        if key is not None and key.name not in self._by_policy and _grants(key, operation, zone):
            return True
        name = None if key is None else key.name
        rules = [rule for rule in self.policy.rules if rule.concerns(name, operation, zone, source)]
        return bool(rules) and all(_covered(rules, zone, owner, rdtype) for owner, rdtype in records)

    def _is_open(self, key: TsigKey | None, source: str) -> bool:
        transfers = self.transfers
        if transfers.open is Open.ALL or (key is not None and key.name in transfers.keys):
            return True
        return bool(transfers.networks) and is_in_networks(source, transfers.networks)


def _grants(key: TsigKey, operation: Operation, zone: bytes) -> bool:
    """Whether the key's name grants `operation` on `zone`."""
    return key.operation is not None and key.operation.implies(operation) and names.is_at_or_below(zone, key.zone)


def _covered(rules: list[Rule], zone: bytes, owner: bytes, rdtype: int) -> bool:
    return any(rule.covers(zone, owner, rdtype) for rule in rules)
