"""What the server says about itself, in class CHAOS.

Read first: RFC 4892 (id.server). The other names are custom since BIND 4; `commit.server` and `status.server` are this
server's own.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from dns_server.answer.protocol import CLASS_CH, Rcode
from dns_server.answer.render import Answer, Renderer, Section
from zones import rdtypes
from zones.name import from_text

_MAX_TEXT = 255  # RFC 1035 3.3: one character-string


@dataclass(frozen=True, slots=True)
class Identity:
    """What may be told; an empty text is not told."""

    name: str = ""
    """Of this instance: `id.server`, `hostname.bind` and NSID (RFC 5001)."""
    version: str = ""
    """Of the program: `version.bind` and `version.server`."""

    status: Callable[[], Sequence[str]] | None = None
    """What `status.server` answers, each text shorter than 256 octets; None where it is not told."""

    @property
    def nsid(self) -> bytes:
        """Octets of the NSID option."""
        return self.name.encode()


_NAME = (from_text("id.server."), from_text("hostname.bind."))
_VERSION = (from_text("version.server."), from_text("version.bind."))
_COMMIT = from_text("commit.server.")
_STATUS = from_text("status.server.")


def answer(identity: Identity, revision: str, name: bytes, qtype: int) -> Answer:
    """The answer for `name`, folded: TXT with TTL 0, NODATA for other types, REFUSED for what is not told."""
    renderer = Renderer(name)
    text = identity.name if name in _NAME else identity.version if name in _VERSION else ""
    if name == _COMMIT:
        text = revision
    texts = [text] if text else []
    if name == _STATUS and identity.status is not None:
        texts = list(identity.status())
    if not texts:
        return renderer.answer(Rcode.REFUSED, authoritative=False)
    if qtype in (rdtypes.TXT, rdtypes.ANY):
        cut = [text.encode()[:_MAX_TEXT] for text in texts]
        renderer.add(
            Section.ANSWER, name, rdtypes.TXT, CLASS_CH, 0, (b"".join(bytes((len(one),)) + one for one in cut),)
        )
        renderer.mark(needed=True)
    return renderer.answer(Rcode.NOERROR, authoritative=True)
