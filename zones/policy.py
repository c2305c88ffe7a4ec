"""`_policy.toml`: who may do what and who is told of changes, for people who don't want that in names of keys.

The written form is in docs/primary.md. A rule grants just what it says: no operation implies another. A key that a rule
names has what rules say and no longer what its name says.
"""

import ipaddress
import re
import tomllib
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any, Final, TypeVar

from zones import name as names
from zones import rdtypes
from zones.findings import Finding, Place, Severity
from zones.keys import DNS_PORT, Operation

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
Value = TypeVar("Value")

CHECK: Final = "policy"
ANY_LABELS: Final = b"*"
"""In a pattern: one or more labels."""
TLS_PORT: Final = 853  # RFC 9103 9.3.1
_MAX_ANY_LABELS: Final = 2
_HEADER: Final = re.compile(r"\s*\[\[\s*(\w+)\s*\]\]")
_ASSIGNMENT: Final = re.compile(r"""\s*["']?([\w-]+)["']?\s*=""")
_TOML_PLACE: Final = re.compile(r" \(at line (\d+), column (\d+)\)$")
_OPERATIONS: Final = {operation.value.decode()[1:]: operation for operation in Operation}
_ALLOW_FIELDS: Final = frozenset({"key", "keys", "operations", "zones", "types", "names", "from"})
_NOTIFY_FIELDS: Final = frozenset({"address", "port", "zones", "key", "tls"})


@dataclass(frozen=True, slots=True)
class Pattern:
    """Domain names; `*` stands for one or more labels, at any place."""

    labels: tuple[bytes, ...]
    """Folded, without the root."""

    def matches(self, name: Collection[bytes]) -> bool:
        """Whether the labels of a folded name fit."""
        return _fits(self.labels, tuple(name))


@dataclass(frozen=True, slots=True)
class Rule:
    """One `[[allow]]`."""

    keys: frozenset[bytes]
    """Folded wire names; none: no key is needed."""
    operations: frozenset[Operation]
    zones: tuple[Pattern, ...]
    """Absolute; none: all."""
    types: frozenset[int]
    """Of records that an update may change; none: all."""
    names: tuple[Pattern, ...]
    """Relative to the zone, of owners that an update may change; none: all."""
    sources: tuple[Network, ...]
    """None: from anywhere."""
    place: Place

    def concerns(self, key: bytes | None, operation: Operation, zone: bytes, source: str) -> bool:
        """Whether the rule grants `operation` on `zone` at all, to `key` from the address `source`."""
        return (
            (key in self.keys if self.keys else True)
            and operation in self.operations
            and is_in_patterns(zone, self.zones)
            and is_in_networks(source, self.sources)
        )

    def covers(self, zone: bytes, owner: bytes, rdtype: int) -> bool:
        """Whether the records of `owner` and `rdtype` may be changed."""
        if self.types and rdtype not in self.types:
            return False
        if not self.names:
            return True
        relative = tuple(names.labels(owner))[: names.count_labels(owner) - names.count_labels(zone)]
        return any(pattern.matches(relative) for pattern in self.names)


@dataclass(frozen=True, slots=True)
class Target:
    """One `[[notify]]`: a secondary that wants to be told of changes."""

    address: str
    port: int
    zones: tuple[Pattern, ...]
    """None: all."""
    key: bytes | None
    """Folded wire name of the key to sign with."""
    tls: str | None
    """Name in the certificate of a secondary that is told over TLS."""
    place: Place


@dataclass(frozen=True, slots=True)
class Policy:
    """The whole file."""

    rules: tuple[Rule, ...] = ()
    targets: tuple[Target, ...] = ()

    @property
    def keys(self) -> frozenset[bytes]:
        """Keys whose permissions are decided here."""
        return frozenset(key for rule in self.rules for key in rule.keys)


def is_in_patterns(name: bytes, patterns: tuple[Pattern, ...]) -> bool:
    """Whether one of `patterns`, or none at all, fits the folded wire `name`."""
    return not patterns or any(pattern.matches(tuple(names.labels(name))) for pattern in patterns)


