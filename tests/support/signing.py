"""Zones signed by other implementations: dnssec-signzone, ldns-signzone, Knot and dnspython."""

import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import dns.dnssec
import dns.name
import dns.rdatatype
import dns.zone
from cryptography.hazmat.primitives.asymmetric import ec

from tests.support.debian import Tree, programs

ALGORITHM = "ECDSAP256SHA256"
VALID_S = 7 * 86400

Signer = Callable[[Path, str, Path], Path]
"""Takes a zone file, its origin with a final dot and a folder to work in; the signed file."""


def _run(tree: Tree, program: str, *arguments: str | Path, cwd: Path) -> str:
    command = [str(tree.path(program)), *map(str, arguments)]
    result = subprocess.run(command, cwd=cwd, env=dict(tree.environment), capture_output=True, text=True)
    if result.returncode:
        raise RuntimeError(f"{' '.join(command)}: {result.stdout}{result.stderr}")
    return result.stdout.strip()


def bind(*options: str) -> Signer:
    """dnssec-signzone, with a KSK and a ZSK."""

    def sign(source: Path, origin: str, folder: Path) -> Path:
        tree = programs("bind9-utils")
        _run(tree, "dnssec-keygen", "-a", ALGORITHM, origin, cwd=folder)
        _run(tree, "dnssec-keygen", "-a", ALGORITHM, "-f", "KSK", origin, cwd=folder)
        signed = folder / "signed.zone"
        _run(tree, "dnssec-signzone", "-S", "-P", *options, "-o", origin, "-f", signed, source, cwd=folder)
        return signed

    return sign


def ldns(*options: str) -> Signer:
    """ldns-signzone, with one key."""

    def sign(source: Path, origin: str, folder: Path) -> Path:
        tree = programs("ldnsutils")
        key = _run(tree, "ldns-keygen", "-a", ALGORITHM, "-k", origin, cwd=folder)
        signed = folder / "signed.zone"
        _run(tree, "ldns-signzone", *options, "-o", origin, "-f", signed, source, key, cwd=folder)
        return signed

    return sign


def knot(*, nsec3: bool = False, opt_out: bool = False) -> Signer:
    """kzonesign, with one key."""

    def sign(source: Path, origin: str, folder: Path) -> Path:
        tree = programs("knot-dnssecutils")
        configuration = folder / "knot.conf"
        configuration.write_text(f"""
database:
  storage: "{folder}"
policy:
  - id: test
    single-type-signing: on
    nsec3: {"on" if nsec3 else "off"}
    nsec3-opt-out: {"on" if opt_out else "off"}
    nsec3-salt-length: 0
zone:
  - domain: "{origin}"
    file: "{source.resolve()}"
    dnssec-signing: on
    dnssec-policy: test
""")
        (folder / "out").mkdir()
        _run(tree, "kzonesign", "-c", configuration, "-o", folder / "out", origin, cwd=folder)
        (signed,) = (folder / "out").iterdir()
        return signed

    return sign


def dnspython(source: Path, origin: str, folder: Path) -> Path:
    """dns.dnssec.sign_zone, with one key and NSEC."""
    zone = dns.zone.from_file(str(source), origin=origin, relativize=False)
    private = ec.generate_private_key(ec.SECP256R1())
    key = dns.dnssec.make_dnskey(private.public_key(), ALGORITHM, flags=257)
    now = time.time()
    dns.dnssec.sign_zone(
        zone, keys=[(private, key)], inception=int(now) - 3600, expiration=int(now) + VALID_S, dnskey_ttl=3600
    )
    signed = folder / "signed.zone"
    zone.to_file(str(signed), relativize=False)
    return signed


SIGNERS: dict[str, Signer] = {
    "bind-nsec": bind(),
    "bind-nsec3": bind("-3", "-"),
    "bind-nsec3-optout": bind("-3", "ab12", "-A"),
    "ldns-nsec": ldns(),
    "ldns-nsec3-optout": ldns("-n", "-p"),
    "knot-nsec": knot(),
    "knot-nsec3": knot(nsec3=True),
    "knot-nsec3-optout": knot(nsec3=True, opt_out=True),
    "dnspython-nsec": dnspython,
}
