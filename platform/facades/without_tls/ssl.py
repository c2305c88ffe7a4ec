"""`ssl` where OpenSSL is not linked: the names that asyncio and others mention, and a refusal."""

_REFUSAL = "this image was built without TLS"

PROTOCOL_TLS_CLIENT = 16
PROTOCOL_TLS_SERVER = 17


class SSLError(OSError):
    """What the other errors derive from."""


class SSLWantReadError(SSLError):
    """Never raised."""


class SSLSyscallError(SSLError):
    """Never raised."""


class CertificateError(SSLError, ValueError):
    """Never raised."""


class SSLContext:
    """A refusal."""

    def __init__(self, *_arguments, **_options):
        raise ImportError(_REFUSAL)


class SSLObject:
    """Never made."""


class SSLSocket:
    """Never made."""


def create_default_context(*_arguments, **_options):
    """A refusal."""
    return SSLContext()
