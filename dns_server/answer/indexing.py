"""What the compiled core must know of a zone: its names, without those that a cut or a DNAME hides."""

import importlib
from typing import TYPE_CHECKING, Final

from dns_platform.compiled import is_compiled
from dns_server.answer.core import kinds
from dns_server.answer.denial import NsecChain
from dns_server.answer.protocol import Type
from zones.name import ancestors, canonical_key, is_at_or_below
from zones.zone import Node

if TYPE_CHECKING:
    from dns_server.answer.batch import Batch
    from dns_server.answer.core.directory import Directory
    from dns_server.answer.core.responder import Responder
    from dns_server.answer.core.zone import ZoneIndex
    from dns_server.answer.table import ZoneTable
    from zones.slices import Sliced

CORE: Final = "dns_server.answer.core"
_SLICE: Final = 50  # names between two yields: about 200 microseconds
_ENTERED: Final = 2_000  # as many take in the core


def has_core() -> bool:
    """Whether the core is compiled: uncompiled it is slower than the engine that it saves work."""
    return is_compiled(f"{CORE}.responder")


def new_directory() -> "Directory | None":
    """The core's table of zones, with none in it yet; None where there is no core."""
    if not has_core():
        return None
    directory: Directory = importlib.import_module(f"{CORE}.directory").Directory()
    return directory


def new_responder(directory: "Directory", batch: "Batch", nsid: bytes) -> "Responder":
    """What answers the datagrams of `batch` for the zones of `directory`."""
    responder: Responder = importlib.import_module(f"{CORE}.responder").Responder(directory, batch, nsid)
    return responder


def index_of(table: "ZoneTable") -> "Sliced[ZoneIndex | None]":
    """The index of a zone, with no answers in it yet; None where there is no core."""
    if not has_core():
        return None
    index: ZoneIndex = importlib.import_module(f"{CORE}.zone").ZoneIndex(table.signed)
    hiding = b""
    for count, (owner, node) in enumerate(table.zone.nodes()):
        if not count % _SLICE:
            yield
        if owner in table.hidden or (hiding and owner != hiding and is_at_or_below(owner, hiding)):
            continue
        flags = _flags(table, owner, node)
        if flags & (kinds.CUT | kinds.DNAME):
            hiding = owner  # in canonical order everything below comes next
        index.add(owner, flags, list(node))
    for count, name in enumerate(table.empty):
        if not count % _SLICE:
            yield
        if not any(above in table.cuts or above in table.dnames for above in ancestors(name)):
            index.add(name, 0, [])
    if isinstance(table.chain, NsecChain):
        for count, owner in enumerate(table.chain.owners):
            if not count % _SLICE:
                yield
            index.add_cover(canonical_key(owner))
    index.close()
    while not index.enter(_ENTERED):
        yield
    return index


def _flags(table: "ZoneTable", owner: bytes, node: Node) -> int:
    """What lookup must know of `owner`."""
    flags = kinds.CNAME if Type.CNAME in node else 0
    if owner in table.cuts:
        flags |= kinds.CUT
    if owner in table.dnames:
        flags |= kinds.DNAME
    return flags
