import shutil
import zlib
from pathlib import Path
from random import Random

import pytest

from tests.support.git import Origin, git
from zones.git.errors import GitError
from zones.git.local import open_revision


@pytest.fixture
def origin(tmp_path: Path) -> Origin:
    return Origin(tmp_path)


def test_every_way_to_write_a_revision(origin: Origin) -> None:
    ids = [origin.push({"example.com": b"%d" % number, "sub/file": b"x"}) for number in range(4)]
    git(origin.work, "tag", "light", ids[1])
    git(origin.work, "tag", "--annotate", "--message", "m", "heavy", ids[2])
    for revision, expected in (
        ("HEAD", 3),
        ("main", 3),
        ("refs/heads/main", 3),
        ("origin/main", 3),
        ("HEAD~2", 1),
        ("main^", 2),
        ("light", 1),
        ("heavy", 2),
        (ids[0], 0),
        (ids[0][:8], 0),
        (f"{ids[3][:10]}~1", 2),
    ):
        tree = open_revision(origin.work, revision)
        assert (tree.revision, tree.read("example.com")) == (ids[expected], b"%d" % expected), revision


def test_the_repository_may_be_bare_or_lie_above(origin: Origin) -> None:
    commit = origin.push({"example.com": b"1", "sub/file": b"x"})
    assert open_revision(origin.bare, "main").revision == commit
    assert open_revision(origin.work / "sub", "main").revision == commit


def test_what_is_no_revision_is_one_clear_error(origin: Origin, tmp_path: Path) -> None:
    origin.push({"example.com": b"1"})
    for revision in ("none", "0123456789abcdef", "HEAD~9", "", "..", "HEAD:example.com", "-x", "ä"):
        with pytest.raises(GitError, match="there is no commit"):
            open_revision(origin.work, revision)
    nowhere = tmp_path / "nowhere"
    nowhere.mkdir()
    with pytest.raises(GitError, match="no git repository"):
        open_revision(nowhere, "main")


def test_a_large_file_is_read_in_pieces_by_itself_and_in_a_pack(origin: Origin) -> None:
    content = Random(1).randbytes(3_000_000) + bytes(3_000_000)
    origin.push({"example.com": content, "small.example": b"small"})
    tree = open_revision(origin.bare, "main")
    pieces = tree.pieces("example.com")
    assert not isinstance(pieces, bytes)
    assert b"".join(pieces) == tree.read("example.com") == content
    assert tree.pieces("small.example") == b"small"
    git(origin.bare, "gc", "--quiet")
    packed = open_revision(origin.bare, "main")
    pieces = packed.pieces("example.com")
    assert not isinstance(pieces, bytes)
    shutil.rmtree(origin.bare / "objects" / "pack")  # as a gc in the meantime removes a pack
    assert b"".join(pieces) == packed.read("example.com") == content
    assert packed.read("small.example") == b"small"


def test_a_large_file_that_is_a_delta_in_its_pack_is_read(origin: Origin) -> None:
    contents = [Random(1).randbytes(2_000_000) + b"%d" % number for number in range(3)]
    commits = [origin.push({"example.com": content}) for content in contents]
    git(origin.bare, "gc", "--quiet")
    kinds = git(origin.bare, "cat-file", "--batch-all-objects", "--batch-check=%(objectsize:disk)").split()
    assert sum(int(size) > 1_000_000 for size in kinds) == 1, "the others are deltas"
    for commit, content in zip(commits, contents, strict=True):
        assert open_revision(origin.bare, commit).read("example.com") == content


def test_a_damaged_pack_is_one_clear_error(origin: Origin) -> None:
    origin.push({"example.com": Random(1).randbytes(3_000_000)})
    git(origin.bare, "gc", "--quiet")
    (pack,) = (origin.bare / "objects" / "pack").glob("*.pack")
    pack.chmod(0o600)
    octets = pack.read_bytes()
    for damaged in (octets[:1_000_000], octets[:1_000_000] + b"damage" + octets[1_000_006:]):
        pack.write_bytes(damaged)
        with pytest.raises(GitError, match="git fsck"):
            open_revision(origin.bare, "main")


def test_a_large_file_that_is_damaged_is_one_clear_error(origin: Origin) -> None:
    origin.push({"example.com": Random(1).randbytes(3_000_000)})
    blob = git(origin.bare, "rev-parse", "main:example.com")
    path = origin.bare / "objects" / blob[:2] / blob[2:]
    path.chmod(0o600)
    octets = path.read_bytes()
    stored = zlib.decompress(octets)
    for damaged in (
        octets[:1_000_000],
        octets[:1_000_000] + b"damage" + octets[1_000_006:],
        zlib.compress(stored[:-1]),
        zlib.compress(stored + b"x"),
        zlib.compress(stored[:-1] + b"x"),
    ):
        path.write_bytes(damaged)
        with pytest.raises(GitError, match=f"object {blob} is damaged"):
            open_revision(origin.bare, "main")
