"""`--config`: folders, tars and FAT volumes that mkfs.vfat and mcopy made; what is wrong is told with its line."""

import subprocess
import tarfile
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dns_server.cli import main
from dns_server.configuration.fat import MAX_FILE, BadVolume, FatVolume
from dns_server.configuration.partitions import volumes
from dns_server.configuration.places import open_device, open_place
from tests.support import disks

TOKEN = "0123456789abcdef-token"
TOML = """\
# which server this is
name = "ns1 fra"
listen = ["192.0.2.1:53", "[2001:db8::1]:53"]
tcp-connections = 2000
poll = "5m"
http-token = "@secrets/a-long-name-of-a-token.txt"
syslog-cert = "client.pem"
"""
FILES = {
    "unizone.toml": TOML.encode(),
    "secrets/a-long-name-of-a-token.txt": f"{TOKEN}\nsecond line\n".encode(),
    "client.pem": b"-----BEGIN CERTIFICATE-----\n" + b"x" * 9000,
    "EMPTY": b"",
}


def make_folder(path: Path) -> Path:
    folder = path / "folder"
    for name, content in FILES.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    return folder


def make_tar(path: Path) -> Path:
    with tarfile.open(path / "config.tar", "w") as archive:
        archive.add(make_folder(path), arcname=".")
    return path / "config.tar"


def make_fat(bits: int) -> Callable[[Path], Path]:
    return lambda path: disks.volume(path, bits, sorted(make_folder(path).iterdir()))


def make_disk(label: str, kind: str) -> Callable[[Path], Path]:
    """A disk whose second partition is the volume; the first is FAT, too, and has no configuration."""

    def make(path: Path) -> Path:
        volume = make_fat(16)(path)
        disk = path / "disk.img"
        start = (2 << 20) + volume.stat().st_size
        with disk.open("wb") as opened:
            opened.seek(1 << 20)
            other = path / "other"
            other.mkdir()
            opened.write(disks.volume(other, 12, []).read_bytes())
            opened.seek(start)
            opened.write(volume.read_bytes())
            opened.truncate(start + volume.stat().st_size + (1 << 20))
        first = f"start=2048, size=2880, type={kind}"
        second = f"start={start // 512}, size={volume.stat().st_size // 512}, type={kind}"
        tree = disks.volume_tools()
        subprocess.run(
            [str(tree.path("sfdisk")), "--quiet", str(disk)],
            input=f"label: {label}\n{first}\n{second}\n",
            check=True,
            text=True,
            env=tree.environment,
        )
        return disk

    return make


GPT_BASIC_DATA = "EBD0A0A2-B9E5-4433-87C0-68B6B72699C7"
DISKS = {"mbr": make_disk("dos", "c"), "gpt": make_disk("gpt", GPT_BASIC_DATA)}
VOLUMES = {f"fat{bits}": make_fat(bits) for bits in (12, 16, 32)}
PLACES = {"folder": make_folder, "tar": make_tar, **VOLUMES, **DISKS}


@pytest.fixture(params=PLACES)
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    return PLACES[request.param](tmp_path)


def test_a_place_gives_parameters_and_their_files(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["config", "show", f"--config={place}", "--poll=30s"]) == 0
    lines = {line.split()[0]: line for line in capsys.readouterr().out.splitlines()}
    where = f"{place}/unizone.toml" if place.is_dir() else f"{place}:unizone.toml"
    assert lines["--name"].split("'")[1] == "ns1 fra"
    assert lines["--name"].endswith(f"{where}:2")
    assert "'192.0.2.1:53,[2001:db8::1]:53'" in lines["--listen"]
    assert "'2000'" in lines["--tcp-connections"]
    assert lines["--poll"].endswith("command line")
    assert "'***'" in lines["--http-token"]
    assert lines["--http-token"].endswith(":6")
    assert "'client.pem'" in lines["--syslog-cert"]
    assert TOKEN not in "".join(lines.values())