def is_in_networks(address: str, networks: tuple[Network, ...]) -> bool:
    """Whether one of `networks`, or none at all, has `address` in it."""
    if not networks:
        return True
    parsed = ipaddress.ip_address(address.partition("%")[0])
    return any(parsed.version == network.version and parsed in network for network in networks)


def read_policy(content: bytes, file: str) -> tuple[Policy | None, tuple[Finding, ...]]:
    """The policy in `content`, or None and what is wrong with it, each with its line."""
    try:
        document = tomllib.loads(content.decode("utf-8"))
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        return None, (_finding(Place(file, line), "the file is not UTF-8", "save it as UTF-8"),)
    except tomllib.TOMLDecodeError as error:
        found = _TOML_PLACE.search(str(error))
        place = Place(file, int(found[1]), int(found[2])) if found else Place(file)
        return None, (_finding(place, _TOML_PLACE.sub("", str(error)), "the file is TOML, see https://toml.io"),)
    reader = _Reader(file, content.decode("utf-8"))
    policy = reader.read(document)
    return (None if reader.findings else policy), tuple(reader.findings)


class _Bad(ValueError):
    """A value is wrong; says what was expected."""


class _Reader:
    """From the document to rules; collects what is wrong."""

    def __init__(self, file: str, text: str) -> None:
        self._file: Final = file
        self._lines: Final = _Lines(text)
        self.findings: list[Finding] = []

    def read(self, document: Mapping[str, Any]) -> Policy:
        rules: list[Rule] = []
        targets: list[Target] = []
        for name, tables in document.items():
            if name not in ("allow", "notify") or not _is_tables(tables):
                place = Place(self._file, self._lines.of(name, 0, None))
                self.findings.append(_finding(place, f"{name} is not known", "a policy has [[allow]] and [[notify]]"))
                continue
            for number, table in enumerate(tables):
                section = _Section(self, name, number, table)
                if name == "allow":
                    rules.append(_rule(section))
                else:
                    targets.append(_target(section))
        return Policy(tuple(rules), tuple(targets))

    def place(self, table: str, number: int, field: str | None) -> Place:
        return Place(self._file, self._lines.of(table, number, field))


class _Section:
    """One table, read field by field."""

    def __init__(self, reader: _Reader, name: str, number: int, table: Mapping[str, Any]) -> None:
        self._reader = reader
        self._name = name
        self._number = number
        self._table = table
        self.place = reader.place(name, number, None)
        for field in table.keys() - (_ALLOW_FIELDS if name == "allow" else _NOTIFY_FIELDS):
            known = ", ".join(sorted(_ALLOW_FIELDS if name == "allow" else _NOTIFY_FIELDS))
            self.refuse(field, f"{field} is not known", f"[[{name}]] has {known}")

    def __contains__(self, field: str) -> bool:
        return field in self._table

    def refuse(self, field: str | None, message: str, hint: str) -> None:
        place = self._reader.place(self._name, self._number, field if field in self._table else None)
        self._reader.findings.append(_finding(place, message, hint))

    def one(self, field: str, parse: Callable[[Any], Value], default: Value) -> Value:
        """The value of a field that may be left out."""
        if field not in self._table:
            return default
        try:
            return parse(self._table[field])
        except ValueError as error:
            self.refuse(field, f"{field} = {self._table[field]!r}: {error}", "")
            return default

    def many(self, field: str, parse: Callable[[Any], Value]) -> tuple[Value, ...]:
        """Values of a field that is a list, or left out for none; a single value stands for itself."""
        given = self._table.get(field, [])
        values = given if isinstance(given, list) else [given]
        if field in self._table and not values:
            self.refuse(field, f"{field} is empty", "leave it out where all are meant")
        parsed = []
        for value in values:
            try:
                parsed.append(parse(value))
            except ValueError as error:
                self.refuse(field, f"{field}: {value!r}: {error}", "")
        return tuple(parsed)


