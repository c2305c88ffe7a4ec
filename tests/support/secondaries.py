"""Other name servers as secondaries of ours: NSD, Knot, BIND and PowerDNS from Debian's packages, where the test is."""

import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import dns.exception
import dns.message
import dns.query
import dns.rdatatype
import dns.tsig
import dns.zone

from tests.support.debian import Tree, programs
from tests.support.network import current
from tests.support.server import PATIENCE_S

SECRET: Final = "c2VjcmV0IG9mIHRoZSBzZWNvbmRhcmllcywgMzIgb2N0"
KEY: Final = "secondary._transfer"
"""Name of the key that secondaries have, as docs/primary.md has it."""


@dataclass(frozen=True)
class Wish:
    """What a secondary is to be."""

    folder: Path
    port: int
    """Its own."""
    primary: int
    """Port of ours."""
    block: str
    """Name of the block of docs/primary.md that configures it."""
    changes: Mapping[str, str] = field(default_factory=dict)
    """What else of the block is other here."""

    def text(self, address: str) -> str:
        """The block, with `address` in the form that the program wants for the primary."""
        page = (Path(__file__).parent.parent.parent / "docs" / "primary.md").read_text()
        text = page.split(f"```{self.block}\n")[1].split("```")[0].replace("192.0.2.53", address)
        for there, here in self.changes.items():
            assert there in text
            text = text.replace(there, here)
        return text


@dataclass(frozen=True)
class Brand:
    """A server program."""

    packages: tuple[str, ...]
    configure: Callable[[Tree, Wish], list[str]]
    """Writes what the program needs; the command that starts it."""
    catalog_block: str = ""
    """Of docs/primary.md; empty where it has no catalogs."""

    @property
    def has_catalog(self) -> bool:
        """Whether it can follow a catalog zone."""
        return bool(self.catalog_block)


def _nsd(tree: Tree, wish: Wish) -> list[str]:
    path = wish.folder / "nsd.conf"
    ours, here = current().server, current().here
    block = wish.text(ours)
    asked = f"request-xfr: {ours}"
    block = block.replace(f"{asked}@853", asked).replace(asked, f"{asked}@{wish.primary}")
    path.write_text(f"""server:
  ip-address: {here}@{wish.port}
  username: ""
  chroot: ""
  zonesdir: "{wish.folder}"
  database: ""
  pidfile: "{wish.folder}/nsd.pid"
  xfrdfile: "{wish.folder}/xfrd.state"
  xfrdir: "{wish.folder}"
  zonelistfile: "{wish.folder}/zone.list"
  server-count: 1
  xfrd-reload-timeout: 0
remote-control:
  control-enable: no
{block}  provide-xfr: {here} NOKEY
""")
    return [str(tree.path("nsd")), "-d", "-c", str(path)]


def _knot(tree: Tree, wish: Wish) -> list[str]:
    path = wish.folder / "knot.conf"
    ours, here = current().server, current().here
    block = wish.text(ours).replace(ours, f"{ours}@{wish.primary}", 1)  # the first is the remote's
    compare = f"acl:\n  - id: compare\n    address: {here}\n    action: transfer\n"
    block = block.replace("acl: [unizone]", "acl: [unizone, compare]").replace("acl:\n", compare, 1)
    storage = f'    storage: "{wish.folder}"\n'  # not /var/lib/knot, which others use too
    if "template:\n" in block:
        block = block.replace("  - id: from-unizone\n", f"  - id: from-unizone\n{storage}")
        block = block.replace("template:\n", f"template:\n  - id: default\n{storage}")
    else:
        block = f"template:\n  - id: default\n{storage}{block}"
    path.write_text(f"""server:
  rundir: "{wish.folder}"
  user: root:root
  listen: {here}@{wish.port}
  udp-workers: 1
  tcp-workers: 1
  background-workers: 1
log:
  - target: stderr
    any: info
database:
  storage: "{wish.folder}"
{block}""")
    return [str(tree.path("knotd")), "-c", str(path)]