def test_files_have_their_content(place: Path) -> None:
    opened = open_place(place)
    for name, content in FILES.items():
        assert opened.read(name) == content
        for _ in range(2):  # as often as one likes
            assert Path(opened.path(name)).read_bytes() == content
    with pytest.raises(ValueError, match="nothing"):
        opened.read("nothing")


class Device:
    """A disk of 512-octet sectors."""

    sector_size = 512

    def __init__(self, octets: bytes) -> None:
        self._octets = octets
        self.sectors = len(octets) // 512

    def read(self, sector: int, count: int) -> bytes:
        if sector + count > self.sectors:
            raise ValueError("outside the device")
        return self._octets[sector * 512 : (sector + count) * 512]

    def write(self, sector: int, data: object) -> None:
        raise AssertionError("a configuration is never written")

    def flush(self) -> None:
        raise AssertionError("a configuration is never written")


@pytest.mark.parametrize("kind", ["tar", "fat12", "fat32", "mbr", "gpt"])
def test_a_block_device_is_read_as_a_file_is(kind: str, tmp_path: Path) -> None:
    octets = PLACES[kind](tmp_path).read_bytes()
    opened = open_device("disk", Device(octets + bytes(-len(octets) % 512)))
    assert {name: opened.read(name) for name in FILES} == FILES
    assert opened.locate("unizone.toml") == "disk:unizone.toml"


@pytest.mark.parametrize("kind", ["tar", "fat16", "mbr", "gpt"])
def test_a_block_device_of_the_host(kind: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    image = PLACES[kind](tmp_path)
    with image.open("r+b") as opened:
        opened.truncate(-(-image.stat().st_size // 512) * 512)  # a tar need not end with a sector
    try:
        found = subprocess.run(["losetup", "--find", "--show", "--read-only", image], capture_output=True, text=True)
    except FileNotFoundError:
        pytest.skip("losetup is not on this machine")
    if found.returncode:
        pytest.skip(f"there are no loop devices here: {found.stderr.strip()}")
    device = found.stdout.strip()
    try:
        assert main(["config", "show", f"--config={device}"]) == 0
    finally:
        subprocess.run(["losetup", "--detach", device], check=True)
    assert f"{device}:unizone.toml:2" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("toml", "message"),
    [
        ("name = 'a'\npoll = '60'\n", "bad parameter --poll=60 ({where}:2): expected a number with its unit"),
        (
            "\n\nlistne = '127.0.0.1:53'\n",
            "bad parameter --listne ({where}:3): there is no such parameter; did you mean",
        ),
        ("name = 'a'\nfrobnicate = 1\n", "bad parameter --frobnicate ({where}:2): there is no such parameter"),
        ("name = [1]\n", "bad parameter --name ({where}:1): expected a text or a number"),
        ("poll = true\n", "bad parameter --poll ({where}:1): expected a text or a number"),
        ("[logs]\nlevel = 'debug'\n", "bad parameter --logs ({where}:1): expected a text or a number"),
        ("name 'a'\n", "bad configuration: {where}:1:6: Expected '='"),
        ("name = 'a'\nname = 'b'\n", "bad configuration: {where}:2:"),
        ("config = '/etc'\n", "bad parameter --config ({where}:1): a configuration can't name another one"),
        ("http-token = '@nothing'\n", "bad parameter --http-token=*** ({where}:1): nothing can't be read"),
        ("tls-cert = 'nothing.pem'\n", "bad parameter --tls-cert=nothing.pem ({where}:1): it can't be read"),
        ("http-token = 'short'\n", "bad parameter --http-token=*** ({where}:1): expected at least 16"),
    ],
)
def test_what_is_wrong_is_told_with_its_line(
    toml: str, message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "unizone.toml").write_text(toml)
    assert main(["config", "show", f"--config={tmp_path}"]) == 64
    printed = capsys.readouterr().err
    assert message.format(where=tmp_path / "unizone.toml") in printed
    assert "Traceback" not in printed
    assert "short" not in printed


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (None, "No such file or directory"),
        (b"", "neither a tar nor a FAT volume"),
        (b"x" * 600, "neither a tar nor a FAT volume"),
        (bytes(510) + b"\x55\xaa", "its sizes are none of FAT"),
        (
            bytes(450) + b"\x0c" + bytes(3) + b"\x01" + bytes(3) + b"\x01" + bytes(51) + b"\x55\xaa" + bytes(5000),
            "in the partition at octet 512, it has no boot sector of a FAT volume",
        ),
        (bytes(257) + b"ustar" + b"x" * 1000, "can't be read as a tar"),
    ],
)
def test_a_place_that_is_none(
    content: bytes | None, problem: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "config"
    if content is not None:
        path.write_bytes(content)
    assert main(["config", "show", f"--config={path}"]) == 64
    assert problem in capsys.readouterr().err


def test_a_folder_without_the_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["config", "show", f"--config={tmp_path}"]) == 64
    assert f"{tmp_path}/unizone.toml: unizone.toml can't be read: No such file" in capsys.readouterr().err


