"""What goes wrong around a virtual machine that serves: a torn or full disk, too little memory, words for others."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from dns_build.image import Image
from tests.support import git, images, qemu, trees
from tests.support.following import addresses
from tests.support.servers import free_port

AWAY = "--remote=git://127.0.0.1:1/zones.git"  # of the machine itself, which has no git server


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> Image:
    return images.build("virtio", tmp_path_factory.mktemp("image"))


@pytest.fixture
def origin(tmp_path: Path) -> Iterator[tuple[git.Origin, str]]:
    """A repository with one zone, and the parameter that names it to the machine."""
    repository = git.Origin(tmp_path)
    repository.push({"small.test": trees.zone_text(1, "www A 192.0.2.1")})
    with git.daemon(tmp_path) as url:
        yield repository, f"--remote={qemu.seen_inside(url)}/{repository.bare.name} --poll=1s"


@contextmanager
def running(
    image: Image, port: int, parameters: str, disk: Path | None = None, memory_mb: int = 64, machine: str = "microvm"
) -> Iterator[qemu.Console]:
    bus = "device" if machine == "microvm" else "pci"
    options = ["-netdev", f"user,id=n,hostfwd=udp:127.0.0.1:{port}-:53", "-device", f"virtio-net-{bus},netdev=n"]
    if disk is not None:
        options += ["-drive", f"if=none,id=d,format=raw,file={disk}", "-device", f"virtio-blk-{bus},drive=d"]
    command = qemu.command(image.path, machine, "-cpu", "max", *options, memory_mb=memory_mb, parameters=parameters)
    with qemu.running(command) as console:
        yield console


def large_zone(records: int) -> bytes:
    return trees.zone_text(1, *(f"h{number} A 192.0.2.{number % 250}" for number in range(records)))


@pytest.mark.slow
def test_a_torn_cache_gives_what_it_held_before(image: Image, origin: tuple[git.Origin, str], tmp_path: Path) -> None:
    repository, remote = origin
    disk = tmp_path / "disk"
    disk.write_bytes(bytes(1 << 21))
    with running(image, free_port(), remote, disk) as console:
        console.wait_for(" cached ")
        first = disk.read_bytes()
        commit = repository.push({"small.test": trees.zone_text(2, "www A 192.0.2.2")})
        console.wait_for(f" cached .*commit={commit}")
    # The power went while the second one was written: its header is there, not all that it stands for.
    torn = bytearray(disk.read_bytes())
    changed = [
        number for number in range(0, len(torn), 512) if torn[number : number + 512] != first[number : number + 512]
    ]
    assert len(changed) > 1
    torn[changed[-1] : changed[-1] + 512] = bytes(512)
    disk.write_bytes(torn)
    port = free_port()
    with running(image, port, AWAY, disk) as console:
        console.wait_for("the cache was torn: what it held before is used")
        console.wait_for(" ready .* zones=1")
        assert addresses(port, "www.small.test") == ["192.0.2.1"]


@pytest.mark.slow
def test_a_full_cache_costs_nothing_but_the_cache(image: Image, origin: tuple[git.Origin, str], tmp_path: Path) -> None:
    repository, remote = origin
    disk, port = tmp_path / "disk", free_port()
    disk.write_bytes(bytes(64 << 9))
    with running(image, port, remote, disk) as console:
        console.wait_for(" cached ")
        repository.push({"small.test": trees.zone_text(2, "www A 192.0.2.2"), "large.test": large_zone(4000)})
        console.wait_for("the cache cannot be written: a restart may need the source")
        assert addresses(port, "www.small.test") == ["192.0.2.2"]
    port = free_port()
    with running(image, port, AWAY, disk) as console:
        console.wait_for(" ready .* zones=1")
        assert addresses(port, "www.small.test") == ["192.0.2.1"]


@pytest.mark.slow
@pytest.mark.parametrize("records", [200_000, 400_000], ids=["met by the parser", "met by git"])
def test_a_version_that_memory_does_not_hold_leaves_the_one_before_in_service(
    records: int, image: Image, origin: tuple[git.Origin, str]
) -> None:
    repository, remote = origin
    port = free_port()
    with running(image, port, remote, memory_mb=40) as console:
        console.wait_for(" ready ")
        repository.push({"small.test": trees.zone_text(1, "www A 192.0.2.1"), "large.test": large_zone(records)})
        console.wait_for("(zone refused|sync failed) .*there is too little memory")
        assert addresses(port, "www.small.test") == ["192.0.2.1"]
        commit = repository.push({"small.test": trees.zone_text(3, "www A 192.0.2.3")})
        console.wait_for(f"zones in service .*commit={commit}")
        assert addresses(port, "www.small.test") == ["192.0.2.3"]


@pytest.mark.slow
def test_memory_above_the_hole_below_4_gb(image: Image, origin: tuple[git.Origin, str]) -> None:
    _, remote = origin
    port = free_port()
    with running(image, port, remote, memory_mb=3072, machine="q35") as console:  # q35 has 2 GB of it below the hole
        console.wait_for(" ready ")
        assert addresses(port, "www.small.test") == ["192.0.2.1"]


@pytest.mark.slow
def test_words_for_others_are_told_and_stop_nothing(image: Image, origin: tuple[git.Origin, str]) -> None:
    _, remote = origin
    port = free_port()
    with running(image, port, f"quiet ro console=ttyS0 {remote}") as console:
        console.wait_for('words=quiet,ro,"console=ttyS0"')
        console.wait_for(" ready ")
        assert addresses(port, "www.small.test") == ["192.0.2.1"]


def test_an_unknown_parameter_ends_the_machine(image: Image) -> None:
    lines = qemu.run(image.path, "microvm", "-cpu", "max", parameters="--remot=git://192.0.2.1/zones.git")
    assert any("did you mean --remote?" in line for line in lines)
    assert lines[-1] == "unizone: exit 64"


@pytest.mark.parametrize(
    ("machine", "controller"),
    [("q35", "virtio-serial-pci"), ("q35", "virtio-serial-pci,disable-modern=on"), ("microvm", "virtio-serial-device")],
)
def test_a_virtio_console_gets_what_the_uart_gets(machine: str, controller: str, image: Image, tmp_path: Path) -> None:
    said = tmp_path / "console"
    console = ["-chardev", f"file,id=c,path={said}", "-device", controller, "-device", "virtconsole,chardev=c"]
    lines = qemu.run(image.path, machine, "-cpu", "max", *console, parameters="--ipv4=nonsense")
    assert lines[-1] == "unizone: exit 64"
    assert said.read_text().replace("\r\n", "\n").splitlines() == lines


def test_a_virtio_console_is_enough(image: Image, tmp_path: Path) -> None:
    said = tmp_path / "console"
    options = ["-chardev", f"file,id=c,path={said}", "-device", "virtio-serial-pci", "-device", "virtconsole,chardev=c"]
    command = qemu.command(image.path, "q35", "-cpu", "max", *options, parameters="--ipv4=nonsense")
    at = command.index("-serial")
    with qemu.running([*command[:at], *command[at + 2 :]]) as console:
        console.wait_until_it_ends()
    assert said.read_text().splitlines()[-1] == "unizone: exit 64"
