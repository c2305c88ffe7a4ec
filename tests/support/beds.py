"""Hypervisors under emulation, each in a small Linux that is nothing but a bridge to QEMU's network.

So an image asks QEMU for an address, fetches zones from the host at 10.0.2.2, and is asked at a port of the host.
"""

import gzip
from pathlib import Path

from dns_build import runtime
from dns_build.recipe import ROOT
from tests.support import debian, nested, qemu

TIMEOUT_S = 300
"""Seconds that a bed may take; an idle machine needs a tenth."""

_BRIDGE = """
for module in /lib/modules/*.ko; do insmod $module; done
brctl addbr br0
echo 0 > /sys/class/net/br0/bridge/forward_delay
brctl addif br0 eth0
ip link set eth0 up
ip link set br0 up
"""
_MODULES = ("e1000", "bridge")

_KVM = """
PYTHONHOME=/python PYTHONPATH=/ /bin/python -S -m tests.support.kvm_tender /image 64 tap0 {parameters} &
until [ -e /sys/class/net/tap0 ]; do sleep 0.1; done
brctl addif br0 tap0
ip link set tap0 up
wait $!
echo "tender: exit $?"
poweroff -f
"""


def kvm(folder: Path, image: Path, port: int, parameters: str) -> list[str]:
    """Command line of a machine that runs an hvt image on its own KVM."""
    base = runtime.locate()
    library = {
        f"python/lib/python3.13/{path.relative_to(base.stdlib)}": path.read_bytes()
        for pattern in ("*.py", "encodings/*.py", "collections/*.py", "importlib/*.py", "pathlib/*.py", "re/*.py")
        for path in sorted(base.stdlib.glob(pattern))
    }
    own = {f"tests/support/{name}.py": (ROOT / "tests" / "support" / f"{name}.py").read_bytes() for name in _TENDER}
    files = {
        **nested.modules(*_MODULES, "tun", "irqbypass", "ccp", "kvm", "kvm-amd"),
        **library,
        **own,
        "bin/python": base.interpreter.read_bytes(),
        "image": image.read_bytes(),
    }
    archive = folder / "kvm.cpio"
    archive.write_bytes(nested.archive(files, nested.INIT + _BRIDGE + _KVM.format(parameters=parameters)))
    line = "console=ttyS0 mitigations=off panic=-1 quiet"
    return _command("1024", port, "-kernel", str(nested.vmlinux()), "-initrd", str(archive), "-append", line)


def xen(
    folder: Path,
    image: Path,
    configuration: Path,
    port: int,
    parameters: str,
    *,
    disk: Path | None = None,
    shut_down_after: str = "",
) -> list[str]:
    """Command line of a machine with Xen, whose first domain starts a Xen image in one of its own, with `disk`.

    It is shut down by `xl` once the text `shut_down_after` stands on its console.
    """
    tools = debian.programs(*_XEN_PACKAGES)
    binaries = [tools.root / "usr" / "lib" / "xen-4.17" / "bin" / name for name in _XEN_PROGRAMS]
    store = [tools.root / "usr" / "bin" / name for name in ("xenstore-read", "xenstore-write")]
    files = {
        **nested.modules(*_MODULES, *_XEN_MODULES, *_DISK_MODULES),
        **nested.programs(tools, *binaries, *store, also=["libgcc_s.so.1"]),
        "etc/xen/scripts/vif-bridge": _VIF.encode(),
        "etc/xen/scripts/block": _BLOCK.encode(),
        "etc/xen/xl.conf": b"",
        "usr/lib/xen-4.17/bin/.keep": b"",
        "var/lib/xen/.keep": b"",
        "var/log/xen/console/.keep": b"",
        "run/xen/.keep": b"",
        f"image/{image.name}": image.read_bytes(),
        f"image/{configuration.name}": configuration.read_bytes(),
    }
    ending = _SHUT_DOWN.format(text=shut_down_after) if shut_down_after else ""
    disks = "" if disk is None else "'disk=[\"/dev/vda,raw,xvda,rw\"]'"
    script = _XEN.format(configuration=configuration.name, parameters=parameters, disks=disks, ending=ending)
    archive = folder / "xen.cpio"
    archive.write_bytes(nested.archive(files, nested.INIT + _BRIDGE + script))
    hypervisor = folder / "xen"
    hypervisor.write_bytes(gzip.decompress((tools.root / "boot" / "xen-4.17-amd64.gz").read_bytes()))
    line = "console=com1 com1=115200 dom0_mem=1024M,max:1024M loglvl=warning guest_loglvl=warning"
    modules = f"{nested.vmlinux()} console=hvc0 mitigations=off panic=5 quiet,{archive}"
    options = ["-kernel", str(hypervisor), "-append", line, "-initrd", modules]
    if disk is not None:
        options += ["-drive", f"if=none,id=d,format=raw,file={disk}", "-device", "virtio-blk-pci,drive=d"]
    return _command("2048", port, *options, cpu="max,-smap")  # with SMAP this QEMU ends Linux in its first domain


