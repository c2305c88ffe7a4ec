"""nmap looks at the program on its own stack: what it finds open and closed is right, and the service goes on."""

import re
import subprocess
from collections.abc import Iterator

import pytest

from tests.support.debian import Tree, need
from tests.support.dig import short
from tests.support.network import OWN_STACK, own_stack
from tests.support.server import Server, serve
from tests.support.trees import zone_text

pytestmark = pytest.mark.netns

CLOSED = (7, 8080)
ADDRESSES = {4: OWN_STACK.server, 6: OWN_STACK.server_6}


@pytest.fixture(scope="module")
def nmap() -> Tree:
    return need("nmap")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    zones = tmp_path_factory.mktemp("zones")
    (zones / "example.com").write_bytes(zone_text(1, "www A 192.0.2.80"))
    listen = tuple(f"{address}:53" if version == 4 else f"[{address}]:53" for version, address in ADDRESSES.items())
    with own_stack(), serve(f"--zones={zones}", listen=listen) as server:
        yield server


def scan(nmap: Tree, version: int, *options: str) -> str:
    """What nmap prints about us; what it made of the program must not have hurt it."""
    command = [str(nmap.path("nmap")), f"-{version}"] if version == 6 else [str(nmap.path("nmap"))]
    data = nmap.root / "usr" / "share" / "nmap"
    command += ["-n", "-Pn", f"--datadir={data}", "--max-retries=10", *options, ADDRESSES[version]]
    done = subprocess.run(command, capture_output=True, text=True, env=nmap.environment, timeout=150)
    assert done.returncode == 0, done
    for transport in ("+notcp", "+tcp"):
        assert short(ADDRESSES[version], 53, transport, "www.example.com", "A") == ["192.0.2.80"]
    return done.stdout


def states(printed: str) -> dict[int, str]:
    """State of each port, or protocol, that nmap prints a line for."""
    return {int(number): state for number, state in re.findall(r"^(\d+)(?:/\w+)? +(\S+) ", printed, re.MULTILINE)}


@pytest.mark.parametrize("version", ADDRESSES)
@pytest.mark.parametrize(
    ("kind", "opened", "closed"),
    [
        pytest.param("-sS", "open", "closed", id="SYN"),
        pytest.param("-sT", "open", "closed", id="connect"),
        pytest.param("-sF", "open|filtered", "closed", id="FIN"),  # RFC 9293 3.10.7.2: LISTEN says nothing to these
        pytest.param("-sN", "open|filtered", "closed", id="NULL"),
        pytest.param("-sX", "open|filtered", "closed", id="Xmas"),
        pytest.param("-sA", "unfiltered", "unfiltered", id="ACK"),  # both reset it: 3.10.7.1 and 3.10.7.2
        pytest.param("-sM", "closed", "closed", id="Maimon"),  # FIN,ACK: likewise
        pytest.param("-sU", "open", "closed", id="UDP"),  # RFC 1122 4.1.3.1, RFC 4443 3.1: port unreachable
    ],
)
def test_open_and_closed_ports(version: int, kind: str, opened: str, closed: str, server: Server, nmap: Tree) -> None:
    ports = ",".join(map(str, (*CLOSED, 53)))
    assert states(scan(nmap, version, kind, f"-p{ports}")) == {53: opened, **dict.fromkeys(CLOSED, closed)}


def test_protocols(server: Server, nmap: Tree) -> None:
    """RFC 1122 3.2.2.1: protocol unreachable for what we don't speak."""
    found = states(scan(nmap, 4, "-sO", "-p1,6,17,132,200"))
    assert (found[1], found[6], found[132], found[200]) == ("open", "open", "closed", "closed")


@pytest.mark.slow
@pytest.mark.parametrize("version", ADDRESSES)
def test_its_guess_at_the_operating_system_costs_nothing(version: int, server: Server, nmap: Tree) -> None:
    """Odd options, flags that nobody sends together, small windows, echo requests with codes: all in one run."""
    printed = scan(nmap, version, "-O", "--osscan-guess", "-p7,53")
    assert states(printed) == {7: "closed", 53: "open"}


@pytest.mark.slow
def test_every_port(server: Server, nmap: Tree) -> None:
    """Resets are limited to 100 a second; who asks more slowly finds every closed port closed."""
    printed = scan(nmap, 4, "-sS", "-p1-1000", "--max-rate=90")
    assert states(printed) == {53: "open"}
    assert "999 closed" in printed