def _rule(section: _Section) -> Rule:
    keys = section.many("key", _name) + section.many("keys", _name)
    operations = section.many("operations", _operation)
    types = section.many("types", _rdtype)
    owners = section.many("names", _pattern)
    sources = section.many("from", _network)
    if "operations" not in section:
        section.refuse(None, "a rule without operations", 'add operations = ["update"], "transfer" or "notify"')
    if not keys and "key" not in section and "keys" not in section:
        if operations and set(operations) != {Operation.TRANSFER}:
            section.refuse("operations", "updates and notifications need a key", 'add key = "NAME"')
        if "from" not in section:
            section.refuse(None, "a rule for anybody from anywhere", "add a key, or from; --axfr=all opens transfers")
    if (types or owners) and operations and Operation.UPDATE not in operations:
        section.refuse("types" if types else "names", "types and names are for updates", "leave them out")
    zones = section.many("zones", _zone_pattern)
    return Rule(frozenset(keys), frozenset(operations), zones, frozenset(types), owners, sources, section.place)


def _target(section: _Section) -> Target:
    if "address" not in section:
        section.refuse(None, "whom to notify is missing", 'add address = "192.0.2.53"')
    tls = section.one("tls", _host, None)
    default_port = DNS_PORT if tls is None else TLS_PORT
    return Target(
        section.one("address", _address, ""),
        section.one("port", _port, default_port),
        section.many("zones", _zone_pattern),
        section.one("key", _name, None),
        tls,
        section.place,
    )


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise _Bad("expected a text in quotes")
    return value


def _name(value: object) -> bytes:
    return names.fold(names.from_text(_text(value)))


def _operation(value: object) -> Operation:
    try:
        return _OPERATIONS[_text(value)]
    except KeyError:
        raise _Bad(f"expected one of {', '.join(_OPERATIONS)}") from None


def _rdtype(value: object) -> int:
    number = rdtypes.from_text(_text(value))
    if number is None or rdtypes.is_meta(number):
        raise _Bad("expected a type of records, such as TXT or TYPE65")
    return number


def _zone_pattern(value: object) -> Pattern:
    labels = tuple(names.labels(_name(value)))
    if labels.count(ANY_LABELS) > _MAX_ANY_LABELS:
        raise _Bad(f"expected * at most {_MAX_ANY_LABELS} times")
    return Pattern(labels)


def _pattern(value: object) -> Pattern:
    if _text(value).endswith("."):
        raise _Bad("names are relative to the zone: no dot at the end, @ for the zone itself")
    return _zone_pattern("." if value == "@" else value)


def _network(value: object) -> Network:
    return ipaddress.ip_network(_text(value))


def _address(value: object) -> str:
    return str(ipaddress.ip_address(_text(value)))


def _port(value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not 0 < value < 65536:
        raise _Bad("expected a number from 1 to 65535")
    return value


def _host(value: object) -> str | None:
    return names.to_text(_name(value)).removesuffix(".")


def _is_tables(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(table, dict) for table in value)


def _fits(pattern: tuple[bytes, ...], name: tuple[bytes, ...]) -> bool:
    if not pattern:
        return not name
    if len(pattern) > len(name):
        return False
    if pattern[0] != ANY_LABELS:
        return name[0] == pattern[0] and _fits(pattern[1:], name[1:])
    return any(_fits(pattern[1:], name[taken:]) for taken in range(1, len(name) - len(pattern) + 2))


class _Lines:
    """Where tables and fields stand; what TOML's parser does not tell."""

    def __init__(self, text: str) -> None:
        self._at: dict[tuple[str, int, str | None], int] = {}
        counts: dict[str, int] = {}
        table, number = "", 0
        for line, content in enumerate(text.split("\n"), 1):
            if header := _HEADER.match(content):
                table = header[1]
                number = counts[table] = counts.get(table, -1) + 1
                self._at[table, number, None] = line
            elif assignment := _ASSIGNMENT.match(content):
                key = (table, number, assignment[1]) if table else (assignment[1], 0, None)
                self._at.setdefault(key, line)

    def of(self, table: str, number: int, field: str | None) -> int:
        """Line of a field, of its table where it is not found, 0 where that is not found either."""
        return self._at.get((table, number, field)) or self._at.get((table, number, None), 0)


def _finding(place: Place, message: str, hint: str) -> Finding:
    return Finding(place, CHECK, Severity.ERROR, message, hint)
