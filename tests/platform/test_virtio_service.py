"""The service as a virtual machine: own stack, DHCP, zones from a real git daemon, answers, a push that it follows."""

import tarfile
from collections.abc import Iterator
from pathlib import Path

import dns.message
import dns.query
import pytest

from dns_build.image import Image
from tests.support import following, git, images, qemu, trees
from tests.support.servers import free_port

MACHINES = {"q35": "virtio-net-pci", "microvm": "virtio-net-device"}


@pytest.fixture(scope="module")
def baked(tmp_path_factory: pytest.TempPathFactory) -> Image:
    zones = tmp_path_factory.mktemp("zones")
    (zones / "baked.test").write_bytes(trees.zone_text(1, "www A 192.0.2.1"))
    return images.build("virtio", tmp_path_factory.mktemp("image"), baked=zones)


@pytest.fixture
def origin(tmp_path: Path) -> Iterator[tuple[git.Origin, str]]:
    with following.repository(tmp_path) as found:
        yield found


def start(image: Image, machine: str, port: int, parameters: str) -> list[str]:
    forward = ",".join(f"hostfwd={transport}:127.0.0.1:{port}-:53" for transport in ("udp", "tcp"))
    network = ["-netdev", f"user,id=n,{forward}", "-device", f"{MACHINES[machine]},netdev=n"]
    return qemu.command(image.path, machine, "-cpu", "max", *network, parameters=parameters)


@pytest.mark.slow
@pytest.mark.parametrize("machine", MACHINES)
def test_fetches_zones_answers_and_follows_a_push(machine: str, baked: Image, origin: tuple[git.Origin, str]) -> None:
    repository, url = origin
    port = free_port()
    with qemu.running(start(baked, machine, port, f"--remote={url} --poll=1s")) as console:
        assert "fetched" in console.wait_for("fetched|sync failed")  # no attempt before there is an address
        following.follow_a_push(console, port, repository)


@pytest.mark.slow
def test_serves_what_its_disk_kept_when_the_remote_is_away(origin: tuple[git.Origin, str], tmp_path: Path) -> None:
    repository, url = origin
    image = images.build("virtio", tmp_path / "image")
    disk = tmp_path / "disk"
    disk.write_bytes(bytes(1 << 21))
    drive = ["-drive", f"if=none,id=d,format=raw,file={disk}", "-device", "virtio-blk-pci,drive=d"]
    port = free_port()
    with qemu.running([*start(image, "q35", port, f"--remote={url} --poll=1s"), *drive]) as console:
        console.wait_for("disk is the cache")
        console.wait_for(" cached ")
        broken = repository.push({"pushed.test": b"@ SOA nonsense\n"})
        console.wait_for(f"cached .*commit={broken}")
    away = "git://127.0.0.1:1/zones.git"  # of the machine itself, which has no git server
    with qemu.running([*start(image, "q35", port, f"--remote={away}"), *drive]) as console:
        console.wait_for(f"zones in service .*commit={broken} zones=1")
        console.wait_for("sync failed")
        assert following.addresses(port, "www.pushed.test") == ["192.0.2.2"]


@pytest.mark.slow
def test_serves_what_is_baked_in_with_an_address_by_hand(baked: Image) -> None:
    port = free_port()
    parameters = f"--ipv4=10.0.2.15/24 --ipv4-gateway={qemu.GATEWAY} --ipv6=none"
    with qemu.running(start(baked, "microvm", port, parameters)) as console:
        console.wait_for(" ready ")
        assert following.addresses(port, "www.baked.test") == ["192.0.2.1"]


@pytest.mark.slow
def test_is_configured_by_a_disk_and_above_it_by_boot_parameters(baked: Image, tmp_path: Path) -> None:
    lines = ['name = "disk"', 'ipv4 = "10.0.2.15/24"', f'ipv4-gateway = "{qemu.GATEWAY}"', 'ipv6 = "none"']
    (tmp_path / "unizone.toml").write_text("\n".join(lines))
    with tarfile.open(tmp_path / "disk", "w") as archive:
        archive.add(tmp_path / "unizone.toml", "unizone.toml")
    (tmp_path / "cache").write_bytes(bytes(1 << 21))
    drives = []
    for name in ("cache", "disk"):
        drives += ["-drive", f"if=none,id={name},format=raw,file={tmp_path / name}"]
        drives += ["-device", f"virtio-blk-device,drive={name}"]
    for parameters, expected in (("", "disk"), ("--name=boot", "boot")):
        port = free_port()
        with qemu.running([*start(baked, "microvm", port, parameters), *drives]) as console:
            console.wait_for(r"configured .*disk[01]:unizone\.toml")
            console.wait_for(" ready ")
            question = dns.message.make_query("id.server", "TXT", "CH")
            answer = dns.query.udp(question, "127.0.0.1", port=port, timeout=qemu.TIMEOUT_S)
            assert answer.answer[0][0].to_text() == f'"{expected}"'
            console.wait_for("disk is the cache")


def test_bad_parameter_ends_the_machine_with_what_is_wrong(baked: Image) -> None:
    lines = qemu.run(baked.path, "microvm", "-cpu", "max", parameters="--ipv4=nonsense")
    assert any("--ipv4" in line and "nonsense" in line for line in lines)
    assert lines[-1] == "unizone: exit 64"


def test_help_lists_all_parameters_and_ends_the_machine(baked: Image) -> None:
    lines = qemu.run(baked.path, "microvm", "-cpu", "max", parameters="--help")
    assert any("--rate-limit-slip" in line for line in lines)
    assert lines[-1] == "unizone: exit 0"


def test_missing_network_device_is_named(baked: Image) -> None:
    lines = qemu.run(baked.path, "microvm", "-cpu", "max")
    assert any("no network device 0" in line for line in lines)
    assert lines[-1] == "unizone: exit 69"
