"""The disk with a virtio image on it, started by SeaBIOS and by OVMF as a machine starts from its disk."""

import shutil
from pathlib import Path

import dns.message
import dns.query
import pytest

from dns_build import disk
from dns_build.image import Image
from tests.support import debian, disks, images, qemu, qmp, trees
from tests.support.servers import free_port

PARAMETERS = "--ipv4=10.0.2.15/24 --ipv4-gateway=10.0.2.2 --ipv6=none --name=from-disk"


@pytest.fixture(scope="module")
def baked(tmp_path_factory: pytest.TempPathFactory) -> Image:
    zones = tmp_path_factory.mktemp("zones")
    (zones / "baked.test").write_bytes(trees.zone_text(1, "www A 192.0.2.1"))
    return images.build("virtio", tmp_path_factory.mktemp("image"), baked=zones)


def firmware(name: str, folder: Path) -> list[str]:
    """Options of QEMU for the firmware; SeaBIOS needs none."""
    if name == "SeaBIOS":
        return []
    files = debian.need("ovmf").root / "usr" / "share" / "OVMF"
    variables = shutil.copy(files / "OVMF_VARS_4M.fd", folder / "variables")
    flash = "if=pflash,format=raw"
    return ["-drive", f"{flash},readonly=on,file={files / 'OVMF_CODE_4M.fd'}", "-drive", f"{flash},file={variables}"]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "device"),
    [
        ("SeaBIOS", "virtio-net-pci"),
        ("OVMF", "virtio-net-pci"),
        ("OVMF", "virtio-net-pci,vectors=0"),  # no message-signalled interrupts: it is looked at now and then
    ],
)
def test_serves_from_its_disk_until_the_power_button(name: str, device: str, baked: Image, tmp_path: Path) -> None:
    path = disk.write(baked.path, tmp_path / "disk", tmp_path, PARAMETERS, disks.tools())
    port = free_port()
    command = qemu.firmware_command(
        "q35",
        *firmware(name, tmp_path),
        *(
            "-cpu",
            "max",
            "-netdev",
            f"user,id=n,hostfwd=udp:127.0.0.1:{port}-:53",
            "-device",
            f"{device},netdev=n",
        ),
        *("-drive", f"if=none,id=d,format=raw,file={path}", "-device", "virtio-blk-pci,drive=d"),
        *qmp.options(tmp_path),
        memory_mb=256,  # of which OVMF takes most for itself
    )
    with qemu.running(command) as console:
        console.wait_for(" ready ")
        query = dns.message.make_query("id.server", "TXT", "CH")
        answer = dns.query.udp(query, "127.0.0.1", port=port, timeout=qemu.TIMEOUT_S)
        assert '"from-disk"' in answer.answer[0].to_text()
        console.wait_for("disk is no cache")
        with qmp.monitor(tmp_path) as monitor:  # ACPI's tables were found
            monitor.execute("system_powerdown")
            console.wait_for("unizone: exit 0")
            monitor.wait_for("SHUTDOWN")
