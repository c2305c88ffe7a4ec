"""Images under real hypervisors that are emulated: zones from a git daemon, answers, a push that is followed."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support import beds, debian, following, git, images, qemu, trees
from tests.support.servers import free_port

pytestmark = [pytest.mark.slow, pytest.mark.timeout(3 * beds.TIMEOUT_S)]


@pytest.fixture(scope="module", autouse=True)
def _packages() -> None:
    try:
        beds.fetch()
    except debian.Unavailable as error:
        pytest.skip(str(error))


@pytest.fixture
def origin(tmp_path: Path) -> Iterator[tuple[git.Origin, str]]:
    with following.repository(tmp_path) as found:
        yield found


def serves(command: list[str], port: int, repository: git.Origin) -> None:
    with qemu.running(command, beds.TIMEOUT_S) as console:
        following.follow_a_push(console, port, repository, beds.TIMEOUT_S)


def test_hvt_on_kvm(tmp_path: Path, origin: tuple[git.Origin, str]) -> None:
    image = images.build("hvt", tmp_path)
    port = free_port()
    repository, url = origin
    serves(beds.kvm(tmp_path, image.path, port, f"--remote={url} --poll=1s"), port, repository)


def test_hvt_exit_code_on_kvm(tmp_path: Path) -> None:
    image = images.build("hvt", tmp_path, images.application("versions"))
    with qemu.running(beds.kvm(tmp_path, image.path, free_port(), "--a=b"), beds.TIMEOUT_S) as console:
        console.wait_for("^arguments serve --a=b$")
        console.wait_for("^tender: exit 7$")


def test_xen(tmp_path: Path, origin: tuple[git.Origin, str]) -> None:
    image = images.build("xen", tmp_path)
    port = free_port()
    repository, url = origin
    configuration = image.path.with_suffix(".xl")
    command = beds.xen(tmp_path, image.path, configuration, port, f"--remote={url} --poll=1s")
    serves(command, port, repository)


def test_xen_disk(tmp_path: Path) -> None:
    image = images.build("xen", tmp_path, images.application("disk"))
    disk = tmp_path / "disk"
    disk.write_bytes(b"hello".ljust(1 << 20, b"\0"))
    command = beds.xen(tmp_path, image.path, image.path.with_suffix(".xl"), free_port(), "", disk=disk)
    with qemu.running(command, beds.TIMEOUT_S) as console:
        console.wait_for("^disks 1$")
        console.wait_for("^sectors 2048 of 512$")
        console.wait_for("^begins with hello$")
        console.wait_for("^read back True$")
        console.wait_for("^outside 0 2049$")
        console.wait_for("bed: domain ended")
    written = disk.read_bytes()
    assert written[3 * 512 :].startswith(bytes(range(256)) * 1024)
    assert written[:5] == b"hello"


def test_xen_zones_that_its_disk_kept(tmp_path: Path, origin: tuple[git.Origin, str]) -> None:
    """What the disk says counts, and the version that it keeps is served when the remote is away."""
    repository, url = origin
    image = images.build("xen", tmp_path)
    disk = tmp_path / "disk"
    disk.write_bytes(bytes(1 << 21))
    configuration = image.path.with_suffix(".xl")
    port = free_port()
    command = beds.xen(tmp_path, image.path, configuration, port, f"--remote={url} --poll=1s", disk=disk)
    with qemu.running(command, beds.TIMEOUT_S) as console:
        console.wait_for("disk is the cache")
        commit = repository.push({"pushed.test": trees.zone_text(2, "www A 192.0.2.3")})
        console.wait_for(f"cached .*commit={commit}")
    away = "git://127.0.0.1:1/zones.git"
    with qemu.running(
        beds.xen(tmp_path, image.path, configuration, port, f"--remote={away}", disk=disk), beds.TIMEOUT_S
    ) as console:
        console.wait_for(f"zones in service .*commit={commit} zones=1")
        assert following.addresses(port, "www.pushed.test", timeout_s=beds.TIMEOUT_S) == ["192.0.2.3"]


def test_xen_shutdown(tmp_path: Path) -> None:
    zones = tmp_path / "zones"
    zones.mkdir()
    (zones / "baked.test").write_bytes(trees.zone_text(1, "www A 192.0.2.1"))
    image = images.build("xen", tmp_path, baked=zones)
    configuration = image.path.with_suffix(".xl")
    command = beds.xen(tmp_path, image.path, configuration, free_port(), "--ipv6=none", shut_down_after="leased")
    with qemu.running(command, beds.TIMEOUT_S) as console:
        console.wait_for("bed: shutdown asked")
        console.wait_for("stopping .*SIGTERM")
        console.wait_for("^unizone: exit 0$")
        console.wait_for("bed: domain ended")


def test_xen_exit_code(tmp_path: Path) -> None:
    image = images.build("xen", tmp_path, images.application("versions"))
    command = beds.xen(tmp_path, image.path, image.path.with_suffix(".xl"), free_port(), "--a=b")
    with qemu.running(command, beds.TIMEOUT_S) as console:
        console.wait_for("^arguments serve --a=b$")
        console.wait_for("^unizone: exit 7$")
