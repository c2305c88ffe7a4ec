"""What went wrong below, as the exceptions that asyncio's users expect."""

import errno
from typing import Final

from stack.address import Endpoint
from stack.tcp.connection import Failure
from stack.transport import Unreachable

_FAILURES: Final = {
    Failure.REFUSED: errno.ECONNREFUSED,
    Failure.RESET: errno.ECONNRESET,
    Failure.ABORTED: errno.ECONNABORTED,
    Failure.TIMED_OUT: errno.ETIMEDOUT,
    Failure.UNREACHABLE: errno.EHOSTUNREACH,
}

_UNREACHABLE: Final = {
    Unreachable.NETWORK: errno.ENETUNREACH,
    Unreachable.HOST: errno.EHOSTUNREACH,
    Unreachable.PROTOCOL: errno.ECONNREFUSED,
    Unreachable.PORT: errno.ECONNREFUSED,
    Unreachable.PROHIBITED: errno.EHOSTUNREACH,
    Unreachable.TOO_BIG: errno.EMSGSIZE,
    Unreachable.TIME_EXCEEDED: errno.EHOSTUNREACH,
}


def connection_error(failure: Failure, remote: Endpoint) -> OSError:
    """Why a connection ended: OSError picks the subclass, such as ConnectionResetError, from the number."""
    return OSError(_FAILURES[failure], f"{remote}: {failure.value}")


def datagram_error(why: Unreachable, destination: Endpoint) -> OSError:
    """Why a datagram did not arrive."""
    return OSError(_UNREACHABLE[why], f"{destination}: {why.value}")
