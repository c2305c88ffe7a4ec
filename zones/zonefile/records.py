"""Records of a zone file: owner, TTL, class, type and rdata of one entry into a zone builder."""

from collections.abc import Callable
from typing import Final

from zones import name as names
from zones import rdtypes
from zones.zone import ZoneBuilder
from zones.zonefile import fields as texts
from zones.zonefile.errors import Fault, quote
from zones.zonefile.rdata import read_rdata

MAX_TTL: Final = 0x7FFFFFFF  # RFC 2181 8
MAX_RECORDS: Final = 10_000_000
MAX_RDATA_TOTAL: Final = 1 << 30
"""Octets of rdata of a zone."""

_TYPES: Final = {
    mnemonic.encode(): number for mnemonic, number in rdtypes.NUMBERS.items() if not rdtypes.is_meta(number)
}
_CLASS_IN: Final = (b"IN", b"CLASS1")
_OTHER_CLASSES: Final = (b"CH", b"CS", b"HS", b"NONE", b"ANY")
_TYPE_HINT: Final = "a type such as A, or TYPE and its number"

Warn = Callable[[int, str, str, str], None]
"""Takes a field's index, the name of a check, a message and a hint."""


class RecordReader:
    """Reads the records of a zone; keeps what one record takes from those before."""

    def __init__(self, zone: bytes, builder: ZoneBuilder, default_ttl: int | None, warn: Warn) -> None:
        self.default_ttl = default_ttl
        """Seconds that `$TTL` says."""
        self._zone: Final = zone
        self._builder: Final = builder
        self._warn: Final = warn
        self.last_ttl: int | None = None
        """That of the record before."""
        self._says_ttl_is_implied = True

    @property
    def has_room(self) -> bool:
        """Whether the zone is within its limits."""
        return len(self._builder) <= MAX_RECORDS and self._builder.rdata_octets <= MAX_RDATA_TOTAL

    def owner(self, fields: list[bytes], origin: bytes) -> bytes:
        """The owner that is the first field, folded. Fault when it is no name or lies outside the zone."""
        owner = names.fold(texts.wire_name(fields, 0, origin))
        if not names.is_at_or_below(owner, self._zone):
            message = f"{names.to_text(owner)} is outside the zone {names.to_text(self._zone)}"
            raise Fault(0, message, "is a final dot missing, or one too many?")
        return owner

    def read(
        self, fields: list[bytes], index: int, owner: bytes, origin: bytes, file: int, line: int, column: int
    ) -> None:
        """Add the record of `owner` whose TTL, class, type and rdata begin at field `index`. Fault when it is none."""
        rdtype = _TYPES.get(fields[index]) if index < len(fields) else None
        ttl: int | None = None
        if rdtype is None:
            rdtype, ttl, index = self._head(fields, index)
        rdata = read_rdata(rdtype, fields, index + 1, origin)
        if ttl is None:
            ttl = self.default_ttl
            if ttl is None:
                ttl = self._implied_ttl(rdtype, rdata)
        self.last_ttl = ttl
        self._builder.append(owner, rdtype, ttl, rdata, file, line, column)
        if not self.has_room:
            raise Fault(0, f"zone of more than {MAX_RECORDS} records or {MAX_RDATA_TOTAL} octets of rdata")

    def index_of_type(self, fields: list[bytes], index: int) -> int:
        """Where the type stands in an entry whose TTL, class and type begin at field `index`."""
        return self._head(fields, index)[2]

    def _head(self, fields: list[bytes], index: int) -> tuple[int, int | None, int]:
        """Type, TTL where there is one, and the index of the type: TTL and class stand in either order before it."""
        ttl: int | None = None
        seen_class = False
        while True:
            field = texts.field_at(fields, index, "a type")
            rdtype = _TYPES.get(field)
            if rdtype is not None:
                return rdtype, ttl, index
            upper = field.upper()
            if upper in _CLASS_IN and not seen_class:
                seen_class = True
            elif ttl is None and (seconds := texts.ttl(field)) is not None:
                ttl = self.effective_ttl(seconds, index)
            else:
                rdtype = rdtypes.from_text(field.decode("ascii"))
                if rdtype is None:
                    raise self._not_a_type(field, upper, index)
                if rdtypes.is_meta(rdtype):
                    raise Fault(index, f"type {quote(field)} has no place in zones", _TYPE_HINT)
                return rdtype, ttl, index
            index += 1

    def _not_a_type(self, field: bytes, upper: bytes, index: int) -> Fault:
        if upper in _OTHER_CLASSES or (upper.startswith(b"CLASS") and upper[5:].isdigit()):
            return Fault(index, f"class {quote(field)}", "zones are served in class IN alone")
        if field[:1].isdigit():
            return Fault(index, f"{quote(field)} is neither a TTL nor a type", "seconds below 2**32, or as in 1h30m")
        if field[:1] == b"$":
            return Fault(index, f"directive {quote(field)} behind a blank", "directives begin in the first column")
        return Fault(index, f"unknown type {quote(field)}", _TYPE_HINT)

    def effective_ttl(self, seconds: int, index: int) -> int:
        """The TTL that `seconds` in field `index` stand for (RFC 2181 8: the highest bit set counts as zero)."""
        if seconds <= MAX_TTL:
            return seconds
        self._warn(index, "ttl-range", f"TTL {seconds} counts as 0", f"at most {MAX_TTL} seconds")
        return 0

    def _implied_ttl(self, rdtype: int, rdata: bytes) -> int:
        """TTL of a record that has none where there is no `$TTL`.

        As BIND has it: that of the record before (RFC 1035 5.1); the MINIMUM of an SOA that comes first, which
        is then in force as if `$TTL` had said it.
        """
        if self.last_ttl is not None:
            ttl, source = self.last_ttl, "the record before"
        elif rdtype == rdtypes.SOA:
            ttl = self.default_ttl = min(int.from_bytes(rdata[-4:], "big"), MAX_TTL)
            source = "the SOA's MINIMUM"
        else:
            raise Fault(0, "record without a TTL", "begin the file with $TTL, as in $TTL 1h")
        if self._says_ttl_is_implied:
            self._says_ttl_is_implied = False
            message = f"record without a TTL takes {ttl} from {source}"
            self._warn(0, "ttl-implied", message, "servers differ in this: begin the file with $TTL")
        return ttl
