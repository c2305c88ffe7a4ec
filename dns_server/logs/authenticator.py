"""Whom a TLS client believes: certificate authorities, or one key or certificate that is known beforehand.

Spelled as MirageOS's `--tls-authenticator`: `key-fp:SHA256:BASE64`, `cert-fp:SHA256:BASE64`; and `system`, `file:PATH`.
"""

import binascii
import enum
import hmac
from base64 import b64decode
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Final

from dns_platform.trust import client_context

if TYPE_CHECKING:  # images without TLS have no ssl
    import ssl

_SEQUENCE: Final = 0x30
_VERSION: Final = 0xA0
_FIELDS_BEFORE_KEY: Final = 5  # RFC 5280 4.1: serial number, signature, issuer, validity, subject


class Trust(enum.Enum):
    """What decides."""

    SYSTEM = "system"
    """The authorities that the machine knows, and the host's name."""
    FILE = "file"
    """The authorities of a file, and the host's name."""
    KEY = "key-fp"
    """SHA-256 of the server's public key (SubjectPublicKeyInfo)."""
    CERTIFICATE = "cert-fp"
    """SHA-256 of the server's certificate."""


class NotTrusted(OSError):
    """The server is not the one that was expected."""


@dataclass(frozen=True, slots=True)
class Authenticator:
    """A rule for one server."""

    trust: Trust
    authorities: Path | None = None
    fingerprint: bytes = b""

    def context(self) -> "ssl.SSLContext":
        """A context for clients. OSError when the authorities can't be read, ImportError without TLS."""
        if self.trust in (Trust.SYSTEM, Trust.FILE):
            return client_context(self.authorities)
        import ssl

        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.check_hostname = False  # the fingerprint says more than a name does; see `verify`
        context.verify_mode = ssl.CERT_NONE
        return context

    def verify(self, certificate: bytes | None) -> None:
        """Check the server's `certificate` (DER) after the handshake. NotTrusted."""
        if self.trust in (Trust.SYSTEM, Trust.FILE):
            return  # the handshake did
        try:
            known = public_key(certificate or b"") if self.trust is Trust.KEY else certificate or b""
        except ValueError as error:
            raise NotTrusted(f"the server's certificate can't be read: {error}") from None
        if not hmac.compare_digest(sha256(known).digest(), self.fingerprint):
            raise NotTrusted(f"the server's {self.trust.value} is another one than --tls-authenticator says")


def parse(text: str) -> Authenticator:
    """`system`, `file:PATH`, `key-fp:SHA256:BASE64` or `cert-fp:SHA256:BASE64`. ValueError."""
    name, _, rest = text.partition(":")
    try:
        trust = Trust(name)
    except ValueError:
        raise ValueError("expected system, file:PATH, key-fp:SHA256:BASE64 or cert-fp:SHA256:BASE64") from None
    if trust is Trust.SYSTEM and not rest:
        return Authenticator(trust)
    if trust is Trust.FILE and Path(rest).is_file():
        return Authenticator(trust, authorities=Path(rest))
    if trust in (Trust.SYSTEM, Trust.FILE):
        raise ValueError(f"there is no file {rest!r}" if trust is Trust.FILE else "nothing stands behind `system`")
    algorithm, _, encoded = rest.partition(":")
    try:
        fingerprint = b64decode(encoded + "=" * (-len(encoded) % 4), validate=True)
    except binascii.Error:
        fingerprint = b""
    if algorithm.upper() != "SHA256" or len(fingerprint) != sha256().digest_size:
        raise ValueError(f"expected {name}:SHA256: and the base64 of 32 octets")
    return Authenticator(trust, fingerprint=fingerprint)


def public_key(certificate: bytes) -> bytes:
    """The SubjectPublicKeyInfo of a certificate, both DER (RFC 5280 4.1). ValueError."""
    position, _ = _enter(certificate, 0)  # Certificate
    position, end = _enter(certificate, position)  # TBSCertificate
    if certificate[position : position + 1] == bytes((_VERSION,)):
        position = _skip(certificate, position)
    for _ in range(_FIELDS_BEFORE_KEY):
        position = _skip(certificate, position)
    key_end = _skip(certificate, position)
    if key_end > end or certificate[position] != _SEQUENCE:
        raise ValueError("no public key where one should be")
    return certificate[position:key_end]


def _enter(octets: bytes, position: int) -> tuple[int, int]:
    """Where the content of the element at `position` begins and ends (X.690 8.1)."""
    if position + 2 > len(octets):
        raise ValueError("it ends too early")
    length, start = octets[position + 1], position + 2
    if length & 0x80:
        width = length & 0x7F
        length, start = int.from_bytes(octets[start : start + width], "big"), start + width
    if start + length > len(octets):
        raise ValueError("it ends too early")
    return start, start + length


def _skip(octets: bytes, position: int) -> int:
    return _enter(octets, position)[1]
