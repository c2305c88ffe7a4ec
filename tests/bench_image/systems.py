"""What is started in the machines: an image, and Linux kernels with busybox and NSD, with the same zones."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from dns_build.recipe import ROOT
from tests.bench_image import small_nsd, tiny
from tests.support import debian, nested

ZONES: Final = ROOT / "dns_server" / "example_zones"
_ORIGINS: Final = ("garden.example", "2.0.192.in-addr.arpa")
OURS: Final = "unizone"
DEBIAN: Final = "Debian kernel + NSD"
CLOUD: Final = "Debian cloud kernel + NSD"
TINY: Final = "tiny kernel + NSD"
STATIC: Final = "tiny kernel + static NSD"
_HERE, _GATEWAY = "10.0.2.15", "10.0.2.2"  # set by hand: how long DHCP takes is another thing

_NSD: Final = """server:
  ip-address: 0.0.0.0
  server-count: 1
  username: ""
  chroot: ""
  zonesdir: "/zones"
  pidfile: ""
  database: ""
  xfrdfile: "/tmp/xfrd"
  zonelistfile: "/tmp/zones"
  rrl-size: 1000
  rrl-ratelimit: 0
remote-control:
  control-enable: no
"""
# The archive's files are of 1970, and NSD does not load a zone file that is no newer than that.
_INIT: Final = f"""
touch /zones/*
for module in /lib/modules/*.ko; do insmod $module; done
ip link set lo up
ip address add {_HERE}/24 dev eth0
ip link set eth0 up
ip route add default via {_GATEWAY}
nsd -d -c /nsd.conf
poweroff -f
"""


@dataclass(frozen=True)
class System:
    """One program to start in a machine."""

    name: str
    files: tuple[Path, ...]
    """What the machine is started from: their sizes are the system's."""
    options: tuple[str, ...]
    """Options of QEMU."""
    machines: tuple[str, ...]
    memories_mb: Sequence[int]
    """Sizes to try for the least memory, in rising order."""


def ours(image: Path) -> System:
    """An image with the zones baked in."""
    line = f"--ipv4={_HERE}/24 --ipv4-gateway={_GATEWAY} --ipv6=none --rate-limit=10000000"
    options = ("-kernel", str(image), "-append", line)
    return System(OURS, (image,), options, ("microvm", "q35"), range(14, 65, 2))


def rivals(folder: Path) -> Iterator[System]:
    """Linux with NSD, whose archives go to `folder`. debian.Unavailable."""
    for name, package in ((DEBIAN, nested.KERNEL), (CLOUD, "linux-image-cloud-amd64")):
        kernel, archive = nested.vmlinux(package), folder / f"{package}.cpio"
        archive.write_bytes(nested.archive(_files(package), nested.INIT + _INIT))
        line = "console=ttyS0 mitigations=off panic=-1 quiet"
        options = ("-kernel", str(kernel), "-initrd", str(archive), "-append", line)
        yield System(name, (kernel, archive), options, ("q35",), range(40, 201, 4))


def tiny_rivals(folder: Path) -> Iterator[System]:
    """The same on a Linux that was built for it: with Debian's programs, and with nothing but NSD, built small.

    debian.Unavailable.
    """
    kernel = tiny.kernel()
    zones = [f"/zones/{origin}" for origin in _ORIGINS]
    alone = {"init": small_nsd.init(_HERE, zones), "bin/nsd": small_nsd.nsd(), **_configuration()}
    for name, content in ((TINY, nested.archive(_programs(), nested.INIT + _INIT)), (STATIC, nested.packed(alone))):
        archive = folder / f"{name}.cpio"
        archive.write_bytes(content)
        options = ("-kernel", str(kernel), "-initrd", str(archive), "-append", "mitigations=off panic=-1 quiet")
        yield System(name, (kernel, archive), options, ("q35",), range(16, 121, 2))


def _files(package: str) -> dict[str, bytes]:
    return {**nested.modules("virtio_pci", "virtio_net", package=package), **_programs()}


def _programs() -> dict[str, bytes]:
    nsd = debian.programs("nsd")
    return {**nested.programs(nsd, nsd.path("nsd")), **_configuration()}


def _configuration() -> dict[str, bytes]:
    zones = "".join(f'zone:\n  name: "{origin}"\n  zonefile: "{origin}"\n' for origin in _ORIGINS)
    return {
        "nsd.conf": (_NSD + zones).encode(),
        **{f"zones/{origin}": (ZONES / origin).read_bytes() for origin in _ORIGINS},
    }
