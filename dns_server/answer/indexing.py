"""What the compiled core must know of a zone: its names, without those that a cut or a DNAME hides."""

import importlib
from typing import TYPE_CHECKING, Final

from dns_platform.compiled import is_compiled
from dns_server.answer.core import kinds
from dns_server.answer.denial import Nsec3Chain
from zones import rdtypes
from zones.arena import room_for, zeros
from zones.name import ancestors, is_at_or_below
from zones.survey import NO_HOSTS
from zones.survey import kinds as survey_kinds

if TYPE_CHECKING:
    from array import array

    from dns_server.answer.batch import Batch
    from dns_server.answer.core.cookies import Cookies
    from dns_server.answer.core.directory import Directory
    from dns_server.answer.core.responder import Responder
    from dns_server.answer.core.zone import ZoneIndex
    from dns_server.answer.table import ZoneTable
    from zones.arena import SetTables
    from zones.slices import Sliced

CORE: Final = "dns_server.answer.core"
_SLICE: Final = 50  # names between two yields: about 200 microseconds
_PASSED_A_SLICE: Final = 128  # so many plain names take as long as one other
_ENTERED: Final = 2_000  # names that take as long in the core as a slice
# What lookup need not know of.
_PLAIN: Final = survey_kinds((rdtypes.NS, rdtypes.CNAME, rdtypes.DNAME, rdtypes.NSEC3), {})


def has_core() -> bool:
    """Whether the core is compiled: uncompiled it is slower than the engine that it saves work."""
    return is_compiled(f"{CORE}.responder")


def new_directory() -> "Directory | None":
    """The core's table of zones, with none in it yet; None where there is no core."""
    if not has_core():
        return None
    directory: Directory = importlib.import_module(f"{CORE}.directory").Directory()
    return directory


def new_responder(directory: "Directory", batch: "Batch", nsid: bytes, cookies: "Cookies | None") -> "Responder":
    """What answers the datagrams of `batch` for the zones of `directory`."""
    responder: Responder = importlib.import_module(f"{CORE}.responder").Responder(directory, batch, nsid, cookies)
    return responder


def index_of(table: "ZoneTable") -> "Sliced[ZoneIndex | None]":
    """The index of a zone, with no answers in it yet; None where there is no core."""
    if not has_core():
        return None
    tables = table.zone.tables
    slots = yield from zeros("I", room_for(len(tables.names)))
    index: ZoneIndex = importlib.import_module(f"{CORE}.zone").ZoneIndex(table.signed, tables, slots)
    yield from _mark_owners(table, tables, index)
    if table.cuts or table.dnames:
        cuts, dnames = table.cuts or (), table.dnames or ()  # what is empty is not asked for each name
        for number in range(len(tables.order), len(tables.names)):  # empty non-terminals
            if not number % _SLICE:
                yield
            if any(above in cuts or above in dnames for above in ancestors(tables.names.name(number))):
                index.mark(number, kinds.HIDDEN)
    chain = table.chain
    if isinstance(chain, Nsec3Chain):
        index.use_nsec3(chain.parameters.salt, chain.parameters.iterations)
    if chain is not None:
        for count in range(len(chain)):
            if not count % _SLICE:
                yield
            index.add_cover(chain.key(count))
    index.close()
    while not index.enter(_ENTERED):
        yield
    return index


def _mark_owners(table: "ZoneTable", tables: "SetTables", index: "ZoneIndex") -> "Sliced[None]":
    """Say which owners are special, and which can't be found."""
    survey = table.zone.survey()
    above = table.origin
    hiding = b""
    position = budget = 0
    while position < survey.count:
        if budget <= 0:
            yield
            budget = _SLICE
        if not hiding:
            start = position
            position = survey.next_notable(position, above, _PLAIN, NO_HOSTS)
            budget -= (position - start) // _PASSED_A_SLICE
            if position == survey.count:
                break
        budget -= 1
        number = tables.order[position]
        position += 1
        owner = tables.names.name(number)
        above = owner[1 + owner[0] :]
        if hiding and is_at_or_below(owner, hiding):
            index.mark(number, kinds.HIDDEN)
            continue
        hiding = b""
        if owner in table.hidden:
            index.mark(number, kinds.HIDDEN)
            continue
        flags = _flags(table, owner, tables.types[tables.sets_at[number] : tables.sets_at[number + 1]])
        if flags & (kinds.CUT | kinds.DNAME):
            hiding = owner  # in canonical order everything below comes next
        if flags:
            index.mark(number, flags)


def _flags(table: "ZoneTable", owner: bytes, types: "array[int]") -> int:
    """What lookup must know of `owner`."""
    flags = kinds.CNAME if rdtypes.CNAME in types else 0
    if owner in table.cuts:
        flags |= kinds.CUT
    if owner in table.dnames:
        flags |= kinds.DNAME
    return flags
