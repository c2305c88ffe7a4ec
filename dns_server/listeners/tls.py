"""Certificates for DNS over TLS.

Read first: RFC 7858, RFC 9325 (recommendations for TLS).
"""

import ssl
from dataclasses import dataclass, field
from pathlib import Path

from dns_server.reasons import reason

ALPN = "dot"  # RFC 7858 and IANA's registry


class BadCertificate(Exception):
    """Certificate and key can't be used; says which file and why."""


@dataclass(slots=True)
class Certificate:
    """A certificate chain with its key, from files that may be renewed."""

    chain: Path
    key: Path
    context: ssl.SSLContext = field(init=False)
    """For servers; handshakes that begin after a `load` use what was loaded."""

    def __post_init__(self) -> None:
        """BadCertificate."""
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.minimum_version = ssl.TLSVersion.TLSv1_2  # RFC 9325 3.1.1
        self.context.options |= ssl.OP_NO_COMPRESSION | ssl.OP_NO_RENEGOTIATION
        self.context.set_alpn_protocols([ALPN])
        self._load(self.context)

    def reload(self) -> str:
        """Read the files again. Empty, or why they can't be used; then the ones before stay in use."""
        try:
            self._load(ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER))  # a failure must not leave half of it in use
            self._load(self.context)
        except BadCertificate as error:
            return str(error)
        return ""

    def _load(self, context: ssl.SSLContext) -> None:
        try:
            # Without a function that gives no password, OpenSSL would ask for one on the terminal.
            context.load_cert_chain(self.chain, self.key, password=lambda: b"")
        except ssl.SSLError as error:
            what = (
                f"{self.chain} and {self.key} are no PEM certificate chain with its unencrypted key ({reason(error)})"
            )
            raise BadCertificate(what) from None
        except OSError as error:
            raise BadCertificate(f"{error.filename or self.chain} can't be read: {error.strerror}") from None
