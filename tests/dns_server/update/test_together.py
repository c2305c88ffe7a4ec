"""Pushes of people and updates at once, kills at any moment, and git servers in bad moods; git is the judge."""

import contextlib
import random
import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import dns.exception
import dns.rcode
import pytest

from tests.dns_server.update.test_update import KEYS, answer, rcode, send, updated
from tests.support.git import Origin, daemon, git
from tests.support.network import current
from tests.support.patience import takes_minutes
from tests.support.server import Server, eventually, serve, start
from tests.support.trees import zone_text
from tests.zones.writeback.test_writer import person

pytestmark = pytest.mark.usefixtures("network")

ZONES = ("example.com", "sub.example.com")


@pytest.fixture
def origin(tmp_path: Path) -> Origin:
    made = Origin(tmp_path)
    made.push({zone: zone_text(7, "; people", "; the end") for zone in ZONES} | {"_keys": KEYS, "README": b"x"})
    return made


def polling() -> str:
    """Seldom: the server looks for pushes when it is told to. A machine, which can't be told, looks by itself."""
    return "--poll=1s" if current().is_machine else "--poll=1h"


def add(server: Server, number: int, timeout_s: float = 60) -> str | None:
    """Add the TXT record of update `number` to one of the zones; the rcode, None when there is no reply."""
    message = updated(zone=ZONES[number % 2])
    message.add(f"u{number % 5}", 60, "TXT", f"update{number}")
    with contextlib.suppress(OSError, EOFError, dns.exception.DNSException):
        return rcode(server, message, timeout_s)
    return None


def in_git(origin: Origin) -> list[str]:
    """Strings of updates that the newest commit has, each as often as it stands there."""
    text = "\n".join(git(origin.bare, "show", f"main:{zone}") for zone in ZONES)
    return [line.split('"')[1] for line in text.splitlines() if '"update' in line]


def in_service(server: Server) -> set[str]:
    found: set[str] = set()
    for zone in ZONES:
        for owner in range(5):
            found |= {text.strip('"') for text in answer(server, f"u{owner}.{zone}", "TXT", "+tcp")}
    return found


def people_and_updates(origin: Origin, people: int, pushes: int, updates: int, *parameters: str) -> None:
    by_hand: list[str] = []
    threads = [threading.Thread(target=person, args=(origin, number, pushes, by_hand)) for number in range(people)]
    with (
        daemon(origin.folder) as base,
        serve(f"--remote={base}/{origin.bare.name}", polling(), *parameters) as server,
    ):
        for thread in threads:
            thread.start()
        with ThreadPoolExecutor(8) as pool:
            rcodes = list(pool.map(lambda number: add(server, number), range(updates)))
        for thread in threads:
            thread.join()
        assert rcodes == ["NOERROR"] * updates
        expected = {f"update{number}" for number in range(updates)}
        eventually(lambda: set(in_git(origin)) == expected)
        assert len(in_git(origin)) == updates
        assert in_service(server) == expected
        server.hang_up()  # look for the pushes of people that came last
        eventually(lambda: all(answer(server, f"{line}.example.com", "TXT") == ['"by hand"'] for line in by_hand))
        assert in_service(server) == expected
    assert len(by_hand) == people * pushes
    text = git(origin.bare, "show", "main:example.com")
    assert all(f'{line} TXT "by hand"' in text for line in by_hand)
    assert text.count("; the end") == text.count("; people") == 1
    assert len(git(origin.bare, "rev-list", "main").splitlines()) == 1 + updates + people * pushes
    authors = git(origin.bare, "log", "--format=%an", "main").splitlines()
    assert authors.count("lego._update.example.com") == updates
    git(origin.bare, "fsck", "--strict")


@pytest.mark.parametrize("ack", ["push", "memory"])
def test_pushes_of_people_and_updates_both_survive(ack: str, origin: Origin) -> None:
    people_and_updates(origin, 2, 5, 20, f"--update-ack={ack}")


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize("ack", ["push", "memory"])
def test_hundreds_of_pushes_and_updates_both_survive(ack: str, origin: Origin) -> None:
    people_and_updates(origin, 4, 40, 300, f"--update-ack={ack}")


def kills(origin: Origin, rounds: int, seed: int, ack: str) -> None:
    """Kill the server while it takes updates; with `memory`, what was acknowledged and not yet pushed may be lost."""
    chance = random.Random(seed)
    sent: list[str] = []
    acknowledged: list[str] = []
    asked = 0
    with daemon(origin.folder) as base:
        for _ in range(rounds):
            server = start(f"--remote={base}/{origin.bare.name}", f"--update-ack={ack}")
            server.wait_for("ready")
            stop = threading.Event()

            def ask(first: int, server: Server = server, stop: threading.Event = stop) -> None:
                number = first
                while not stop.is_set() and server.process.poll() is None:
                    sent.append(f"update{number}")
                    if add(server, number, 10) == "NOERROR":  # the own stack of who is dead resets nothing
                        acknowledged.append(f"update{number}")
                    number += 4

            threads = [threading.Thread(target=ask, args=(asked + start,)) for start in range(4)]
            for thread in threads:
                thread.start()
            time.sleep(chance.uniform(0.05, 2.0))  # any moment will do
            server.process.kill()
            server.process.wait()
            stop.set()
            for thread in threads:
                thread.join()
            asked += 100_000
            git(origin.bare, "fsck", "--strict")
        with serve(f"--remote={base}/{origin.bare.name}") as after:
            assert add(after, asked) == "NOERROR"
            if ack == "push":
                assert set(acknowledged) <= set(in_git(origin))
            assert {f"update{asked}"} <= set(in_git(origin)) <= {f"update{asked}", *sent}
            assert in_service(after) == set(in_git(origin))
    assert len(in_git(origin)) == len(set(in_git(origin)))
    assert len(git(origin.bare, "rev-list", "main").splitlines()) == 1 + len(in_git(origin))
    for zone in ZONES:
        text = git(origin.bare, "show", f"main:{zone}")
        assert text.count("; the end") == text.count("; people") == 1


