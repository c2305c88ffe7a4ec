"""`$GENERATE`, BIND's way to write many similar records (BIND 9 Administrator Reference Manual, 'Zone File')."""

import re
from collections.abc import Iterator
from typing import Final

from zones.zonefile.errors import BadText, Fault, quote
from zones.zonefile.lexer import read_entry

MAX_STEPS: Final = 100_000
"""Records of one directive."""

_MAX_NUMBER: Final = 0x7FFFFFFF
_UNSIGNED: Final = 0xFFFFFFFF
_MAX_WIDTH: Final = 255  # no name or string is longer
_RANGE: Final = re.compile(rb"([0-9]{1,10})-([0-9]{1,10})(?:/([0-9]{1,10}))?")
_FORMAT: Final = re.compile(rb"\{([+-]?[0-9]{1,10})(?:,([0-9]{1,10})(?:,([doxXnN]))?)?\}")
# What has a meaning in a template: an escape, which stays as it is, `$$`, and `$`, the number.
_PART: Final = re.compile(rb"\\.|\$\$|\$", re.DOTALL)
_ESCAPED_QUOTE: Final = re.compile(rb'\\(?:(")|.)', re.DOTALL)


def read_range(field: bytes) -> range:
    """Numbers of `start-stop` or `start-stop/step`, both ends included. Fault for field 1 when it is no range."""
    found = _RANGE.fullmatch(field)
    if found is None:
        raise Fault(1, f"{quote(field)} is no range", "start-stop or start-stop/step, as in 1-254")
    start, stop, step = int(found[1]), int(found[2]), int(found[3] or 1)
    if start > stop or step == 0 or max(stop, step) > _MAX_NUMBER:
        raise Fault(1, f"{quote(field)} is no range", f"start <= stop <= {_MAX_NUMBER}, and a step above 0")
    numbers = range(start, stop + 1, step)
    if len(numbers) > MAX_STEPS:
        raise Fault(1, f"range of {len(numbers)} records", f"at most {MAX_STEPS}: split it")
    return numbers


class Template:
    """A field with places for the number: `$`, `${offset}`, `${offset,width}`, `${offset,width,base}`."""

    def __init__(self, text: bytes, field: int) -> None:
        """Fault for `field` of the entry when a place is malformed."""
        self._parts: Final[list[bytes | _Number]] = []
        literal = bytearray()
        position = 0
        while found := _PART.search(text, position):
            literal += text[position : found.start()]
            position = found.end()
            if found[0] != b"$":
                literal += b"$" if found[0] == b"$$" else found[0]
                continue
            number = _Number(0, 0, "d")
            if text[position : position + 1] == b"{":
                form = _FORMAT.match(text, position)
                if form is None:
                    hint = "{offset,width,base} with one of d o x X n N as base"
                    raise Fault(field, f"{quote(text[position:])} is no format", hint)
                number = _Number(int(form[1]), int(form[2] or 0), (form[3] or b"d").decode())
                if number.width > _MAX_WIDTH or abs(number.offset) > _MAX_NUMBER:
                    raise Fault(field, f"format {quote(form[0])} is too large", f"a width of at most {_MAX_WIDTH}")
                position = form.end()
            self._parts.extend((bytes(literal), number))
            literal.clear()
        self._parts.append(bytes(literal + text[position:]))

    def at(self, value: int) -> bytes:
        """The field for number `value`."""
        return b"".join([part if isinstance(part, bytes) else part.at(value) for part in self._parts])


class _Number:
    """A place for the number in a template."""

    def __init__(self, offset: int, width: int, base: str) -> None:
        self.offset: Final = offset
        self.width: Final = width
        self._base: Final = base

    def at(self, value: int) -> bytes:
        number = value + self.offset
        if self._base == "d":
            return b"%0*d" % (self.width, number)
        number &= _UNSIGNED  # what BIND's printf makes of negative numbers
        if self._base in "nN":
            return self._nibbles(number)
        return format(number, f"0{self.width}{self._base}").encode()

    def _nibbles(self, number: int) -> bytes:
        """Hexadecimal digits, the lowest first, a dot behind each but the last (as names in ip6.arpa).

        The width counts the dots; an even one ends with a dot.
        """
        digits = "0123456789abcdef" if self._base == "n" else "0123456789ABCDEF"
        width = self.width
        text = ""
        while True:
            text += digits[number & 15]
            number >>= 4
            width -= 1
            if number or width > 0:
                text += "."
                width -= 1
            if not number and width <= 0:
                return text.encode()


def generated(fields: list[bytes], type_index: int) -> Iterator[tuple[int, list[bytes]]]:
    r"""Each number of the range and the entry that a `$GENERATE` makes of it.

    `fields` are those of the directive: `$GENERATE range owner [ttl] [class] type rdata`; `type_index` is where the
    type stands. Rdata is either one quoted field with all fields in it (`\"` for a quote in them), as BIND has it,
    or the fields as in a record.
    """
    numbers = read_range(fields[1])
    owner = Template(fields[2], 2)
    head = fields[3 : type_index + 1]
    rdata = fields[type_index + 1 :]
    if len(rdata) == 1 and rdata[0][:1] == b'"':
        template = Template(_ESCAPED_QUOTE.sub(lambda found: found[1] or found[0], rdata[0][1:]), type_index + 1)
        for number in numbers:
            try:
                entry = read_entry(b" " + template.at(number), 0)
            except BadText as bad:
                raise Fault(type_index + 1, f"{bad.message}, with {number} for $", bad.hint) from None
            yield number, [owner.at(number), *head, *entry.fields]
    else:
        templates = [Template(field, index) for index, field in enumerate(rdata, type_index + 1)]
        for number in numbers:
            yield number, [owner.at(number), *head, *[template.at(number) for template in templates]]
