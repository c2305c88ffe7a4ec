"""What a client with a cookie gets while ten times as many forged queries come as the server can answer.

The server has one core, flood and client the other, on a veth pair in namespaces of their own. So that one core can
send ten times as much as the other answers, the server runs for a part of the time only.
"""

import contextlib
import os
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import dns.edns
import dns.message
import dns.query

from dns_platform.unix import libc
from dns_platform.unix.link import interface_mac
from tests.bench.harness import questions
from tests.bench.harness.figure import Figure, NotHere, Relation
from tests.bench.harness.flooding import Naps, Way, flood
from tests.bench.harness.machine import pinned
from tests.bench.harness.questions import ORIGIN
from tests.support.namespaces import Namespace, ip, stop_offload, veth_namespace
from tests.support.server import Server

GOAL: Final = 0.95
SERVER, CLIENT = "192.0.2.53", "192.0.2.200"
_CLONE_NEWNET: Final = 0x40000000
_COOKIE: Final = 10
_AWAKE_S, _PERIOD_S = 0.001, 0.005
_FLOOD_S, _QUICK_S = 5.0, 1.0
_START_S: Final = 20.0


@dataclass(frozen=True)
class Network:
    """Where the server has its packets from."""

    name: str
    arguments: tuple[str, ...] = ()
    """None: Linux has the address."""


def _direct(link: str) -> Network:
    line = ("--net=direct", f"--link={link}", f"--ipv4={SERVER}/24", f"--ipv4-gateway={CLIENT}", "--ipv6=none")
    return Network(f"own stack, {link}", line)


NETWORKS: Final = (Network("host sockets"), _direct("xdp"), _direct("packet"))


def run(*, quick: bool) -> Iterator[Figure]:
    """The figures."""
    if os.geteuid():
        raise NotHere("network namespaces need root")
    libc.call("unshare", _CLONE_NEWNET)  # what is sent to forged addresses must not leave by this machine's routes
    seconds = _QUICK_S if quick else _FLOOD_S
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        (folder / ORIGIN.rstrip(".")).write_text(questions.zone_text())
        for network in NETWORKS:
            with _served(network, folder) as (way, pid), pinned([pid]):
                option = _cookie()
                whole = flood(way, seconds, option)
                naps = Naps(pid, _AWAKE_S, _PERIOD_S)
                slowed = flood(way, seconds, option, naps=naps)
                without = flood(way, seconds, b"", naps=naps)
            note = (
                f"{slowed.sent:,.0f} forged queries/s, {slowed.times:.1f} times what is answered; {without.share:.0%} "
                f"without a cookie; {whole.share:.0%} at {whole.times:.1f} times, when the server has a whole core"
            )
            name = f"answers that a client with a cookie gets, {network.name}"
            yield Figure(name, slowed.share, "", GOAL, Relation.AT_LEAST, note.replace("%", " %"))


@contextlib.contextmanager
def _served(network: Network, folder: Path) -> Iterator[tuple[Way, int]]:
    """A server, and the way to it."""
    addresses = [] if network.arguments else [f"{SERVER}/24"]
    with veth_namespace(*addresses, offload=False) as namespace:
        ip("address", "add", f"{CLIENT}/24", "dev", namespace.outside)
        stop_offload(namespace.outside)
        line = ["serve", "--log-format=json", f"--zones={folder}", f"--listen={SERVER}:53", *network.arguments]
        if network.arguments:
            line.append(f"--interface={namespace.inside}")
        else:
            _take_forged(namespace)
        server = Server(line, within=["ip", "netns", "exec", namespace.name])
        try:
            server.wait_for("ready")
            mac = namespace.run("cat", f"/sys/class/net/{namespace.inside}/address").stdout.strip()
            server_mac = bytes.fromhex(mac.replace(":", ""))
            yield (
                Way(namespace.outside, interface_mac(namespace.outside), server_mac, SERVER, CLIENT),
                server.process.pid,
            )
        finally:
            server.stop()


def _take_forged(namespace: Namespace) -> None:
    """Have Linux take packets from addresses elsewhere, and know a way there."""
    for scope in ("all", namespace.inside):
        namespace.run("sh", "-c", f"echo 0 > /proc/sys/net/ipv4/conf/{scope}/rp_filter")
    namespace.run("ip", "route", "add", "default", "via", CLIENT)


def _cookie() -> bytes:
    """The EDNS option with a cookie of both halves, as the server gives it to who has none."""
    asked = dns.message.make_query(
        ORIGIN, "SOA", use_edns=0, options=[dns.edns.GenericOption(dns.edns.OptionType.COOKIE, b"unizone!")]
    )
    reply = dns.query.udp(asked, SERVER, timeout=_START_S)
    cookie = next(option.to_wire() or b"" for option in reply.options if option.otype == _COOKIE)
    return _COOKIE.to_bytes(2, "big") + len(cookie).to_bytes(2, "big") + cookie