ACKS = pytest.mark.parametrize("ack", ["push", "memory"])


@ACKS
def test_what_was_acknowledged_before_a_kill_is_in_git_or_was_never_said_to_be(ack: str, origin: Origin) -> None:
    kills(origin, 2, 1, ack)


@takes_minutes
@pytest.mark.timeout(1800)
@ACKS
def test_many_kills(ack: str, origin: Origin) -> None:
    kills(origin, 12, 2, ack)


@contextlib.contextmanager
def moody(base: str) -> Iterator[tuple[str, dict[str, int]]]:
    """A way to the daemon at `base` that stalls or breaks off as many conversations as the table says."""
    port = int(base.rpartition(":")[2])
    moods = {"break off": 0, "stall": 0}
    open_ends: list[socket.socket] = []

    def forward(source: socket.socket, target: socket.socket) -> None:
        with contextlib.suppress(OSError):
            with contextlib.suppress(ConnectionResetError):  # which ends it as well as an end does
                while data := source.recv(1 << 16):
                    target.sendall(data)
            target.shutdown(socket.SHUT_WR)

    def accept() -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = listener.accept()
                open_ends.append(client)
                if moods["break off"]:
                    moods["break off"] -= 1
                    client.close()
                elif moods["stall"]:
                    moods["stall"] -= 1
                else:
                    server = socket.create_connection((current().here, port))
                    open_ends.append(server)
                    for pair in ((client, server), (server, client)):
                        threading.Thread(target=forward, args=pair, daemon=True).start()

    with socket.create_server((current().here, 0)) as listener:
        threading.Thread(target=accept, daemon=True).start()
        yield f"git://{current().here}:{listener.getsockname()[1]}", moods
        listener.shutdown(socket.SHUT_RDWR)
        for end in open_ends:
            end.close()


def test_a_git_server_that_breaks_off_fails_the_update_and_the_next_one_goes_through(origin: Origin) -> None:
    with (
        daemon(origin.folder) as real,
        moody(real) as (base, moods),
        serve(f"--remote={base}/{origin.bare.name}", "--poll=1h") as server,
    ):
        moods["break off"] = 1
        assert add(server, 0) == "SERVFAIL"
        assert in_git(origin) == []
        assert in_service(server) == set()
        assert add(server, 0) == "NOERROR"
        assert in_git(origin) == ["update0"]


@pytest.mark.slow
def test_a_git_server_that_stalls_holds_up_updates_and_no_answers(origin: Origin) -> None:
    with (
        daemon(origin.folder) as real,
        moody(real) as (base, moods),
        serve(f"--remote={base}/{origin.bare.name}", "--poll=1h") as server,
    ):
        moods["stall"] = 1
        with ThreadPoolExecutor(1) as pool:
            waiting = pool.submit(add, server, 0)
            eventually(lambda: moods["stall"] == 0)
            assert in_service(server) == set()
            assert not waiting.done()
            assert waiting.result() == "SERVFAIL"
        assert in_git(origin) == []
        assert add(server, 0) == "NOERROR"


def test_too_many_updates_of_one_client_are_refused_and_logged(origin: Origin) -> None:
    lock = origin.bare / "refs" / "heads" / "main.lock"
    with serve(f"--remote={origin.bare}", "--poll=1h", "--tcp-per-client=200") as server:
        lock.touch()  # nothing can be pushed for a while
        with ThreadPoolExecutor(80) as pool:
            replies = [pool.submit(add, server, number) for number in range(80)]
            found = server.wait_for("too many updates at once")
            lock.unlink()
            rcodes = [reply.result() for reply in replies]
        assert found["client"].startswith(f"{current().here}:")
        refused = rcodes.count("SERVFAIL")
        assert 0 < refused <= 80
        assert len(in_git(origin)) == 80 - refused
        assert send(server, updated()).rcode() == dns.rcode.NOERROR


def test_with_memory_an_update_is_served_before_it_is_pushed_and_undone_when_it_is_refused(origin: Origin) -> None:
    hook = origin.bare / "hooks" / "pre-receive"
    with daemon(origin.folder) as real, moody(real) as (base, moods):
        url = f"--remote={base}/{origin.bare.name}"
        with serve(url, polling(), "--update-ack=memory") as server:
            moods["break off"] = 1000
            assert add(server, 0) == "NOERROR"
            assert in_service(server) == {"update0"}
            assert in_git(origin) == []
            server.wait_for("changes are served and not pushed yet")
            server.hang_up()  # a sync that fails leaves it in service
            server.wait_for("sync failed")
            assert in_service(server) == {"update0"}
            moods["break off"] = 0
            eventually(lambda: in_git(origin) == ["update0"])
            hook.write_text("#!/bin/sh\nexit 1\n")
            hook.chmod(0o755)
            assert add(server, 1) == "NOERROR"
            server.wait_for("a change that was acknowledged is undone")
            eventually(lambda: in_service(server) == {"update0"})
            hook.unlink()
            assert add(server, 2) == "NOERROR"
            eventually(lambda: sorted(in_git(origin)) == ["update0", "update2"])
            assert in_service(server) == {"update0", "update2"}


def test_with_memory_what_is_pending_is_pushed_before_the_server_ends(origin: Origin) -> None:
    with serve(f"--remote={origin.bare}", "--poll=1h", "--update-ack=memory") as server:
        assert [add(server, number) for number in range(5)] == ["NOERROR"] * 5
    assert len(in_git(origin)) == 5
