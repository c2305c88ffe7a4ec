"""What an image is asked to be able to do: it decides which modules and libraries are linked."""

import re
import ssl
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import certifi

from dns_build.progress import BuildError

GIT = ("git", "http", "https")
"""Transports of git, in the order of what they need."""
SYSLOG = ("udp", "tcp", "tls")
"""Transports of syslog; each stands for those before it, too."""

AUTHORITIES = "unizone_authorities"
"""Module that holds the certificates of authorities, for `dns_platform.trust`."""

_PEM = re.compile("-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----", re.DOTALL)


@dataclass(frozen=True)
class Features:
    """One choice."""

    git: Sequence[str] = ("git",)
    syslog: str = "udp"
    block: bool = False
    """Whether images for tenders, which insist on every device that is declared, declare a disk."""
    authorities: Path | None = None
    """PEM file with whom TLS clients believe; None: the authorities that Mozilla trusts."""

    def __post_init__(self) -> None:
        unknown = [name for name in self.git if name not in GIT]
        if unknown or not self.git:
            raise BuildError(f"--git: {', '.join(unknown) or 'nothing'} is no transport of {', '.join(GIT)}")
        if self.authorities is not None and not self.tls:
            raise BuildError("--authorities: this image has no TLS", hint="add --git git,https or --syslog tls")

    @property
    def tls(self) -> bool:
        """Whether OpenSSL is linked."""
        return "https" in self.git or self.syslog == "tls"

    @property
    def flags(self) -> Sequence[str]:
        """Options of the compiler for the shim."""
        return ("-DUNIZONE_BLOCK",) if self.block else ()

    @property
    def facades(self) -> Sequence[str]:
        """Folders of platform/facades that stand for what is left out."""
        return () if self.tls else ("without_tls",)

    @property
    def left_out(self) -> Mapping[str, str]:
        """Modules that this choice has no use for, each with the reason."""
        return {} if {"http", "https"} & set(self.git) else {"zones.git.smart_http": "no git over HTTP was asked for"}

    @property
    def extensions(self) -> Mapping[str, str]:
        """Compiled modules beside those of every image, with their initialisers."""
        return {"_ssl": "PyInit__ssl"} if self.tls else {}

    def generated(self) -> Mapping[str, str]:
        """Sources of modules that hold the choice. BuildError when the authorities can't be read."""
        modules = {"unizone_features": f"SYSLOG = {SYSLOG[: SYSLOG.index(self.syslog) + 1]!r}\n"}
        if self.tls:
            path = self.authorities or Path(certifi.where())
            modules[AUTHORITIES] = f"CERTIFICATES = {_certificates(path)!r}\n"
        return modules


DEFAULT = Features()
"""The smallest image: git:// and syslog over UDP."""


def _certificates(path: Path) -> bytes:
    """The certificates of a PEM file, one after the other in DER."""
    try:
        blocks = _PEM.findall(path.read_text(encoding="utf-8", errors="replace"))
    except OSError as error:
        raise BuildError(f"--authorities: {path} can't be read: {error.strerror}") from None
    if not blocks:
        raise BuildError(f"--authorities: {path} holds no certificate in PEM")
    return b"".join(ssl.PEM_cert_to_DER_cert(block) for block in blocks)
