"""Why something failed, as a person reads it: what exceptions say, without what only Python and OpenSSL know."""

import os
import re
from typing import Final

_OPENSSL: Final = re.compile(r"\[[^\]]*\] (.+?)(?: \(_ssl\.c:\d+\))?")
_CONNECT: Final = "Connect call failed "  # asyncio's text instead of the system's


def reason(error: BaseException) -> str:
    """A text of one line for `error`; never empty."""
    if isinstance(error, UnicodeDecodeError):
        return f"it is not {error.encoding.upper()}"
    text = str(error)
    if isinstance(error, OSError) and error.strerror:
        text = os.strerror(error.errno or 0) if error.strerror.startswith(_CONNECT) else error.strerror
    openssl = _OPENSSL.fullmatch(text)
    return (text if openssl is None else openssl[1]) or type(error).__name__
