import asyncio
import contextlib
import os
import ssl
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.support.git import Manner, Origin, certificate, daemon, git, old_daemon, web
from zones.git.errors import GitError, Stage
from zones.git.limits import DEFAULT_LIMITS, Limits
from zones.git.remote import open_remote
from zones.git.url import parse_url
from zones.tree import Tree

TIMEOUT_S = 60

FILES = {"example.com": b"one\n", "inc/deep/hosts": b"hosts\n", "empty": b"", "big": os.urandom(300_000)}
MANNERS = [
    Manner(),
    Manner(compress=True),
    Manner(chunked=True),
    Manner(close=True),
    Manner(version_0=True),
    Manner(compress=True, chunked=True, version_0=True),
]


@pytest.fixture
def origin(tmp_path: Path) -> Origin:
    return Origin(tmp_path)


def fetch(url: str, tls: ssl.SSLContext | None = None, limits: Limits = DEFAULT_LIMITS) -> Tree:
    """Fetch; the state before and after agrees with what was fetched."""

    async def run() -> Tree:
        async with asyncio.timeout(TIMEOUT_S):
            remote = open_remote(parse_url(url), limits, tls)
            state = await remote.state()
            version = await remote.fetch()
            assert version.state == state
            return version.tree

    return asyncio.run(run())


def content(tree: Tree) -> dict[str, bytes]:
    return {entry.path: tree.read(entry.path) for entry in tree.entries()}


@contextlib.contextmanager
def on_disk(folder: Path) -> Iterator[str]:
    yield str(folder)


SERVERS = [daemon, web, on_disk]
Serve = Callable[[Path], contextlib.AbstractContextManager[str]]


@pytest.mark.parametrize("serve", SERVERS)
def test_a_commit_is_fetched_with_all_its_files(serve: Serve, origin: Origin) -> None:
    commit = origin.push(FILES, "subject\n\nUnizone-Allow: removal\n")
    with serve(origin.folder) as base:
        tree = fetch(f"{base}/zones.git")
    assert content(tree) == FILES
    assert tree.revision == commit
    assert "\nUnizone-Allow: removal\n" in tree.message
    listed = dict(line.split("\t")[::-1] for line in git(origin.bare, "ls-tree", "-r", "main").splitlines())
    assert {entry.path: entry.blob for entry in tree.entries()} == {
        path: line.split()[2] for path, line in listed.items()
    }
    with pytest.raises(FileNotFoundError):
        tree.read("missing")


@pytest.mark.parametrize("manner", MANNERS, ids=str)
def test_every_manner_of_web_servers(manner: Manner, origin: Origin) -> None:
    origin.push(FILES)
    with web(origin.folder, manner) as base:
        assert content(fetch(f"{base}/zones.git")) == FILES


def test_protocol_versions_0_and_1_over_a_daemon(origin: Origin) -> None:
    origin.push(FILES)
    for version in ("0", "1"):
        with old_daemon(origin.folder, version) as base:
            assert content(fetch(f"{base}/zones.git#main")) == FILES


def test_the_fragment_names_branch_tag_or_ref(origin: Origin) -> None:
    first = origin.push({"a": b"1"})
    git(origin.work, "tag", "light")
    git(origin.work, "tag", "--annotate", "--message", "m", "heavy")
    git(origin.work, "push", "--quiet", "--tags", "origin")
    second = origin.push({"a": b"2"}, branch="other/branch")
    git(origin.work, "push", "--quiet", "origin", "HEAD:refs/special/x", "HEAD:refs/heads/main2")
    for serve in SERVERS:
        with serve(origin.folder) as base:
            url = f"{base}/zones.git"
            assert fetch(url).revision == first
            assert fetch(f"{url}#main").revision == first
            assert fetch(f"{url}#light").revision == first
            assert fetch(f"{url}#heavy").revision == first
            assert fetch(f"{url}#other/branch").revision == second
            assert fetch(f"{url}#refs/special/x").revision == second


def test_head_follows_the_default_branch(origin: Origin) -> None:
    origin.push({"a": b"1"})
    trunk = origin.push({"a": b"2"}, branch="trunk")
    git(origin.bare, "symbolic-ref", "HEAD", "refs/heads/trunk")
    for serve in SERVERS:
        with serve(origin.folder) as base:
            assert fetch(f"{base}/zones.git").revision == trunk


@pytest.mark.parametrize("serve", SERVERS)
def test_a_missing_branch_an_empty_repository_and_no_repository(serve: Serve, origin: Origin) -> None:
    with serve(origin.folder) as base:
        with pytest.raises(GitError, match="no commit on its HEAD; push a first commit"):
            fetch(f"{base}/zones.git")
        origin.push({"a": b"1"})
        with pytest.raises(GitError, match="no branch or tag none") as caught:
            fetch(f"{base}/zones.git#none")
        assert caught.value.stage is Stage.REFS
        assert caught.value.hint
        with pytest.raises(GitError):
            fetch(f"{base}/nothing.git")


@pytest.mark.parametrize("serve", SERVERS)
def test_force_push_deletion_and_recreation_of_the_branch(serve: Serve, origin: Origin) -> None:
    origin.push({"a": b"1"})
    origin.push({"a": b"2"})
    with serve(origin.folder) as base:
        url = f"{base}/zones.git#main"
        git(origin.work, "reset", "--quiet", "--hard", "HEAD~1")
        forced = origin.push({"a": b"forced"})
        assert fetch(url).revision == forced
        git(origin.bare, "update-ref", "-d", "refs/heads/main")
        with pytest.raises(GitError, match="no branch or tag main"):
            fetch(url)
        git(origin.work, "checkout", "--quiet", "--orphan", "fresh")
        assert fetch_after_push(origin, url) == {"b": b"fresh"}


