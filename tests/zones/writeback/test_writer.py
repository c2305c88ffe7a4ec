"""Changes written back into real repositories, beside people who push into them with real git."""

import asyncio
import contextlib
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.support.git import Manner, Origin, daemon, git, web
from tests.support.trees import zone_text
from zones import name as names
from zones import rdtypes
from zones.git.authoring import Person
from zones.git.errors import GitError
from zones.git.remote import open_remote
from zones.git.url import parse_url
from zones.rrset import RRset
from zones.slices import Sliced, run_to_end
from zones.writeback.edit import Change
from zones.writeback.place import GitPlace
from zones.writeback.transaction import NotWritten, Written
from zones.writeback.writer import Writer
from zones.zone import Zone
from zones.zonefile import parse

ORIGIN = names.from_text("example.com.")
AUTHOR = Person("key._update.example.com", "key@localhost")
TIMEOUT_S = 500
ROOT = Path(__file__).parents[3]


@dataclass(frozen=True)
class AddText:
    """Adds one string to a TXT RRset, whatever else is in it."""

    owner: str
    string: bytes
    author: Person = AUTHOR

    def changes(self, zone: Zone) -> Sliced[Sequence[Change]]:
        yield
        owner = names.from_text(self.owner, zone.origin)
        rdata = bytes([len(self.string)]) + self.string
        found = zone.rrset(owner, rdtypes.TXT)
        known = found.rdatas if found else ()
        return [Change(owner, rdtypes.TXT, RRset(owner, rdtypes.TXT, 60, (*dict.fromkeys([*known, rdata]),)))]


@dataclass(frozen=True)
class Remove:
    owner: str
    rdtype: int
    author: Person = AUTHOR

    def changes(self, zone: Zone) -> Sliced[Sequence[Change]]:
        yield
        return [Change(names.from_text(self.owner, zone.origin), self.rdtype, None)]


@contextlib.contextmanager
def on_disk(folder: Path) -> Iterator[str]:
    yield str(folder)


@contextlib.contextmanager
def old_web(folder: Path) -> Iterator[str]:
    with web(folder, Manner(chunked=True, compress=True, version_0=True)) as base:
        yield base


Serve = Callable[[Path], contextlib.AbstractContextManager[str]]
SERVERS = [daemon, web, old_web, on_disk]


@pytest.fixture
def origin(tmp_path: Path) -> Origin:
    return Origin(tmp_path)


def writer(url: str, served_serial: int | None = None) -> Writer:
    return Writer(GitPlace(open_remote(parse_url(url))), serial_of=lambda _: served_serial)


def write(url: str, transaction: AddText | Remove, served_serial: int | None = None) -> Written:
    async def run() -> Written:
        async with asyncio.timeout(TIMEOUT_S):
            return await writer(url, served_serial).write(ORIGIN, transaction)

    return asyncio.run(run())


def zone_in_git(origin: Origin, path: str = "example.com") -> Zone:
    text = git(origin.bare, "show", f"main:{path}").encode() + b"\n"
    parsed = run_to_end(parse(text, ORIGIN, path, lambda _: b""))
    assert parsed.zone is not None, parsed.findings
    return parsed.zone


def strings(zone: Zone, owner: str) -> set[bytes]:
    rrset = zone.rrset(names.from_text(owner, ORIGIN), rdtypes.TXT)
    return {rdata[1:] for rdata in rrset.rdatas} if rrset else set()


@pytest.mark.parametrize("serve", SERVERS)
def test_a_change_is_one_commit_with_its_author_and_nothing_else_changes(serve: Serve, origin: Origin) -> None:
    files = {"example.com": zone_text(7) + b"; the end\n", "other": b"x", "sub/file": b"y", "run.sh": b"#!/bin/sh"}
    origin.commit(files)
    (origin.work / "link").symlink_to("other")
    (origin.work / "run.sh").chmod(0o755)
    git(origin.work, "add", "--all")
    git(origin.work, "commit", "--quiet", "--message", "more")
    git(origin.work, "push", "--quiet", "origin", "HEAD:main")
    before = git(origin.bare, "rev-parse", "main")
    with serve(origin.folder) as base:
        written = write(f"{base}/zones.git", AddText("_acme-challenge", b"token"))
    assert git(origin.bare, "rev-parse", "main", "main^") == f"{written.commit}\n{before}"
    assert git(origin.bare, "log", "-1", "--format=%an|%cn|%s", "main") == (
        "key._update.example.com|unizone|Update example.com."
    )
    assert '+ _acme-challenge.example.com. 60 IN TXT "token"' in git(origin.bare, "log", "-1", "--format=%b", "main")
    assert git(origin.bare, "diff", "--raw", "main^", "main").split("\t")[1:] == ["example.com"]
    added = [line for line in git(origin.bare, "diff", "-U0", "main^", "main").splitlines() if line[0] in "+-"][2:]
    assert added == [
        f"-@ SOA ns1.servers.test. hostmaster.servers.test. {7} 7200 3600 1209600 300",
        f"+@ SOA ns1.servers.test. hostmaster.servers.test. {8} 7200 3600 1209600 300",
        '+_acme-challenge.example.com. 60 TXT "token"',
    ]
    git(origin.bare, "fsck", "--strict")
    assert zone_in_git(origin).serial == written.serial == 8


