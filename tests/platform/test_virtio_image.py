"""The virtio image on QEMU's machines: every way in, each kind of device, and how it says what is wrong."""

import re
import socket
import subprocess
import time
from pathlib import Path

import pytest

from dns_build.image import Image
from tests.support import images, qemu

MACHINES = ("q35", "pc", "microvm")
MODERN_MMIO = "virtio-net-device -global virtio-mmio.force-legacy=false"
MULTIBOOT_MAGIC = (0x1BADB002).to_bytes(4, "little")


@pytest.fixture(scope="module")
def versions(tmp_path_factory: pytest.TempPathFactory) -> Image:
    return images.build("virtio", tmp_path_factory.mktemp("versions"), images.application("versions"))


@pytest.fixture(scope="module")
def network(tmp_path_factory: pytest.TempPathFactory) -> Image:
    return images.build("virtio", tmp_path_factory.mktemp("network"), images.application("network"))


@pytest.fixture(scope="module")
def disk(tmp_path_factory: pytest.TempPathFactory) -> Image:
    return images.build("virtio", tmp_path_factory.mktemp("disk"), images.application("disk"))


@pytest.fixture(scope="module")
def crash(tmp_path_factory: pytest.TempPathFactory) -> Image:
    return images.build("virtio", tmp_path_factory.mktemp("crash"), images.application("crash"))


@pytest.fixture(params=["multiboot", "PVH"])
def started_by(request: pytest.FixtureRequest, versions: Image, tmp_path: Path) -> Path:
    """An image that QEMU starts by that protocol: it prefers multiboot, so PVH gets one without that header."""
    if request.param == "multiboot":
        return versions.path
    data = versions.path.read_bytes()
    assert data.count(MULTIBOOT_MAGIC, 0, 8192) == 1
    path = tmp_path / "pvh"
    path.write_bytes(data.replace(MULTIBOOT_MAGIC, bytes(4), 1))
    return path


@pytest.mark.parametrize("machine", MACHINES)
def test_boots_python_with_the_command_line(machine: str, started_by: Path) -> None:
    lines = qemu.run(started_by, machine, "-cpu", "max", parameters="--a=b 'c d' \"e  f\"")
    assert lines == [
        "arguments serve --a=b c d e  f",
        "python 3 13 5",
        "modules from files []",
        "unizone: exit 7",
    ]


@pytest.mark.parametrize("machine", MACHINES)
def test_switches_the_machine_off(machine: str, started_by: Path) -> None:
    # Without -no-reboot a reset would start the image again, for ever.
    arguments = [word for word in qemu.command(started_by, machine, "-cpu", "max") if word != "-no-reboot"]
    done = subprocess.run(
        arguments, env=qemu.environment(), capture_output=True, text=True, timeout=qemu.TIMEOUT_S, check=True
    )
    assert done.stdout.count("unizone: exit 7") == 1


@pytest.mark.parametrize(
    ("machine", "device"),
    [
        ("q35", "virtio-rng-pci"),
        ("q35", "virtio-rng-pci,disable-modern=on"),
        ("q35", "virtio-rng-pci,disable-legacy=on"),
        ("microvm", "virtio-rng-device"),
        ("microvm,acpi=off", "virtio-rng-device"),
    ],
)
def test_takes_entropy_from_a_device(machine: str, device: str, versions: Image) -> None:
    lines = qemu.run(versions.path, machine, "-cpu", "qemu64,-rdrand", "-device", device)
    assert lines[-1] == "unizone: exit 7"


@pytest.mark.parametrize("machine", MACHINES)
def test_refuses_to_start_without_entropy(machine: str, versions: Image) -> None:
    lines = qemu.run(versions.path, machine, "-cpu", "qemu64,-rdrand")
    assert lines[0].startswith("unizone: no source of random numbers")
    assert lines[-1] == "unizone: exit 71"


def test_too_many_parameters_are_refused(versions: Image) -> None:
    lines = qemu.run(versions.path, "q35", "-cpu", "max", parameters=" ".join(["x"] * 200))
    assert lines[0].startswith("unizone: boot parameters: more than")


def test_too_little_memory_is_refused_with_a_number(versions: Image) -> None:
    headers = subprocess.run(["readelf", "-lW", versions.path], capture_output=True, text=True, check=True).stdout
    data = [line.split() for line in headers.splitlines() if line.startswith("  LOAD")][-1]
    end = int(data[2], 16) + int(data[5], 16)
    lines = qemu.run(versions.path, "q35", "-cpu", "max", memory_mb=(end - 1) >> 20)  # the image alone does not fit
    assert re.search(r"give the machine at least \d+ MB", lines[0])


def test_panic_tells_cause_registers_and_calls(crash: Image) -> None:
    text = "\n".join(qemu.run(crash.path, "q35", "-cpu", "max"))
    assert "panic: page fault, error 0: read of 0x0" in text
    assert re.search(r"rax [0-9a-f]+ rbx", text)
    # The compiler puts what is rare of a function elsewhere: `name.cold`.
    calls = re.findall(r"^  0x[0-9a-f]+ (\w+)[\w.]*\+\d+$", text, re.MULTILINE)
    assert calls[0] == "faulthandler_read_null"
    assert {"_PyEval_EvalFrameDefault", "main", "guest_start"} <= set(calls)
    assert text.endswith("unizone: exit 70")


