"""`ssl` where OpenSSL is not linked: the names that asyncio and others mention, and a refusal."""


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
        raise OSError("this image was built without TLS")


class SSLObject:
    """Never made."""


class SSLSocket:
    """Never made."""


def create_default_context(*_arguments, **_options):
    """A refusal."""
    return SSLContext()