def test_the_serial_rises_above_the_served_one(origin: Origin) -> None:
    origin.push({"example.com": zone_text(7)})
    assert write(str(origin.bare), AddText("a", b"x"), served_serial=40).serial == 41
    assert write(str(origin.bare), AddText("a", b"y"), served_serial=9).serial == 42


def test_a_change_that_is_there_already_makes_no_commit(origin: Origin) -> None:
    commit = origin.push({"example.com": zone_text(7, 'a 60 TXT "x"')})
    assert write(str(origin.bare), AddText("a", b"x")) == (commit, 7)


@pytest.mark.parametrize(
    ("files", "transaction", "complaint"),
    [
        ({"other": b""}, AddText("a", b"x"), "no file"),
        ({"example.com": b"broken"}, AddText("a", b"x"), "broken and left alone"),
        ({"example.com": zone_text(1), "example.com.zone": zone_text(1)}, AddText("a", b"x"), "several"),
        ({"example.com": zone_text(1, "a CNAME b")}, AddText("a", b"x"), "would be refused"),
        ({"example.com": zone_text(1)}, Remove("@", rdtypes.SOA), "one SOA"),
        ({"example.com": zone_text(1, *[f"a A 192.0.2.{n}" for n in range(20)])}, Remove("a", rdtypes.A), "20 of 23"),
    ],
)
def test_what_may_not_be_written_leaves_the_repository_alone(
    origin: Origin, files: dict[str, bytes], transaction: AddText | Remove, complaint: str
) -> None:
    commit = origin.push(files)
    with pytest.raises(NotWritten, match=complaint):
        write(str(origin.bare), transaction)
    assert git(origin.bare, "rev-parse", "main") == commit


def test_a_refusal_by_a_hook_is_passed_on_with_its_reason(origin: Origin) -> None:
    commit = origin.push({"example.com": zone_text(1)})
    hook = origin.bare / "hooks" / "pre-receive"
    hook.write_text("#!/bin/sh\necho no changes on Fridays >&2\nexit 1\n")
    hook.chmod(0o755)
    for serve in (daemon, web):
        with serve(origin.folder) as base, pytest.raises(NotWritten, match=r"pre-receive hook declined.*on Fridays"):
            write(f"{base}/zones.git", AddText("a", b"x"))
    assert git(origin.bare, "rev-parse", "main") == commit


def test_a_checked_out_branch_is_not_moved_under_its_work_tree(origin: Origin) -> None:
    origin.push({"example.com": zone_text(1)})
    with pytest.raises(NotWritten, match="checked out"):
        write(str(origin.work), AddText("a", b"x"))


def test_a_server_that_does_not_let_us_push(origin: Origin) -> None:
    origin.push({"example.com": zone_text(1)})
    git(origin.bare, "config", "daemon.receivepack", "false")
    with daemon(origin.folder) as base, pytest.raises((NotWritten, GitError)):
        write(f"{base}/zones.git", AddText("a", b"x"))


@contextlib.contextmanager
def losing_reports(base: str, cuts: int) -> Iterator[str]:
    """A way to the daemon at `base` that loses what it says about the first `cuts` pushes, after they landed."""
    port = int(base.rpartition(":")[2])
    left = [cuts]

    def forward(source: socket.socket, target: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(1 << 16):
                target.sendall(data)
            target.shutdown(socket.SHUT_WR)

    def serve_one(client: socket.socket) -> None:
        with client, socket.create_connection(("127.0.0.1", port)) as server, contextlib.suppress(OSError):
            request = client.recv(1 << 16)
            server.sendall(request)
            up = threading.Thread(target=forward, args=(client, server), daemon=True)
            if b"git-receive-pack" not in request or not left[0]:
                up.start()
                forward(server, client)
                return
            left[0] -= 1
            advertisement = b""
            while not advertisement.endswith(b"0000"):
                advertisement += server.recv(1 << 16)
            client.sendall(advertisement)
            up.start()
            while server.recv(1 << 16):
                pass  # the report
            client.shutdown(socket.SHUT_RDWR)

    def accept() -> None:
        with contextlib.suppress(OSError):
            while True:
                threading.Thread(target=serve_one, args=(listener.accept()[0],), daemon=True).start()

    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=accept, daemon=True).start()
        yield f"git://127.0.0.1:{listener.getsockname()[1]}"
        listener.shutdown(socket.SHUT_RDWR)


def test_a_push_whose_report_is_lost_is_not_made_twice(origin: Origin) -> None:
    first = origin.push({"example.com": zone_text(1)})
    with daemon(origin.folder) as base, losing_reports(base, cuts=1) as lossy:
        written = write(f"{lossy}/zones.git", AddText("a", b"x"))
    assert git(origin.bare, "rev-list", "main").splitlines() == [written.commit, first]
    assert strings(zone_in_git(origin), "a") == {b"x"}


