import os
import subprocess
from pathlib import Path

import pytest

from zones.folder import FolderTree, blob_id, scan
from zones.slices import run_to_end
from zones.tree import Entry


def tree(folder: Path, previous: FolderTree | None = None) -> FolderTree:
    return run_to_end(scan(folder, previous))


def listed(folder: Path, previous: FolderTree | None = None) -> list[Entry]:
    return list(tree(folder, previous).entries())


def test_regular_files_with_gits_blob_ids(tmp_path: Path) -> None:
    (tmp_path / "example.com").write_bytes(b"zone\n")
    (tmp_path / "inc").mkdir()
    (tmp_path / "inc" / "common").write_bytes(b"common\n")
    (tmp_path / ".git").mkdir()
    (tmp_path / ".git" / "HEAD").write_text("ref: x")
    (tmp_path / "link").symlink_to("example.com")
    (tmp_path / "loop").symlink_to(".")
    entries = dict(listed(tmp_path))
    assert entries == {"example.com": blob_id(b"zone\n"), "inc/common": blob_id(b"common\n")}
    real = subprocess.run(
        ["git", "hash-object", tmp_path / "example.com"], capture_output=True, text=True, check=True
    ).stdout
    assert entries["example.com"] == real.strip()


def test_a_change_within_the_same_tick_of_the_clock_is_seen(tmp_path: Path) -> None:
    file = tmp_path / "example.com"
    file.write_bytes(b"1111")
    before = tree(tmp_path)
    first = list(before.entries())
    status = file.stat()
    file.write_bytes(b"2222")
    os.utime(file, ns=(status.st_atime_ns, status.st_mtime_ns))
    assert listed(tmp_path, before) != first


def test_a_file_that_stays_has_the_same_blob_and_one_that_changes_another(tmp_path: Path) -> None:
    file = tmp_path / "example.com"
    file.write_bytes(b"1111")
    settled = file.stat().st_mtime_ns - 10_000_000_000
    os.utime(file, ns=(settled, settled))
    before = tree(tmp_path)
    entries = list(before.entries())
    assert listed(tmp_path, before) == entries
    file.write_bytes(b"22222")
    assert listed(tmp_path, before) != entries


def test_reading_stays_inside_the_folder(tmp_path: Path) -> None:
    (tmp_path / "outside").write_text("secret")
    folder = tmp_path / "zones"
    folder.mkdir()
    (folder / "link").symlink_to(tmp_path / "outside")
    (folder / "sub").mkdir()
    files = tree(folder)
    for path in ("../outside", "link", str(tmp_path / "outside"), "missing", "sub", "sub/../../outside"):
        with pytest.raises(FileNotFoundError):
            files.read(path)


def test_a_missing_folder_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        tree(tmp_path / "none")


def test_names_that_are_no_utf_8_are_listed(tmp_path: Path) -> None:
    (Path(os.fsdecode(os.fsencode(tmp_path) + b"/\xff\xfe"))).write_bytes(b"x")
    ((path, _),) = listed(tmp_path)
    assert tree(tmp_path).read(path) == b"x"


def test_a_file_that_changes_while_it_is_read_in_pieces_is_not_taken(tmp_path: Path) -> None:
    file = tmp_path / "example.com"
    file.write_bytes(b"1" * 300_000)
    found = tree(tmp_path)
    assert b"".join(found.pieces("example.com")) == b"1" * 300_000
    reading = found.pieces("example.com")
    next(reading)
    with file.open("r+b") as stream:
        stream.seek(200_000)
        stream.write(b"2")
    with pytest.raises(OSError, match="changed while it was read"):
        list(reading)
    with pytest.raises(FileNotFoundError):
        found.pieces("other")
