"""The fetching side of the git protocol, versions 0, 1 and 2, over any session.

Read first: gitprotocol-v2(5), gitprotocol-pack(5), gitprotocol-capabilities(5). A server is asked for version 2 and may
answer with an older one; the wants, the shallow lines and the pack are the same in all.
"""

from dataclasses import dataclass, field
from typing import Final

from zones.git.errors import BadAnswer, Refused, quoted
from zones.git.limits import Limits
from zones.git.pktline import DELIMITER, FLUSH, Marker, PacketReader, encode, encode_all
from zones.git.transport import Session

AGENT: Final = b"agent=unizone"
_PACK_BAND: Final = 1
_PROGRESS_BAND: Final = 2
_ERROR_BAND: Final = 3
_ID_LENGTH: Final = 40


@dataclass(slots=True)
class Advertisement:
    """What a server says about itself, and its refs where they were asked for or it tells them anyway."""

    version: int = 0
    capabilities: dict[bytes, bytes] = field(default_factory=dict)
    """Values by name; empty where a capability has none."""
    refs: dict[bytes, str] = field(default_factory=dict)
    """Id in hexadecimal by full name."""
    head: bytes = b""
    """Full name of the branch that HEAD stands for; empty where it names a commit, or the server does not say."""


async def read_advertisement(session: Session, limits: Limits) -> Advertisement:
    """Begin a session."""
    reader = PacketReader(await session.advertisement())
    result = Advertisement()
    total = 0
    first = True
    while (line := await reader.read_line()) is not Marker.FLUSH:
        if isinstance(line, Marker):
            raise BadAnswer("the advertisement of refs is out of form")
        total += len(line)
        if total > limits.advertisement:
            raise BadAnswer(f"the server lists more than {limits.advertisement} octets of refs")
        if first and line.startswith(b"# service="):  # over HTTP, before version 0
            if await reader.read_line() is not Marker.FLUSH:
                raise BadAnswer("the advertisement of refs is out of form")
            continue
        if first and line.startswith(b"version "):
            result.version = int(line[8:]) if line[8:].isdigit() else -1
            if result.version not in (1, 2):
                raise BadAnswer(f"protocol {quoted(line)} is not supported")
            continue
        if result.version == 2:
            name, _, value = line.partition(b"=")
            result.capabilities[name] = value
        else:
            _read_ref(line, result, first=not result.capabilities)
        first = False
    _check_format(result)
    return result


async def list_refs(session: Session, advertisement: Advertisement, prefixes: list[bytes], limits: Limits) -> None:
    """Fill in the refs that begin with one of `prefixes`; versions 0 and 1 have told all of them already."""
    if advertisement.version != 2:
        return
    arguments = [b"symrefs\n", *(b"ref-prefix %s\n" % prefix for prefix in prefixes)]
    reader = PacketReader(await session.request(_command(b"ls-refs", arguments)))
    total = 0
    while (line := await reader.read_line()) is not Marker.FLUSH:
        if isinstance(line, Marker):
            raise BadAnswer("the list of refs is out of form")
        total += len(line)
        if total > limits.advertisement:
            raise BadAnswer(f"the server lists more than {limits.advertisement} octets of refs")
        identity, _, rest = line.partition(b" ")
        name, *attributes = rest.split(b" ")
        if name == b"HEAD":
            _read_head(attributes, b"symref-target:", advertisement)
        advertisement.refs[name] = _identity(identity)


