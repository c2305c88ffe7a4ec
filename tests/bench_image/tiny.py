"""Linux as small as it gets for a name server, built from Debian's source: what Debian's own kernel is not.

The kernel is built once for each configuration, source and compiler, outside the tree, from `make tinyconfig` and what
QEMU's machines, a network and NSD need. Compiler and make are the machine's, all else is unpacked in the cache.
"""

import os
from pathlib import Path
from typing import Final

from tests.bench_image import built
from tests.support import debian

_OPTIONS: Final = """
64BIT SMP=n MODULES=n
EMBEDDED EXPERT MULTIUSER POSIX_TIMERS FUTEX EPOLL SIGNALFD TIMERFD EVENTFD SHMEM FILE_LOCKING ADVISE_SYSCALLS
BINFMT_ELF BINFMT_SCRIPT BLK_DEV_INITRD PRINTK TTY SERIAL_8250 SERIAL_8250_CONSOLE
PROC_FS SYSFS TMPFS DEVTMPFS
HYPERVISOR_GUEST PARAVIRT PVH ACPI PCI PCI_MSI HIGH_RES_TIMERS NO_HZ_IDLE
NET UNIX INET NETDEVICES NET_CORE
VIRTIO_MENU VIRTIO_PCI VIRTIO_PCI_LEGACY VIRTIO_MMIO VIRTIO_MMIO_CMDLINE_DEVICES VIRTIO_NET
HW_RANDOM HW_RANDOM_VIRTIO RANDOM_TRUST_CPU
SPECULATION_MITIGATIONS=n IPV6=n ETHERNET=n WLAN=n WIRELESS=n
"""
_UNNEEDED: Final = (
    "*/arch/[!x]*/*.[chS]",
    "*/arch/*/boot/dts/*.dts*",
    "*/Documentation/*.rst",
    "*/tools/testing/*",
    *(f"*/{folder}/*.[ch]" for folder in ("drivers/gpu", "drivers/media", "drivers/staging", "sound", "fs/xfs")),
)
"""Files that no such kernel is made of, so that they need not be unpacked."""


def kernel() -> Path:
    """The built `vmlinux`. debian.Unavailable says why it can't be had."""
    version = built.compiler("a small Linux")
    (source,) = (debian.programs("linux-source-6.1").root / "usr" / "src").glob("*.tar.xz")
    tools = debian.programs("flex", "bison", "m4", "libelf-dev", "libelf1", "bc")
    key = built.key(source.parents[2].name, version, str(_OPTIONS.split()))
    return built.once(f"tiny-linux-{key}/vmlinux", lambda folder: _build(source, tools, folder))


def _build(source: Path, tools: debian.Tree, folder: Path) -> Path:
    exclude = [f"--exclude={pattern}" for pattern in _UNNEEDED]
    built.run(folder, "tar", "-xf", str(source), *exclude, "--strip-components=1")
    root = tools.root
    variables = f"LEX={tools.path('flex')}", f"YACC={tools.path('bison')}"
    environment = {
        **os.environ,
        **tools.environment,
        "BISON_PKGDATADIR": str(root / "usr" / "share" / "bison"),
        "M4": str(tools.path("m4")),
        # For objtool, which Linux's make starts without variables of ours.
        "C_INCLUDE_PATH": str(root / "usr" / "include"),
        "LIBRARY_PATH": str(root / "usr" / "lib" / "x86_64-linux-gnu"),
        "KBUILD_BUILD_TIMESTAMP": "1970-01-01",
    }

    def make(*targets: str) -> None:
        built.run(folder, "make", f"-j{os.cpu_count()}", *variables, *targets, environment=environment)

    make("tinyconfig")
    wanted = [word if "=" in word else f"{word}=y" for word in _OPTIONS.split()]
    configuration = folder / ".config"
    configuration.write_text(configuration.read_text() + "".join(f"CONFIG_{line}\n" for line in wanted))
    make("olddefconfig")
    have = configuration.read_text().splitlines()
    missing = [line for line in wanted if not line.endswith("=n") and f"CONFIG_{line}" not in have]
    if missing:
        raise debian.Unavailable(f"this Linux can't be configured with {' '.join(missing)}")
    make("vmlinux")
    built.run(folder, "strip", "--strip-all", "vmlinux")
    return folder / "vmlinux"
