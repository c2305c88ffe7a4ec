"""From a push by real git to the answer: the program follows its remote, whatever is pushed and whoever is away."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.dig import short
from tests.support.git import Origin, daemon, daemon_at, web
from tests.support.server import Server, eventually, serve

pytestmark = pytest.mark.usefixtures("network")

BROKEN = b"@ SOA ns1 hostmaster 3 1h 10m 7d 1m\n@ NS ns1\nns1 A 192.0.2.999\n"


def zone(serial: int, address: str) -> bytes:
    return f"$TTL 60\n@ SOA ns1 hostmaster {serial} 1h 10m 7d 1m\n@ NS ns1\nns1 A {address}\n".encode()


def address(server: Server, name: str = "example.com") -> list[str]:
    return short(server.address, server.port, f"ns1.{name}", "A")


@pytest.fixture
def origin(tmp_path: Path) -> Origin:
    origin = Origin(tmp_path)
    origin.push({"example.com": zone(1, "192.0.2.1"), "example.org": zone(1, "192.0.2.1"), "README.md": b"# Zones\n"})
    return origin


@pytest.fixture(params=["path", "git", "http"])
def remote(request: pytest.FixtureRequest, origin: Origin) -> Iterator[str]:
    match request.param:
        case "path":
            yield f"{origin.bare}#main"
        case "git":
            with daemon(origin.folder) as base:
                yield f"{base}/{origin.bare.name}#main"
        case "http":
            with web(origin.folder) as base:
                yield f"{base}/{origin.bare.name}#main"


def test_push_is_answered_and_a_broken_one_keeps_what_was_good(remote: str, origin: Origin) -> None:
    with serve(f"--remote={remote}", "--poll=200ms") as server:
        assert address(server) == ["192.0.2.1"]
        commit = origin.push({"example.com": zone(2, "192.0.2.2"), "example.org": zone(1, "192.0.2.1")})
        eventually(lambda: address(server) == ["192.0.2.2"])
        assert short(server.address, server.port, "commit.server", "TXT", "CH") == [f'"{commit}"']

        origin.push({"example.com": BROKEN, "example.org": zone(2, "192.0.2.3")})
        eventually(lambda: address(server, "example.org") == ["192.0.2.3"])
        assert address(server) == ["192.0.2.2"]
        refused = server.wait_for("zone refused", zone="example.com.")
        assert refused["finding"].startswith("example.com:3:")
        assert refused["state"] == "serial 2 stays in service"

        origin.push({"example.com": zone(4, "192.0.2.4"), "example.org": zone(2, "192.0.2.3")})
        eventually(lambda: address(server) == ["192.0.2.4"])
        server.wait_for("zone mended", zone="example.com.")


def test_hangup_looks_at_once(origin: Origin) -> None:
    with serve(f"--remote={origin.bare}", "--poll=1d") as server:
        origin.push({"example.com": zone(2, "192.0.2.2"), "example.org": zone(1, "192.0.2.1")})
        server.hang_up()
        eventually(lambda: address(server) == ["192.0.2.2"])


def test_forgotten_serial_is_raised(origin: Origin) -> None:
    with serve(f"--remote={origin.bare}", "--poll=200ms") as server:
        origin.push({"example.com": zone(1, "192.0.2.2"), "example.org": zone(1, "192.0.2.1")})
        eventually(lambda: address(server) == ["192.0.2.2"])
        (soa,) = short(server.address, server.port, "example.com", "SOA")
        assert soa.split()[2] == "2"
        assert "serial" in server.wait_for("zone served with warnings", zone="example.com.")["finding"]


def test_removed_file_removes_the_zone(origin: Origin) -> None:
    with serve(f"--remote={origin.bare}", "--poll=200ms") as server:
        origin.push({"example.com": zone(1, "192.0.2.1")})
        eventually(lambda: not address(server, "example.org"))
        assert address(server) == ["192.0.2.1"]


def test_large_removal_is_held_back_until_allowed(origin: Origin) -> None:
    with serve(f"--remote={origin.bare}", "--poll=200ms") as server:
        origin.push({"README.md": b"# No zones\n"})
        server.wait_for("change held back", what="zones")
        assert address(server) == ["192.0.2.1"]
        origin.push({"README.md": b"# No zones\n"}, "End\n\nUnizone-Allow: removal")
        eventually(lambda: not address(server))


def test_git_away_at_start_and_later(origin: Origin) -> None:
    with daemon(origin.folder) as base:
        port = int(base.rpartition(":")[2])
    remote = f"--remote={base}/{origin.bare.name}"
    with serve(remote, "--poll=200ms", until="sync failed") as server:
        refused = short(server.address, server.port, "ns1.example.com", "A")
        assert refused == []
        with daemon_at(origin.folder, port):
            server.wait_for("ready")
            assert address(server) == ["192.0.2.1"]
        server.wait_for("sync failed", len(server.events))
        assert address(server) == ["192.0.2.1"]
        origin.push({"example.com": zone(2, "192.0.2.2"), "example.org": zone(1, "192.0.2.1")})
        with daemon_at(origin.folder, port):
            eventually(lambda: address(server) == ["192.0.2.2"])


def test_baked_zones_are_served_until_the_remote_is_reached(origin: Origin, tmp_path: Path) -> None:
    baked = tmp_path / "baked"
    baked.mkdir()
    (baked / "example.com").write_bytes(zone(1, "192.0.2.77"))
    with daemon(origin.folder) as base:
        port = int(base.rpartition(":")[2])
    with serve(f"--remote={base}/{origin.bare.name}", f"--baked={baked}") as server:
        assert address(server) == ["192.0.2.77"]
        server.wait_for("sync failed")
        assert address(server) == ["192.0.2.77"]
        with daemon_at(origin.folder, port):
            eventually(lambda: address(server) == ["192.0.2.1"])
