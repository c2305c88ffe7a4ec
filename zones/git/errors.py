"""What can go wrong with a git remote: one error that says with whom, at what, why, and what to do."""

import asyncio
import enum
import socket
from collections.abc import Iterator
from contextlib import contextmanager

from zones.source import SourceError


class Stage(enum.Enum):
    """What was being done; the value completes a sentence that begins with the peer."""

    CONNECT = "connecting"
    REFS = "reading refs"
    FETCH = "fetching"
    UNPACK = "reading the pack"
    FILES = "reading files"
    PUSH = "pushing"


class GitError(SourceError):
    """A git operation failed. Nothing of the version concerned is used."""

    def __init__(self, peer: str, stage: Stage, reason: str, hint: str = "") -> None:
        super().__init__(peer, stage, reason, hint)
        self.peer = peer
        """URL or path, secrets masked."""
        self.stage = stage
        self.reason = reason
        self.hint = hint
        """What to do."""

    def __str__(self) -> str:
        return f"{self.peer}: {self.stage.value}: {self.reason}{f'; {self.hint}' if self.hint else ''}"


class BadAnswer(Exception):
    """The peer broke the protocol, or refused; becomes a `GitError` where peer and stage are known."""

    def __init__(self, reason: str, hint: str = "") -> None:
        super().__init__(reason)
        self.reason = reason
        self.hint = hint


class Refused(BadAnswer):
    """The peer understood and said no."""


@contextmanager
def reported(peer: str, stage: Stage) -> Iterator[None]:
    """Turn whatever a conversation with `peer` raises into the one `GitError`."""
    try:
        yield
    except BadAnswer as error:
        raise GitError(peer, stage, error.reason, error.hint) from error
    except socket.gaierror as error:
        reason = f"the host name cannot be resolved ({error.strerror})"
        raise GitError(peer, stage, reason, "check the URL and the resolver") from error
    except ConnectionRefusedError as error:
        raise GitError(peer, stage, "connection refused", "is the git server running on this port?") from error
    except TimeoutError as error:
        raise GitError(peer, stage, "no answer in time", "check the network and the server") from error
    except (asyncio.IncompleteReadError, ConnectionError) as error:
        raise GitError(peer, stage, "the server broke off", "see the server's log") from error
    except OSError as error:
        certificate = getattr(error, "verify_message", "")  # ssl.SSLCertVerificationError, where there is an ssl
        if certificate:
            hint = "is the host name right, and its certificate signed by an authority that is trusted here?"
            raise GitError(peer, stage, f"the certificate is refused: {certificate}", hint) from error
        raise GitError(peer, stage, error.strerror or str(error) or type(error).__name__) from error


def quoted(text: bytes, limit: int = 200) -> str:
    """`text` of a peer for a message: one line, printable, at most `limit` characters."""
    decoded = text.decode("utf-8", "backslashreplace").strip()
    printable = "".join(character if character.isprintable() else " " for character in decoded)
    return printable if len(printable) <= limit else f"{printable[:limit]}..."