_TENDER = ("hvt", "kvm_tender")
_XEN_PACKAGES = ("xen-hypervisor-4.17-amd64", "xen-utils-4.17", "xenstore-utils")
_XEN_PROGRAMS = ("xl", "xenstored", "xenconsoled", "xen-init-dom0")
_XEN_MODULES = ("xenfs", "xen-privcmd", "xen-evtchn", "xen-gntdev", "xen-gntalloc", "xen-netback", "xen-blkback")
_DISK_MODULES = ("virtio-pci", "virtio-blk")

_VIF = """#!/bin/busybox sh
export PATH=/bin LD_LIBRARY_PATH=/lib
if [ "$1" = online ]; then
    brctl addif br0 "$vif"
    ip link set "$vif" up
    xenstore-write "$XENBUS_PATH/hotplug-status" connected
fi
"""

_BLOCK = """#!/bin/busybox sh
export PATH=/bin LD_LIBRARY_PATH=/lib
if [ "$1" = add ]; then
    device=$(xenstore-read "$XENBUS_PATH/params")
    xenstore-write "$XENBUS_PATH/physical-device" $(stat -L -c %t:%T "$device")
    xenstore-write "$XENBUS_PATH/hotplug-status" connected
fi
"""

_SHUT_DOWN = """
until grep -q '{text}' $name; do sleep 1; done
xl shutdown unizone && echo "bed: shutdown asked"
"""

_XEN = """
mkdir -p /var/run /var/lock /run/lock /dev/pts
mount -t devpts devpts /dev/pts
ln -s /run/xen /var/run/xen
mount -t xenfs xenfs /proc/xen
xenstored --pid-file=/run/xenstored.pid
xen-init-dom0
xenconsoled --log=guest --pid-file=/run/xenconsoled.pid
cd /image
xl create {configuration} 'cmdline="{parameters}"' {disks} && echo "bed: domain created"
name=/var/log/xen/console/guest-unizone.log
until [ -e $name ]; do sleep 0.1; done
tail -n +1 -f $name &
tail=$!
{ending}
# Only what xl says of the domain counts: under emulation it fails by itself now and then, its loader's faults among it.
until xl list unizone 2>&1 | grep -q 'invalid domain identifier'; do sleep 1; done
# What the domain wrote last is on its way through two programs: a line of ours must not come into it.
sleep 1
until grep -q "pos:[[:space:]]*$(stat -c %s $name)$" /proc/$tail/fdinfo/*; do sleep 0.1; done
sleep 1
kill $tail
echo "bed: domain ended"
poweroff -f
"""


def _command(memory_mb: str, port: int, *options: str, cpu: str = "max") -> list[str]:
    forwards = ",".join(f"hostfwd={transport}:127.0.0.1:{port}-:53" for transport in ("udp", "tcp"))
    return [
        *qemu.program(),
        *("-accel", "tcg", "-cpu", cpu, "-M", "q35", "-m", memory_mb, "-smp", "1", "-display", "none"),
        *("-no-reboot", "-nodefaults", "-serial", "stdio"),
        *("-netdev", f"user,id=n,{forwards}", "-device", "e1000,netdev=n,romfile="),
        *options,
    ]


def fetch() -> None:
    """Have all that the beds need in the cache. debian.Unavailable says what can't be had."""
    nested.vmlinux()
    debian.programs(*_XEN_PACKAGES)
