"""Other name servers as secondaries of ours: NSD, Knot, BIND and PowerDNS from Debian's packages, on free ports."""

import base64
import sqlite3
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import dns.exception
import dns.message
import dns.query
import dns.rdatatype
import dns.tsig
import dns.zone

from tests.support.debian import Tree, programs
from tests.support.server import PATIENCE_S

SECRET: Final = base64.b64encode(b"secret of the secondaries, 32 oct").decode()
KEY: Final = "secondary._transfer"
"""Name of the key that secondaries have."""


@dataclass(frozen=True)
class Wish:
    """What a secondary is to be."""

    folder: Path
    port: int
    """Its own."""
    primary: int
    """Port of ours on 127.0.0.1."""
    zones: Sequence[str]
    """Without the final dot."""
    catalog: str = ""
    """Name of a catalog zone to follow, without the final dot."""


@dataclass(frozen=True)
class Brand:
    """A server program."""

    packages: tuple[str, ...]
    configure: Callable[[Tree, Wish], list[str]]
    """Writes what the program needs; the command that starts it."""
    has_catalog: bool


def _nsd(tree: Tree, wish: Wish) -> list[str]:
    path = wish.folder / "nsd.conf"
    zones = "".join(
        f'zone:\n  name: "{zone}"\n  request-xfr: 127.0.0.1@{wish.primary} {KEY}\n'
        f"  allow-notify: 127.0.0.1 {KEY}\n  provide-xfr: 127.0.0.1 NOKEY\n"
        for zone in wish.zones
    )
    path.write_text(f"""server:
  ip-address: 127.0.0.1@{wish.port}
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
key:
  name: "{KEY}"
  algorithm: hmac-sha256
  secret: "{SECRET}"
{zones}""")
    return [str(tree.path("nsd")), "-d", "-c", str(path)]


def _knot(tree: Tree, wish: Wish) -> list[str]:
    path = wish.folder / "knot.conf"
    zones = "".join(f"  - domain: {zone}\n" for zone in wish.zones)
    if wish.catalog:
        zones += f"  - domain: {wish.catalog}\n    catalog-role: interpret\n    catalog-template: default\n"
    path.write_text(f"""server:
  rundir: "{wish.folder}"
  user: root:root
  listen: 127.0.0.1@{wish.port}
  udp-workers: 1
  tcp-workers: 1
  background-workers: 1
log:
  - target: stderr
    any: info
database:
  storage: "{wish.folder}"
key:
  - id: {KEY}
    algorithm: hmac-sha256
    secret: {SECRET}
remote:
  - id: primary
    address: 127.0.0.1@{wish.primary}
    key: {KEY}
acl:
  - id: notify
    address: 127.0.0.1
    key: {KEY}
    action: notify
  - id: compare
    address: 127.0.0.1
    action: transfer
template:
  - id: default
    storage: "{wish.folder}"
    master: primary
    acl: [notify, compare]
zone:
{zones}""")
    return [str(tree.path("knotd")), "-c", str(path)]


def _bind(tree: Tree, wish: Wish) -> list[str]:
    path = wish.folder / "named.conf"
    source = f"primaries {{ 127.0.0.1 port {wish.primary} key {KEY}; }};"
    zones = "".join(
        f'zone "{zone}" {{ type secondary; {source} allow-notify {{ key {KEY}; }}; '
        f'file "{zone}.db"; masterfile-format text; }};\n'
        for zone in (*wish.zones, *([wish.catalog] if wish.catalog else []))
    )
    catalog = (
        f'catalog-zones {{ zone "{wish.catalog}" default-primaries {{ 127.0.0.1 port {wish.primary} key {KEY}; }} '
        "in-memory yes; };"
        if wish.catalog
        else ""
    )
    path.write_text(f"""key "{KEY}" {{ algorithm hmac-sha256; secret "{SECRET}"; }};
options {{
  directory "{wish.folder}";
  pid-file "{wish.folder}/named.pid";
  session-keyfile "{wish.folder}/session.key";
  listen-on port {wish.port} {{ 127.0.0.1; }};
  listen-on-v6 {{ none; }};
  recursion no;
  dnssec-validation no;
  allow-transfer {{ any; }};
  notify no;
  min-refresh-time 1;
  empty-zones-enable no;
  {catalog}
}};
controls {{ }};
{zones}""")
    return [str(tree.path("named")), "-g", "-n", "1", "-c", str(path)]