async def fetch_pack(
    session: Session, advertisement: Advertisement, identity: str, limits: Limits, depth: int = 1
) -> bytearray:
    """The pack with commit `identity` and all that it needs, with `depth` commits where the server can do that."""
    deepen = b"deepen %d\n" % depth
    want = b"want %s" % identity.encode()
    if advertisement.version == 2:
        shallow = b"shallow" in advertisement.capabilities.get(b"fetch", b"").split(b" ")
        arguments = [b"no-progress\n", b"ofs-delta\n", *([deepen] if shallow else []), want + b"\n", b"done\n"]
        reader = PacketReader(await session.request(_command(b"fetch", arguments)))
        await _skip_to_pack(reader)
    else:
        offered = advertisement.capabilities
        if b"side-band-64k" not in offered:
            raise BadAnswer("the server is too old: it lacks side-band-64k")
        wished = (b"side-band-64k", b"ofs-delta", b"no-progress")
        chosen = [name for name in wished if name in offered] + ([AGENT] if b"agent" in offered else [])
        shallow = b"shallow" in offered
        lines = [b"%s %s\n" % (want, b" ".join(chosen)), *([deepen] if shallow else [])]
        body = encode_all(lines) + FLUSH + encode(b"done\n")
        reader = PacketReader(await session.request(body))
        await _skip_acknowledgement(reader, shallow=shallow)
    return await _read_pack(reader, limits)


def _command(name: bytes, arguments: list[bytes]) -> bytes:
    """A request of version 2."""
    return encode_all([b"command=%s\n" % name, AGENT + b"\n"]) + DELIMITER + encode_all(arguments) + FLUSH


def _read_ref(line: bytes, result: Advertisement, *, first: bool) -> None:
    """One line of an advertisement of version 0 or 1; the first has the capabilities behind a null octet."""
    reference, _, capabilities = line.partition(b"\0")
    if first:
        for capability in capabilities.split():
            name, _, value = capability.partition(b"=")
            result.capabilities.setdefault(name, value)
            _read_head([capability], b"symref=HEAD:", result)
    identity, _, name = reference.partition(b" ")
    if identity == b"shallow" or name == b"capabilities^{}":  # a shallow server repository; an empty one
        return
    if not name.endswith(b"^{}"):
        result.refs[name] = _identity(identity)


def _read_head(attributes: list[bytes], prefix: bytes, result: Advertisement) -> None:
    for attribute in attributes:
        if attribute.startswith(prefix):
            result.head = attribute.removeprefix(prefix)


def _identity(text: bytes) -> str:
    if text == b"unborn":
        return ""
    if len(text) != _ID_LENGTH or text.strip(b"0123456789abcdef"):
        raise BadAnswer(f"{quoted(text, 60)!r} is no object id", "is it a git server?")
    return text.decode("ascii")


def _check_format(advertisement: Advertisement) -> None:
    found = advertisement.capabilities.get(b"object-format", b"sha1")
    if found != b"sha1":
        raise BadAnswer(f"object format {quoted(found, 20)} is not supported", "use a repository with SHA-1 objects")


async def _skip_to_pack(reader: PacketReader) -> None:
    """Sections of a version 2 answer before the pack."""
    while (line := await reader.read_line()) != b"packfile":
        if line is Marker.FLUSH:
            raise BadAnswer("the server ended its answer without a pack")


async def _skip_acknowledgement(reader: PacketReader, *, shallow: bool) -> None:
    """Shallow lines up to a flush where they were asked for, then NAK."""
    while shallow and (line := await reader.read_line()) is not Marker.FLUSH:
        if isinstance(line, Marker) or not line.startswith((b"shallow ", b"unshallow ")):
            raise BadAnswer("the list of shallow commits is out of form")
    line = await reader.read_line()
    if line != b"NAK":
        raise BadAnswer("the server did not acknowledge the request as git does")


async def _read_pack(reader: PacketReader, limits: Limits) -> bytearray:
    pack = bytearray()
    while (packet := await reader.read()) is not Marker.FLUSH:
        if isinstance(packet, Marker) or not packet:
            raise BadAnswer("the pack is out of form")
        band = packet[0]
        if band == _ERROR_BAND:
            raise Refused(f"the server says: {quoted(packet[1:])}")
        if band == _PACK_BAND:
            pack += memoryview(packet)[1:]
            if len(pack) > limits.pack:
                raise BadAnswer(f"the pack is longer than {limits.pack} octets", "keep zones apart from the rest")
        elif band != _PROGRESS_BAND:
            raise BadAnswer(f"unknown band {band}")
    return pack