@pytest.mark.parametrize(
    ("machine", "device"),
    [
        ("q35", "virtio-net-pci"),
        ("q35", "virtio-net-pci,disable-modern=on"),
        ("q35", "virtio-net-pci,disable-legacy=on"),
        ("q35", "virtio-net-pci,vectors=0"),
        ("pc", "virtio-net-pci"),
        ("microvm", "virtio-net-device"),
        ("microvm", MODERN_MMIO),
        ("microvm,acpi=off", "virtio-net-device"),
        ("microvm,acpi=off", MODERN_MMIO),
    ],
)
def test_exchanges_frames(machine: str, device: str, network: Image, tmp_path: Path) -> None:
    ours, theirs = tmp_path / "ours", tmp_path / "theirs"
    mac = "52:54:00:12:34:57"
    options = [
        *("-netdev", f"dgram,id=n,local.type=unix,local.path={theirs},remote.type=unix,remote.path={ours}"),
        *("-device", f"{device.partition(' ')[0]},netdev=n,mac={mac}"),
        *device.split()[1:],
    ]
    command = qemu.command(network.path, machine, "-cpu", "max", *options)
    with (
        socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as peer,
        subprocess.Popen(command, env=qemu.environment(), stdout=subprocess.PIPE, text=True) as process,
    ):
        peer.bind(str(ours))
        peer.settimeout(qemu.TIMEOUT_S)
        assert process.stdout is not None
        before = time.time()
        assert process.stdout.readline().strip() == f"mac {mac} mtu 1500"
        wall = int(process.stdout.readline().split()[1])
        assert before - 60 <= wall <= time.time() + 60
        assert process.stdout.readline().strip() == "random True"
        assert process.stdout.readline().strip() == "ready"
        for size in (46, 1500, 47, 60, 512, 513, 1499, 100, 46, 1000):
            payload = bytes(i % 251 for i in range(size))
            peer.sendto(bytes.fromhex(mac.replace(":", "")) + b"\x02abcde" + b"\x88\xb5" + payload, str(theirs))
            assert peer.recv(4096) == b"\x02abcde" + bytes.fromhex(mac.replace(":", "")) + b"\x88\xb5" + payload
        rest = process.communicate(timeout=qemu.TIMEOUT_S)[0].split("\n")
        assert [line.strip() for line in rest][:2] == ["frames 10", "unizone: exit 0"]


@pytest.mark.parametrize(
    ("machine", "device"),
    [
        ("q35", "virtio-blk-pci"),
        ("q35", "virtio-blk-pci,disable-modern=on"),
        ("microvm", "virtio-blk-device"),
        ("microvm", MODERN_MMIO.replace("net", "blk")),
    ],
)
def test_reads_and_writes_a_disk(machine: str, device: str, disk: Image, tmp_path: Path) -> None:
    path = tmp_path / "disk"
    path.write_bytes(b"hello" + bytes((1 << 20) - 5))
    options = [
        *("-drive", f"if=none,id=d,format=raw,file={path}"),
        *("-device", f"{device.partition(' ')[0]},drive=d"),
        *device.split()[1:],
    ]
    lines = qemu.run(disk.path, machine, "-cpu", "max", *options)
    outside = ["outside 2048 1", "outside 0 2049", "outside -1 1"]
    assert lines == [
        *("disks 1", "sectors 2048 of 512", "begins with hello", "read back True"),
        *outside,
        "unizone: exit 0",
    ]
    content = path.read_bytes()
    assert content.startswith(b"hello")
    assert content[3 * 512 :] == (bytes(range(256)) * 1024).ljust(len(content) - 3 * 512, b"\0")


def test_a_disk_that_fails_is_an_error_and_no_end(disk: Image, tmp_path: Path) -> None:
    path = tmp_path / "disk"
    path.write_bytes(b"hello" + bytes((1 << 20) - 5))
    rules = tmp_path / "rules"
    rules.write_text('[inject-error]\nevent = "write_aio"\nerrno = "5"\n')
    options = ["-drive", f"if=none,id=d,format=raw,file=blkdebug:{rules}:{path},werror=report"]
    lines = qemu.run(disk.path, "q35", "-cpu", "max", *options, "-device", "virtio-blk-pci,drive=d")
    assert any("DeviceError: block device 0 can't be written" in line for line in lines)


def test_nothing_is_writable_and_executable(versions: Image) -> None:
    headers = subprocess.run(["readelf", "-lW", versions.path], capture_output=True, text=True, check=True).stdout
    assert "RWE" not in headers
    assert re.search(r"LOAD .* R E 0x", headers)


def test_two_builds_give_the_same_bytes(versions: Image, tmp_path: Path) -> None:
    assert images.build("virtio", tmp_path, images.application("versions")).sha256 == versions.sha256
