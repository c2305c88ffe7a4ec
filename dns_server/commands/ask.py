"""`unizone ask NAME TYPE --zones=DIR`: the answer that the server would give, and the stages that led to it."""

import sys
import time
from collections.abc import Iterable
from typing import Final

import dns.flags
import dns.message
import dns.opcode
import dns.rcode
import dns.rdatatype

from dns_server.answer.catalogue import Catalogue
from dns_server.answer.engine import Engine
from dns_server.answer.explain import explain
from dns_server.answer.protocol import Transport
from dns_server.answer.table import build
from dns_server.parameters.zones import ZONES
from dns_server.settings import BadParameter, BadUsage, Settings
from zones import repository
from zones.folder import FolderTree, scan
from zones.loader import Options, load
from zones.name import BadName, ancestors, fold, from_text, to_text
from zones.rdtypes import from_text as type_from_text
from zones.slices import run_to_end
from zones.snapshot import Snapshot
from zones.tree import Entry, Tree

_SECTIONS: Final = ("QUESTION", "ANSWER", "AUTHORITY", "ADDITIONAL")


def run(settings: Settings, operands: list[str]) -> int:
    """Print stages and answer; 0, or 1 when a zone that the name may belong to is broken."""
    name, rdtype = _question(*operands)
    folder = settings[ZONES]
    if folder is None:
        raise BadParameter("--zones", None, "it is required", f"--zones={ZONES.example}")
    tree = run_to_end(scan(folder))
    snapshot = run_to_end(load(_Ancestors(tree, name), Snapshot(), Options(), time.time()))
    for broken in snapshot.broken.values():
        for finding in broken.findings:
            print(finding, file=sys.stderr)
    tables = {origin: run_to_end(build(served.zone)) for origin, served in snapshot.zones.items()}
    catalogue = Catalogue().updated(tables, broken=snapshot.broken.keys())
    for stage in explain(catalogue, name, rdtype):
        print(f";; {stage}")
    query = dns.message.make_query(to_text(name), dns.rdatatype.RdataType.make(rdtype))
    query.flags &= ~dns.flags.RD
    reply = Engine(catalogue=catalogue).respond(query.to_wire(), Transport.TCP, time.time())
    assert reply is not None  # it is a query
    print(_presentation(dns.message.from_wire(reply)), end="")
    return 1 if snapshot.broken else 0


def _question(name_text: str, type_text: str) -> tuple[bytes, int]:
    try:
        name = from_text(name_text)
    except BadName as error:
        raise BadUsage(f"bad NAME {name_text!r}: {error}\n  for example: unizone ask www.example.com A") from None
    rdtype = type_from_text(type_text.upper())
    if rdtype is None:
        raise BadUsage(f"bad TYPE {type_text!r}: no record type\n  for example: unizone ask www.example.com TYPE65")
    return name, rdtype


class _Ancestors(Tree):
    """A tree without the zones that a name can't be in, so that one question does not load all of them."""

    def __init__(self, tree: FolderTree, name: bytes) -> None:
        self._tree = tree
        self._origins = set(ancestors(fold(name)))

    @property
    def revision(self) -> str:
        return self._tree.revision

    @property
    def message(self) -> str:
        return self._tree.message

    def entries(self) -> Iterable[Entry]:
        return [entry for entry in self._tree.entries() if self._may_matter(entry.path)]

    def read(self, path: str) -> bytes:
        return self._tree.read(path)

    def _may_matter(self, path: str) -> bool:
        if "/" in path:
            return True
        try:
            origin = repository.zone_of(path)
        except BadName:
            return False
        return origin is None or origin in self._origins


def _presentation(reply: dns.message.Message) -> str:
    """The reply as dig prints one."""
    flags = dns.flags.to_text(reply.flags).lower()
    counts = ", ".join(f"{name}: {len(section)}" for name, section in zip(_SECTIONS, reply.sections, strict=True))
    lines = [
        f";; opcode: {dns.opcode.to_text(reply.opcode())}, status: {dns.rcode.to_text(reply.rcode())}",
        f";; flags: {flags}; {counts}",
    ]
    for name, section in zip(_SECTIONS, reply.sections, strict=True):
        if section:
            lines += ["", f";; {name} SECTION:"]
            mark = ";" if name == "QUESTION" else ""
            lines += [f"{mark}{line}" for rrset in section for line in rrset.to_text().splitlines()]
    return "\n".join(lines) + "\n"
