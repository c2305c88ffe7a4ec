"""Other name servers on the same zones: NSD, Knot and BIND from Debian's packages, on free loopback ports."""

import random
import socket
import struct
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import dns.message
import dns.rcode

from tests.support.debian import Tree, programs
from tests.support.network import current

START_TIMEOUT_S = 30.0
REPLY_TIMEOUT_S = 5.0


@dataclass(frozen=True)
class Server:
    """A server that runs and has loaded its zones."""

    name: str
    version: str
    address: tuple[str, int]
    pid: int

    def ask(self, wire: bytes, *, tcp: bool = False, attempts: int = 5) -> bytes | None:
        """The reply to `wire`; None if there is none. UDP is repeated, for a busy machine drops datagrams."""
        if tcp:
            return self._ask_tcp(wire)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as channel:
            channel.connect(self.address)
            channel.settimeout(REPLY_TIMEOUT_S / attempts)
            for _ in range(attempts):
                channel.send(wire)
                with suppress(TimeoutError):
                    while (reply := channel.recv(65535))[:2] != wire[:2]:
                        pass
                    return reply
        return None

    def _ask_tcp(self, wire: bytes) -> bytes | None:
        with socket.create_connection(self.address, timeout=REPLY_TIMEOUT_S) as channel:
            channel.sendall(struct.pack("!H", len(wire)) + wire)
            with channel.makefile("rb") as stream:
                prefix = stream.read(2)
                return stream.read(int.from_bytes(prefix, "big")) if prefix else None


def free_port() -> int:
    """A port that is free for UDP and TCP at this moment, at the address of the test's servers."""
    while True:
        # Not one of those that the kernel gives to clients: another test's client may get it before it is used.
        port = random.randrange(10_000, 32_000)
        with (
            suppress(OSError),
            socket.socket(socket.AF_INET, socket.SOCK_STREAM) as stream,
            socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as datagram,
        ):
            stream.bind((current().here, port))
            datagram.bind((current().here, port))
            return port


def _nsd(folder: Path, port: int, zones: Mapping[str, Path], options: str) -> str:
    text = f"""server:
  ip-address: 127.0.0.1
  port: {port}
  username: ""
  chroot: ""
  zonesdir: "{folder}"
  database: ""
  pidfile: "{folder}/nsd.pid"
  xfrdfile: "{folder}/xfrd.state"
  zonelistfile: "{folder}/zone.list"
  server-count: 1
  refuse-any: no
  minimal-responses: yes
  rrl-ratelimit: 0
  ipv4-edns-size: 1232
{options}
remote-control:
  control-enable: no
"""
    return text + "".join(f'zone:\n  name: "{origin}"\n  zonefile: "{path}"\n' for origin, path in zones.items())


def _knot(folder: Path, port: int, zones: Mapping[str, Path], options: str) -> str:
    cookies = "    global-module: mod-cookies/default\n" if "mod-cookies:" in options else ""
    text = f"""server:
  rundir: "{folder}"
  user: root:root
  listen: 127.0.0.1@{port}
  udp-workers: 1
  tcp-workers: 1
  background-workers: 1
  udp-max-payload: 1232
{options}
log:
  - target: stderr
    any: warning
database:
  storage: "{folder}/knot"
template:
  - id: default
    zonefile-sync: -1
    zonefile-load: whole
    journal-content: none
    semantic-checks: off
    zonemd-verify: off
{cookies}zone:
"""
    return text + "".join(f'  - domain: "{origin}"\n    file: "{path}"\n' for origin, path in zones.items())


def _bind(folder: Path, port: int, zones: Mapping[str, Path], options: str) -> str:
    text = f"""options {{
  directory "{folder}";
  pid-file "{folder}/named.pid";
  session-keyfile "{folder}/session.key";
  listen-on port {port} {{ 127.0.0.1; }};
  listen-on-v6 {{ none; }};
  recursion no;
  dnssec-validation no;
  minimal-responses no-auth;
  minimal-any yes;
  max-udp-size 1232;
  edns-udp-size 1232;
  answer-cookie {"yes" if "cookie-secret" in options else "no"};
  notify no;
  zero-no-soa-ttl no;
  check-integrity no;
  check-names primary ignore;
  check-dup-records ignore;
  {options}
  empty-zones-enable no;
}};
controls {{ }};
"""
    return text + "".join(f'zone "{origin}" {{ type primary; file "{path}"; }};\n' for origin, path in zones.items())


