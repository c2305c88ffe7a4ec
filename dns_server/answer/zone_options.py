"""EDNS options that tell of the zone that an answer is from, for those who ask.

Read first: RFC 7314 (EXPIRE), RFC 9660 (ZONEVERSION).
"""

from typing import Final

from dns_server.answer.protocol import Option
from dns_server.answer.replies import option
from dns_server.answer.request import Request
from zones import name as names
from zones import rdtypes
from zones.zone import Zone

_SOA_SERIAL: Final = 0  # RFC 9660 3.1: the one version type that is registered
_COMMIT: Final = 246  # RFC 9660 7.2: the first of those for private use; here the id of the commit, as octets
_EXPIRE_FROM_END: Final = slice(-8, -4)  # RFC 1035 3.3.13: REFRESH, RETRY, EXPIRE, MINIMUM end the SOA
_EXPIRING: Final = frozenset({rdtypes.SOA, rdtypes.AXFR, rdtypes.IXFR})


def zone_options(request: Request, zone: Zone, revision: str) -> bytes:
    """The options that `request` asks for, of the `zone` that answers it; `revision` is the commit in hexadecimal."""
    edns = request.edns
    if edns is None or not edns.options:
        return b""
    options = b""
    soa = zone.soa
    if soa is not None and request.qtype in _EXPIRING and request.name == zone.origin and edns.has(Option.EXPIRE):
        options += option(Option.EXPIRE, soa.rdatas[0][_EXPIRE_FROM_END])
    if (Option.ZONEVERSION, b"") in edns.options:  # RFC 9660 2: with data it is a mistake
        options += _version(zone, _SOA_SERIAL, zone.serial.to_bytes(4, "big"))
        if revision:
            options += _version(zone, _COMMIT, bytes.fromhex(revision))
    return options


def _version(zone: Zone, kind: int, version: bytes) -> bytes:
    return option(Option.ZONEVERSION, bytes((names.count_labels(zone.origin), kind)) + version)