def _bind(tree: Tree, wish: Wish) -> list[str]:
    path = wish.folder / "named.conf"
    block = wish.text(f"{current().server} port {wish.primary}")
    options = f"""
  directory "{wish.folder}";
  pid-file "{wish.folder}/named.pid";
  session-keyfile "{wish.folder}/session.key";
  listen-on port {wish.port} {{ {current().here}; }};
  listen-on-v6 {{ none; }};
  recursion no;
  dnssec-validation no;
  allow-transfer {{ any; }};
  notify no;
  empty-zones-enable no;
"""
    if "options {" in block:
        block = block.replace("options {", f"options {{{options}", 1)
    else:
        block = f"options {{{options}}};\n{block}"
    path.write_text(f"{block}controls {{ }};\n")
    return [str(tree.path("named")), "-g", "-n", "1", "-c", str(path)]


def _powerdns(tree: Tree, wish: Wish) -> list[str]:
    # With SQLite its own threads lock each other out now and then, and then it gives the removal of a member up.
    modules = next(tree.root.glob("usr/lib/*/pdns/liblmdbbackend.so")).parent
    (wish.folder / "pdns.conf").write_text(f"""launch=lmdb
module-dir={modules}
lmdb-filename={wish.folder}/pdns.lmdb
local-address={current().here}
local-port={wish.port}
socket-dir={wish.folder}
secondary=yes
xfr-cycle-interval=1
allow-axfr-ips={current().here}
guardian=no
daemon=no
cache-ttl=0
query-cache-ttl=0
negquery-cache-ttl=0
zone-cache-refresh-interval=0
""")
    for line in wish.text(f"{current().server}:{wish.primary}").splitlines():
        program, *arguments = line.split()
        command = [str(tree.path(program)), f"--config-dir={wish.folder}", *arguments]
        done = subprocess.run(command, capture_output=True, text=True, env=tree.environment)
        assert done.returncode == 0, f"{line}: {done.stdout}{done.stderr}"
    return [str(tree.path("pdns_server")), f"--config-dir={wish.folder}"]


BRANDS: Final = {
    "NSD": Brand(("nsd",), _nsd),
    "Knot": Brand(("knot",), _knot, "knot-catalog"),
    "BIND": Brand(("bind9",), _bind, "bind-catalog"),
    "PowerDNS": Brand(("pdns-server", "pdns-backend-lmdb"), _powerdns, "powerdns-catalog"),
}


class Secondary:
    """A secondary that runs."""

    def __init__(self, name: str, port: int, log: Path) -> None:
        self.name = name
        self.port = port
        self.log = log

    def zone(self, origin: str) -> dns.zone.Zone | None:
        """What it serves of a zone; None when that is nothing."""
        return transferred(self.port, origin, address=current().here)

    def wait_for(self, origin: str, is_right: Callable[[dns.zone.Zone | None], bool]) -> None:
        """Until its version of a zone is right. AssertionError with its log after a long time."""
        deadline = time.monotonic() + PATIENCE_S
        while not is_right(self.zone(origin)):
            assert time.monotonic() < deadline, f"{self.name} has no such {origin}:\n{self.log.read_text()[-4000:]}"
            time.sleep(0.05)


def transferred(
    port: int, origin: str, key: str = "", source: str | None = None, address: str = ""
) -> dns.zone.Zone | None:
    """A zone by AXFR from a port of ours, or of `address`; None when it is refused or there is nobody."""
    zone = dns.zone.Zone(origin, relativize=False)
    query = dns.message.make_query(origin, dns.rdatatype.AXFR)
    if key:
        query.use_tsig(dns.tsig.Key(key, SECRET, "hmac-sha256"))
    try:
        dns.query.inbound_xfr(
            address or current().server, zone, query, port=port, timeout=60, lifetime=150, source=source
        )
    except (dns.exception.DNSException, OSError, EOFError):
        return None
    return zone


@contextmanager
def secondary(name: str, wish: Wish) -> Iterator[Secondary]:
    """The server `name` (one of `BRANDS`). Raises `debian.Unavailable` when there is no such program here."""
    brand = BRANDS[name]
    tree = programs(*brand.packages)
    wish.folder.mkdir(parents=True, exist_ok=True)
    command = brand.configure(tree, wish)
    log = wish.folder / "log"
    with log.open("wb") as output:
        process = subprocess.Popen(command, stdout=output, stderr=output, cwd=wish.folder, env=tree.environment)
    try:
        yield Secondary(name, wish.port, log)
        assert process.poll() is None, f"{name} ended: {log.read_text()}"
    finally:
        process.terminate()
        try:
            process.wait(timeout=PATIENCE_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
