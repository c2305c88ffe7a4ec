"""`unizone key new NAME`: a TSIG key, as the repository and those who use it want it written."""

import base64
import secrets
from typing import Final

from dns_server.parameters.peers import ALGORITHM, Algorithm
from dns_server.settings import BadUsage, Settings
from zones import name as names
from zones.keys import ALGORITHMS, FLAGS, PROTOCOL, grant

_EXAMPLE: Final = "\n  for example: unizone key new laptop._update.example.com"
# RFC 2104 3: as many octets as the hash gives; more add nothing.
_OCTETS: Final = {
    Algorithm.SHA1: 20,
    Algorithm.SHA224: 28,
    Algorithm.SHA256: 32,
    Algorithm.SHA384: 48,
    Algorithm.SHA512: 64,
}


def run(settings: Settings, operands: list[str]) -> int:
    """Print a new key; 0."""
    action, text = operands
    if action != "new":
        raise BadUsage(f"{action!r} is nothing that can be done with a key: only `new` is{_EXAMPLE}")
    try:
        name = names.fold(names.from_text(text))
    except names.BadName as error:
        raise BadUsage(f"{text}: {error}{_EXAMPLE}") from None
    algorithm = settings[ALGORITHM]
    secret = base64.b64encode(secrets.token_bytes(_OCTETS[algorithm])).decode()
    print(_page(names.to_text(name), algorithm.value, secret, _grants(name)))
    return 0


def _grants(name: bytes) -> str:
    operation, zone = grant(name)
    if operation is None:
        return "nothing by its name: a rule of _policy.toml or --axfr=key:NAME must say what"
    what = f"{operation.name.lower()}s and what that implies"
    return f"{what}, in {'every zone' if zone == names.ROOT else f'{names.to_text(zone)} and below'}"


def _page(name: str, algorithm: str, secret: str, grants: str) -> str:
    short = name.removesuffix(".") or "."
    number = next(number for number, wire in ALGORITHMS.items() if names.to_text(wire) == f"{algorithm}.")
    return f"""\
; {short} may do: {grants}
; _keys of the repository, or a file for --tsig-keys:
{name} DNSKEY {FLAGS} {PROTOCOL} {number} {secret}

; nsupdate -y and dig -y:
; {algorithm}:{short}:{secret}

; BIND (named.conf), and a file for nsupdate -k:
; key "{short}" {{ algorithm {algorithm}; secret "{secret}"; }};

; Knot (knot.conf):
; key:
;   - id: "{short}"
;     algorithm: {algorithm}
;     secret: {secret}

; NSD (nsd.conf):
; key:
;     name: "{short}"
;     algorithm: {algorithm}
;     secret: "{secret}"

; PowerDNS:
; pdnsutil import-tsig-key {short} {algorithm} {secret}
"""
