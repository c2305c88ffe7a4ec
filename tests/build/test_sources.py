"""The lock of sources, and that nothing but the pinned bytes is ever used."""

import hashlib
import tarfile
from pathlib import Path

import pytest

from dns_build import cache, sources
from dns_build.progress import BuildError
from dns_build.recipe import ROOT
from dns_build.runtime import RECIPES


@pytest.fixture
def archive(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("UNIZONE_DEBIAN_MIRROR", "file:///nowhere")
    (tmp_path / "part-1").mkdir()
    (tmp_path / "part-1" / "README").write_text("hello\n")
    path = tmp_path / "part-1.tar.gz"
    with tarfile.open(path, "w:gz") as tar:
        tar.add(tmp_path / "part-1", "part-1")
    return path


def source(archive: Path, sha256: str) -> sources.Source:
    return sources.Source(
        name="part",
        version="1",
        sha256=sha256,
        licence="ISC",
        addresses=("file:///nowhere/part-1.tar.gz", archive.as_uri()),
        debian=None,
        pypi=None,
    )


def test_every_recipe_has_a_pinned_source() -> None:
    assert sources.load().keys() == RECIPES.keys()


def test_second_address_serves_when_the_first_does_not(archive: Path, tmp_path: Path) -> None:
    good = source(archive, hashlib.sha256(archive.read_bytes()).hexdigest())
    assert (good.unpack(tmp_path / "unpacked") / "README").read_text() == "hello\n"


def test_cached_archive_is_used_without_any_address(archive: Path) -> None:
    good = source(archive, hashlib.sha256(archive.read_bytes()).hexdigest())
    cached = good.fetch()
    archive.unlink()
    assert good.fetch() == cached


def test_damaged_cache_is_fetched_again(archive: Path) -> None:
    good = source(archive, hashlib.sha256(archive.read_bytes()).hexdigest())
    good.fetch().write_bytes(b"damaged")
    assert good.fetch().read_bytes() == archive.read_bytes()


def test_other_bytes_than_the_pinned_are_refused_with_both_hashes(archive: Path) -> None:
    with pytest.raises(BuildError) as error:
        source(archive, "0" * 64).fetch()
    found = hashlib.sha256(archive.read_bytes()).hexdigest()
    assert f"sha256 is {found}, pinned is {'0' * 64}" in str(error.value)
    assert "put the archive with that sha256 at" in str(error.value)


def test_caches_stay_out_of_the_tree(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    assert not cache.folder().is_relative_to(ROOT)
