"""Reader of service bindings, SVCB and HTTPS (RFC 9460), as most are written.

dnspython reads the rest: parameters that few use, quotes and escapes, and whatever is wrong, so that it says why.
"""

from collections.abc import Callable
from typing import Final

from zones import rdtypes
from zones.zonefile.errors import Fault
from zones.zonefile.fields import MAX_U16, ipv4, ipv6, unsigned, wire_name


def _protocols(value: bytes) -> bytes:
    """RFC 9460 7.1.1: a row of strings, each behind its length."""
    names = value.split(b",")
    if not all(0 < len(name) < 256 for name in names):
        raise ValueError(value)
    return b"".join([bytes([len(name)]) + name for name in names])


def _port(value: bytes) -> bytes:
    """RFC 9460 7.2."""
    return unsigned([value], 0, MAX_U16, "port").to_bytes(2, "big")


def _ipv4_hint(value: bytes) -> bytes:
    """RFC 9460 7.3."""
    addresses = value.split(b",")
    return b"".join([ipv4(addresses, index) for index in range(len(addresses))])


def _ipv6_hint(value: bytes) -> bytes:
    """RFC 9460 7.3."""
    addresses = value.split(b",")
    return b"".join([ipv6(addresses, index) for index in range(len(addresses))])


_PARAMETERS: Final[dict[bytes, tuple[int, Callable[[bytes], bytes]]]] = {
    b"alpn": (1, _protocols),
    b"port": (3, _port),
    b"ipv4hint": (4, _ipv4_hint),
    b"ipv6hint": (6, _ipv6_hint),
}


def _read(rdtype: int, fields: list[bytes], first: int, origin: bytes) -> bytes:
    """RFC 9460 2.1 and 2.2."""
    try:
        priority = unsigned(fields, first, MAX_U16, "priority").to_bytes(2, "big")
        target = wire_name(fields, first + 1, origin)
        parameters: dict[int, bytes] = {}
        for field in fields[first + 2 :]:
            name, _, value = field.partition(b"=")
            number, read = _PARAMETERS[name]
            if number in parameters or b'"' in value or b"\\" in value:
                raise ValueError(field)
            parameters[number] = read(value)
    except (Fault, LookupError, ValueError):
        from zones.zonefile import fallback  # costs the import of dnspython, which most zones never need

        return fallback.read_rdata(rdtype, fields, first, origin)
    packed = [
        number.to_bytes(2, "big") + len(value).to_bytes(2, "big") + value
        for number, value in sorted(parameters.items())
    ]
    return priority + target + b"".join(packed)


def _reader(rdtype: int) -> Callable[[list[bytes], int, bytes], bytes]:
    return lambda fields, first, origin: _read(rdtype, fields, first, origin)


BINDINGS: Final = {rdtype: _reader(rdtype) for rdtype in (rdtypes.SVCB, rdtypes.HTTPS)}