def _with_updates(name: str, text: str) -> str:
    """The configuration `text` of BIND or Knot, with zones that everybody on this machine may change."""
    if name == "BIND":
        return text.replace("type primary;", "type primary; allow-update { any; }; allow-transfer { any; };")
    acl = "acl:\n  - id: local\n    address: 127.0.0.1\n    action: [update, transfer]\n"
    return text.replace("template:\n", f"{acl}template:\n").replace("    journal-content: none\n", "    acl: local\n")


_CONFIGURATIONS = {"NSD": _nsd, "Knot": _knot, "BIND": _bind}
_PACKAGES = {"NSD": "nsd", "Knot": "knot", "BIND": "bind9"}
NAMES = tuple(_CONFIGURATIONS)


@contextmanager
def running(
    name: str, folder: Path, zones: Mapping[str, Path], options: str = "", *, updates: bool = False
) -> Iterator[Server]:
    """The server `name` (one of `NAMES`) with `zones`, presentation-format origins to files. Ends with the block.

    With `updates`, BIND and Knot let everybody on this machine change and transfer the zones.
    `folder` is for the server's own files; `options` are lines for the server's section of its configuration.
    Raises `debian.Unavailable` when there is no such program here.
    """
    tree = programs(_PACKAGES[name])
    (folder / "knot").mkdir(parents=True, exist_ok=True)
    for _ in range(3):  # the port may be taken between looking and starting
        port = free_port()
        configuration = folder / f"{name}.conf"
        text = _CONFIGURATIONS[name](folder, port, zones, options)
        configuration.write_text(_with_updates(name, text) if updates else text)
        log = folder / f"{name}.log"
        with log.open("wb") as output:
            process = subprocess.Popen(
                _command(name, tree, configuration), stdout=output, stderr=output, cwd=folder, env=tree.environment
            )
        try:
            server = Server(name, _version(name, tree), ("127.0.0.1", port), process.pid)
            if _ready(server, process, zones, log):
                yield server
                return
        finally:
            process.terminate()
            process.wait(timeout=START_TIMEOUT_S)
    raise RuntimeError(f"{name} does not start:\n{log.read_text()}")


def _command(name: str, tree: Tree, configuration: Path) -> list[str]:
    match name:
        case "NSD":
            return [str(tree.path("nsd")), "-d", "-c", str(configuration)]
        case "Knot":
            return [str(tree.path("knotd")), "-c", str(configuration)]
        case _:
            return [str(tree.path("named")), "-g", "-n", "1", "-c", str(configuration)]


def _version(name: str, tree: Tree) -> str:
    program, option = {"NSD": ("nsd", "-v"), "Knot": ("knotd", "-V"), "BIND": ("named", "-v")}[name]
    result = subprocess.run(
        [str(tree.path(program)), option], check=True, capture_output=True, text=True, env=tree.environment
    )
    return (result.stdout + result.stderr).splitlines()[0].strip()


def _ready(server: Server, process: "subprocess.Popen[bytes]", zones: Mapping[str, Path], log: Path) -> bool:
    """Wait until every zone is answered for; False if the process ends before."""
    until = time.monotonic() + START_TIMEOUT_S
    waiting = [dns.message.make_query(origin, "SOA", id=index).to_wire() for index, origin in enumerate(zones)]
    while waiting and time.monotonic() < until:
        if process.poll() is not None:
            return False
        try:
            reply = server.ask(waiting[-1], attempts=10)
        except OSError:
            reply = None
        if reply is not None and dns.message.from_wire(reply).rcode() == dns.rcode.NOERROR:
            waiting.pop()
        else:
            time.sleep(0.05)
    if waiting:
        refused = ", ".join(str(dns.message.from_wire(wire).question[0].name) for wire in waiting)
        raise RuntimeError(f"{server.name} does not serve {refused}:\n{log.read_text()}")
    return True