def test_volumes_without_the_file_are_none(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "notes").write_text("nothing")
    volume = disks.volume(tmp_path, 12, [tmp_path / "notes"])
    assert main(["config", "show", f"--config={volume}"]) == 64
    assert "has no unizone.toml in the top folder of a FAT volume" in capsys.readouterr().err


def test_a_volume_may_hold_large_files_beside(tmp_path: Path) -> None:
    (tmp_path / "image").write_bytes(bytes(MAX_FILE + 1))
    folder = make_folder(tmp_path)
    volume = disks.volume(tmp_path, 16, [tmp_path / "image", *sorted(folder.iterdir())])
    opened = open_place(volume)
    assert {name: opened.read(name) for name in FILES} == FILES
    with pytest.raises(ValueError, match="no file image of at most 1048576 octets"):
        opened.read("image")


@dataclass(frozen=True, repr=False)
class Volume:
    octets: bytes


@pytest.fixture(scope="module")
def volume(tmp_path_factory: pytest.TempPathFactory) -> Volume:
    return Volume(make_fat(12)(tmp_path_factory.mktemp("volume")).read_bytes())


@given(data=st.data())
@settings(max_examples=150, deadline=None)
def test_spoiled_volumes_are_read_or_refused(volume: Volume, data: st.DataObject) -> None:
    spoiled = bytearray(volume.octets)
    used = 40 * 512  # boot sector, tables, root folder, first clusters
    for _ in range(data.draw(st.integers(1, 30))):
        spoiled[data.draw(st.integers(0, used - 1))] = data.draw(st.integers(0, 255))
    octets = bytes(spoiled[: data.draw(st.sampled_from([len(spoiled), 20 * 512, 1000]))])
    try:
        files = FatVolume(lambda start, size: octets[start : start + size]).files()
    except BadVolume:
        return
    assert all(len(content) <= MAX_FILE for content in files.values())


HEAD = 1024 + 128 * 128
"""Octets of both partition tables."""


@pytest.fixture(scope="module", params=DISKS)
def disk(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Volume:
    return Volume(DISKS[request.param](tmp_path_factory.mktemp("disk")).read_bytes())


@given(data=st.data())
@settings(max_examples=100, deadline=None)
def test_spoiled_partition_tables_are_read_or_refused(disk: Volume, data: st.DataObject) -> None:
    spoiled = bytearray(disk.octets[:HEAD])
    for _ in range(data.draw(st.integers(1, 10))):
        spoiled[data.draw(st.integers(440, 1664))] = data.draw(st.integers(0, 255))
    if data.draw(st.booleans()):  # as who means it would
        entries = zlib.crc32(spoiled[1024:HEAD])
        spoiled[512 + 88 : 512 + 92] = entries.to_bytes(4, "little")
        header = zlib.crc32(spoiled[512:528] + bytes(4) + spoiled[532 : 512 + 92])
        spoiled[528:532] = header.to_bytes(4, "little")

    def read(start: int, size: int) -> bytes:
        return bytes(spoiled[start : start + size]) + disk.octets[max(start, HEAD) : start + size]

    try:
        found = [volume.files() for volume in volumes(read)]
    except BadVolume:
        return
    assert all(set(files) <= set(FILES) for files in found)