def fetch_after_push(origin: Origin, url: str) -> dict[str, bytes]:
    origin.push({"b": b"fresh"})
    return content(fetch(url))


@pytest.mark.parametrize("serve", SERVERS)
def test_links_and_submodules_are_left_alone_and_odd_names_are_kept(serve: Serve, origin: Origin) -> None:
    origin.push({"a": b"1"})
    blob = git(origin.work, "hash-object", "-w", "--stdin", stdin=b"a")
    records = [
        f"100644 {blob}\ta".encode(),
        f"100755 {blob}\tscript".encode(),
        f"120000 {blob}\tlink".encode(),
        f"160000 {'1' * 40}\tmodule".encode(),
        f"100644 {blob}\t".encode() + b"\xff\xfe.example",
        f"100644 {blob}\tb\xc3\xbccher".encode("latin-1"),
    ]
    git(origin.work, "update-index", "-z", "--index-info", stdin=b"".join(record + b"\0" for record in records))
    git(origin.work, "commit", "--quiet", "--message", "odd")
    git(origin.work, "push", "--quiet", "origin", "HEAD:main")
    with serve(origin.folder) as base:
        tree = fetch(f"{base}/zones.git")
    assert content(tree) == {"a": b"a", "script": b"a", "\udcff\udcfe.example": b"a", "bücher": b"a"}


def test_history_is_not_fetched(origin: Origin) -> None:
    for number in range(30):
        origin.push({"a": os.urandom(50_000), "b": b"%d" % number})
    limits = Limits(pack=100_000)
    for serve in (daemon, web):
        with serve(origin.folder) as base:
            assert content(fetch(f"{base}/zones.git", limits=limits)).keys() == {"a", "b"}


def test_a_pack_of_deltas(origin: Origin) -> None:
    base_text = os.urandom(40_000)
    files = {f"zone{number}": base_text + b"%d" % number for number in range(40)}
    origin.push(files)
    git(origin.bare, "repack", "-a", "-d", "-f", "--quiet", "--depth=200", "--window=50")
    for serve in SERVERS:
        with serve(origin.folder) as base:
            assert content(fetch(f"{base}/zones.git", limits=Limits(pack=400_000))) == files


def test_a_repository_with_alternates_packed_refs_and_a_work_tree(origin: Origin) -> None:
    commit = origin.push(FILES)
    git(origin.folder, "clone", "--quiet", "--shared", "--bare", str(origin.bare), "shared.git")
    git(origin.folder / "shared.git", "pack-refs", "--all")
    for path in (origin.folder / "shared.git", origin.work):
        tree = fetch(str(path))
        assert (tree.revision, content(tree)) == (commit, FILES)


def test_https_with_a_certificate_that_is_trusted(origin: Origin) -> None:
    commit = origin.push(FILES)
    with certificate(origin.folder) as (server, client), web(origin.folder, tls=server) as base:
        assert fetch(f"{base}/zones.git", client).revision == commit
        with pytest.raises(GitError, match="certificate is refused") as caught:
            fetch(f"{base}/zones.git")
        assert caught.value.stage is Stage.CONNECT


def test_https_with_a_certificate_of_another_name(origin: Origin) -> None:
    origin.push(FILES)
    with (
        certificate(origin.folder, "other.example") as (server, client),
        web(origin.folder, tls=server) as base,
        pytest.raises(GitError, match="certificate is refused"),
    ):
        fetch(f"{base}/zones.git", client)


def test_user_and_password_come_from_the_url_and_are_masked(origin: Origin) -> None:
    commit = origin.push(FILES)
    with web(origin.folder, Manner(userinfo="me:s:cret")) as base:
        assert fetch(f"{base.replace('//', '//me:s%3Acret@')}/zones.git").revision == commit
        for userinfo in ("", "me:wrong@"):
            with pytest.raises(GitError, match="401") as caught:
                fetch(f"{base.replace('//', f'//{userinfo}')}/zones.git")
            assert "wrong" not in str(caught.value)
            assert "user:token@" in caught.value.hint


def test_redirects_stay_on_the_host(origin: Origin) -> None:
    commit = origin.push(FILES)
    with web(origin.folder) as base:
        assert fetch(f"{base}/moved/zones.git").revision == commit
        with pytest.raises(GitError, match="another host"):
            fetch(f"{base}/elsewhere/zones.git")
        with pytest.raises(GitError, match="more than 5 times"):
            fetch(f"{base}/circle/zones.git")


def test_nobody_listens() -> None:
    with pytest.raises(GitError, match="connection refused; is the git server running") as caught:
        fetch("git://127.0.0.1:1/zones.git")
    assert caught.value.stage is Stage.CONNECT
    assert "git://127.0.0.1:1/zones.git" in str(caught.value)


def test_sha256_repositories_are_refused_with_a_reason(tmp_path: Path) -> None:
    git(tmp_path, "init", "--quiet", "--bare", "--object-format=sha256", "--initial-branch=main", "zones.git")
    tree = git(tmp_path / "zones.git", "mktree", stdin=b"")
    commit = git(tmp_path / "zones.git", "commit-tree", tree, "-m", "x")
    git(tmp_path / "zones.git", "update-ref", "refs/heads/main", commit)
    for serve in (daemon, web):
        with serve(tmp_path) as base, pytest.raises(GitError, match="object format sha256"):
            fetch(f"{base}/zones.git")