UPDATER = """
import asyncio, sys
from tests.zones.writeback.test_writer import AddText, ORIGIN, writer

async def run(url, start):
    updates = writer(url)
    for number in range(start, start + 1000):
        await updates.write(ORIGIN, AddText(f"u{number % 7}", b"update%d" % number))
        sys.stderr.write(f"{number}\\n")

asyncio.run(run(sys.argv[1], int(sys.argv[2])))
"""


def test_what_was_acknowledged_before_a_kill_is_in_git(origin: Origin) -> None:
    origin.push({"example.com": zone_text(1)})
    acknowledged: set[bytes] = set()
    with daemon(origin.folder) as base:
        for round_number in range(4):
            start = round_number * 1000
            command = [sys.executable, "-c", UPDATER, f"{base}/zones.git", str(start)]
            with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, cwd=ROOT) as process:
                assert process.stderr is not None
                for _ in range(3 + round_number):
                    acknowledged.add(b"update%d" % int(process.stderr.readline()))
                process.kill()
                acknowledged |= {b"update%d" % int(line) for line in process.stderr.read().splitlines()}
        # A push that was under way at the last kill may still land.
        written = write(f"{base}/zones.git", AddText("last", b"last"))
    zone = zone_in_git(origin)
    found = set().union(*(strings(zone, f"u{number}") for number in range(7)))
    assert acknowledged <= found
    assert len(found) <= len(acknowledged) + 4  # one that was under way at each kill
    assert strings(zone, "last") == {b"last"}
    assert written.serial == zone.serial
    assert len(git(origin.bare, "rev-list", "main").splitlines()) == 2 + len(found)
    git(origin.bare, "fsck", "--strict")


def person(origin: Origin, number: int, pushes: int, done: list[str]) -> None:
    """Somebody with a clone who edits the same zone file, and pushes until it is through."""
    clone = origin.folder / f"person{number}"
    # Not by hard links, which fail when a file of the repository comes or goes meanwhile.
    git(origin.folder, "clone", "--quiet", "--no-local", str(origin.bare), str(clone))
    for count in range(pushes):
        line = f"person{number}-{count}"
        while True:
            git(clone, "fetch", "--quiet")
            git(clone, "reset", "--quiet", "--hard", "origin/main")
            file = clone / "example.com"
            text = file.read_text()
            file.write_text(text.replace("; people\n", f'; people\n{line} TXT "by hand"\n', 1))
            git(clone, "commit", "--quiet", "--all", "--message", line)
            with contextlib.suppress(AssertionError):  # overtaken: once more
                git(clone, "push", "--quiet", "origin", "HEAD:main")
                break
        done.append(line)


def people_and_updates(serve: Serve, origin: Origin, people: int, pushes: int, updates: int) -> None:
    origin.push({"example.com": zone_text(1, "; people", "; the end"), "README": b"x"})
    by_hand: list[str] = []
    threads = [threading.Thread(target=person, args=(origin, number, pushes, by_hand)) for number in range(people)]
    acknowledged: list[tuple[bytes, Written]] = []

    async def update_all(url: str) -> None:
        writers = [writer(url), writer(url)]  # two servers that write to one repository

        async def update(number: int) -> None:
            string = b"update%d" % number
            written = await writers[number % 2].write(ORIGIN, AddText(f"u{number % 5}", string))
            acknowledged.append((string, written))

        async with asyncio.timeout(TIMEOUT_S):
            await asyncio.gather(*map(update, range(updates)))

    with serve(origin.folder) as base:
        for thread in threads:
            thread.start()
        asyncio.run(update_all(f"{base}/zones.git"))
        for thread in threads:
            thread.join()
    zone = zone_in_git(origin)
    history = set(git(origin.bare, "rev-list", "main").splitlines())
    assert len(acknowledged) == updates
    assert len(by_hand) == people * pushes
    assert all(written.commit in history for _, written in acknowledged)
    assert set().union(*(strings(zone, f"u{number}") for number in range(5))) == {name for name, _ in acknowledged}
    assert all(strings(zone, line) == {b"by hand"} for line in by_hand)
    assert len(history) == 1 + updates + people * pushes
    assert len({written.serial for _, written in acknowledged}) == updates
    text = git(origin.bare, "show", "main:example.com")
    assert text.count("; the end") == text.count("; people") == 1
    git(origin.bare, "fsck", "--strict")


@pytest.mark.parametrize("serve", [daemon, web, on_disk])
def test_pushes_of_people_and_updates_both_survive(serve: Serve, origin: Origin) -> None:
    people_and_updates(serve, origin, people=2, pushes=6, updates=12)


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_hundreds_of_pushes_and_updates_both_survive(origin: Origin) -> None:
    people_and_updates(daemon, origin, people=4, pushes=25, updates=100)
