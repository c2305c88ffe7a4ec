"""Which names of a zone have something special about them."""

from typing import Final

from zones.arena import NameTable


class NameMarks:
    """Some of the names of a zone, as a flag for each: a set of very many grows, and goes, in long steps."""

    __slots__ = ("_flags", "_names")

    def __init__(self, names: NameTable) -> None:
        """None is marked. `names` gets no more of them."""
        self._names: Final = names
        self._flags = bytearray()

    def __bool__(self) -> bool:
        return bool(self._flags)

    def __contains__(self, name: bytes) -> bool:
        if not self._flags:
            return False
        number = self._names.find(name)
        return number >= 0 and self._flags[number] != 0

    def add(self, name: bytes) -> None:
        """Mark `name`, if the zone has it."""
        number = self._names.find(name)
        if number >= 0:
            if not self._flags:
                self._flags = bytearray(len(self._names))
            self._flags[number] = 1
