"""IXFR over a restart: what the history of the repository tells, by path and by git, and what it must not tell."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import dns.query
import dns.zone
import pytest

from tests.support.git import Origin, daemon
from tests.support.server import Server, serve
from tests.support.trees import zone_text

pytestmark = pytest.mark.usefixtures("network")


def version(serial: int, address: int = 0) -> dict[str, bytes]:
    return {"example.com": zone_text(serial, "@ MX 10 mail", f"mail A 192.0.2.{address or serial}")}


@contextmanager
def served(origin: Origin, folder: Path, by: str) -> Iterator[Server]:
    if by == "path":
        with serve(f"--remote={origin.bare}", "--axfr=all", "--poll=1d") as server:
            yield server
    else:
        with daemon(folder) as base, serve(f"--remote={base}/zones.git", "--axfr=all", "--poll=1d") as server:
            yield server


def ixfr(server: Server, had: dict[str, bytes], serial: int) -> tuple[str, dns.zone.Zone]:
    """What kind of transfer brought who had a version to the newest one."""
    zone = dns.zone.from_text(had["example.com"].decode(), "example.com.", relativize=False)
    before = len(server.events)
    query, _ = dns.xfr.make_query(zone, serial=serial)
    dns.query.inbound_xfr(server.address, zone, query, port=server.port, timeout=60, lifetime=60)
    return server.wait_for("zone transferred", before)["kind"], zone


def newest(content: dict[str, bytes]) -> dns.zone.Zone:
    return dns.zone.from_text(content["example.com"].decode(), "example.com.", relativize=False)


@pytest.mark.parametrize("by", ["path", "git"])
def test_versions_from_before_the_start_are_known(by: str, tmp_path: Path) -> None:
    origin = Origin(tmp_path)
    for serial in (1, 2, 3):
        origin.push(version(serial))
        origin.push({**version(serial), "README": b"no zone\n"})
    with served(origin, tmp_path, by) as server:
        for serial in (1, 2):
            assert ixfr(server, version(serial), serial) == ("IXFR", newest(version(3)))
        origin.push(version(4))
        server.hang_up()
        server.wait_for("zone updated", serial=4)
        for serial in (1, 2, 3):
            assert ixfr(server, version(serial), serial) == ("IXFR", newest(version(4)))


def test_changes_after_the_start_join_what_was_before(tmp_path: Path) -> None:
    origin = Origin(tmp_path)
    for serial in (1, 2):
        origin.push(version(serial))
    with served(origin, tmp_path, "path") as server:
        origin.push(version(3))
        server.hang_up()
        server.wait_for("zone updated", serial=3)
        assert ixfr(server, version(1), 1) == ("IXFR", newest(version(3)))


def test_a_serial_that_stood_for_several_versions_is_not_trusted(tmp_path: Path) -> None:
    origin = Origin(tmp_path)
    origin.push(version(1, 7))
    origin.push(version(1, 8))  # served as 1, or as 2 if the server ran
    origin.push(version(3, 9))
    with served(origin, tmp_path, "path") as server:
        for address in (7, 8):
            assert ixfr(server, version(1, address), 1) == ("AXFR", newest(version(3, 9)))


def test_a_serial_that_went_back_is_not_trusted(tmp_path: Path) -> None:
    origin = Origin(tmp_path)
    for serial, address in ((4, 1), (5, 2), (4, 3), (7, 4)):
        origin.push(version(serial, address))
    with served(origin, tmp_path, "path") as server:
        assert ixfr(server, version(4, 1), 4) == ("AXFR", newest(version(7, 4)))


def test_a_broken_version_in_between_is_none(tmp_path: Path) -> None:
    origin = Origin(tmp_path)
    origin.push(version(1))
    origin.push({"example.com": b"nonsense\n"})
    origin.push(version(2))
    with served(origin, tmp_path, "path") as server:
        assert ixfr(server, version(1), 1) == ("IXFR", newest(version(2)))
