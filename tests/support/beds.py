"""Hypervisors under emulation, each in a small Linux that is nothing but a bridge to QEMU's network.

So an image asks QEMU for an address, fetches zones from the host at 10.0.2.2, and is asked at a port of the host.
"""

from pathlib import Path

from dns_build import runtime
from dns_build.recipe import ROOT
from tests.support import nested, qemu

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


_TENDER = ("hvt", "kvm_tender")


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