def _powerdns(tree: Tree, wish: Wish) -> list[str]:
    schema = next(tree.root.glob("usr/share/pdns-backend-sqlite3/schema/schema.sqlite3.sql"))
    database = wish.folder / "pdns.sqlite3"
    with closing(sqlite3.connect(database)) as connection:
        connection.executescript(schema.read_text())
        connection.execute("insert into tsigkeys (name, algorithm, secret) values (?, 'hmac-sha256', ?)", (KEY, SECRET))
        for zone in wish.zones:
            added = connection.execute(
                "insert into domains (name, master, type) values (?, ?, 'SLAVE')", (zone, f"127.0.0.1:{wish.primary}")
            )
            for kind in ("AXFR-MASTER-TSIG", "TSIG-ALLOW-AXFR"):
                connection.execute(
                    "insert into domainmetadata (domain_id, kind, content) values (?, ?, ?)",
                    (added.lastrowid, kind, KEY),
                )
            connection.execute(
                "insert into domainmetadata (domain_id, kind, content) values (?, 'IXFR', '1')", (added.lastrowid,)
            )
        connection.commit()
    modules = next(tree.root.glob("usr/lib/*/pdns/libgsqlite3backend.so")).parent
    (wish.folder / "pdns.conf").write_text(f"""launch=gsqlite3
module-dir={modules}
gsqlite3-database={database}
local-address=127.0.0.1
local-port={wish.port}
socket-dir={wish.folder}
secondary=yes
xfr-cycle-interval=1
slave-cycle-interval=1
allow-axfr-ips=127.0.0.1
guardian=no
daemon=no
cache-ttl=0
query-cache-ttl=0
negquery-cache-ttl=0
zone-cache-refresh-interval=0
""")
    return [str(tree.path("pdns_server")), f"--config-dir={wish.folder}"]


BRANDS: Final = {
    "NSD": Brand(("nsd",), _nsd, has_catalog=False),
    "Knot": Brand(("knot",), _knot, has_catalog=True),
    "BIND": Brand(("bind9",), _bind, has_catalog=True),
    "PowerDNS": Brand(("pdns-server", "pdns-backend-sqlite3"), _powerdns, has_catalog=False),
}


class Secondary:
    """A secondary that runs."""

    def __init__(self, name: str, port: int, log: Path) -> None:
        self.name = name
        self.port = port
        self.log = log

    def zone(self, origin: str) -> dns.zone.Zone | None:
        """What it serves of a zone; None when that is nothing."""
        return transferred(self.port, origin, KEY if self.name == "PowerDNS" else "")

    def wait_for(self, origin: str, is_right: Callable[[dns.zone.Zone | None], bool]) -> None:
        """Until its version of a zone is right. AssertionError with its log after a long time."""
        deadline = time.monotonic() + PATIENCE_S
        while not is_right(self.zone(origin)):
            assert time.monotonic() < deadline, f"{self.name} has no such {origin}:\n{self.log.read_text()[-4000:]}"
            time.sleep(0.05)


def transferred(port: int, origin: str, key: str = "", source: str = "127.0.0.1") -> dns.zone.Zone | None:
    """A zone by AXFR from a port of 127.0.0.1; None when it is refused or there is nobody."""
    zone = dns.zone.Zone(origin, relativize=False)
    query = dns.message.make_query(origin, dns.rdatatype.AXFR)
    if key:
        query.use_tsig(dns.tsig.Key(key, SECRET, "hmac-sha256"))
    try:
        dns.query.inbound_xfr("127.0.0.1", zone, query, port=port, timeout=20, lifetime=60, source=source)
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
