"""What an image is made of for each target: folders of the shim, facades, and how it is linked."""

from collections.abc import Sequence
from dataclasses import dataclass

from dns_build.recipe import ROOT

PLATFORM = ROOT / "platform"


@dataclass(frozen=True)
class Target:
    """One kind of machine that an image runs on."""

    name: str
    what: str
    folders: Sequence[str]
    """Folders of platform/ whose C and assembly files are linked."""
    facades: Sequence[str]
    """Folders of platform/facades that stand before the standard library."""
    has_binding: bool
    """Whether Python reaches the platform through the contract (see dns_build/binding.py)."""
    link: Sequence[str]
    """Options of the linker."""
    flags: Sequence[str] = ()
    """Options of the compiler for the shim."""
    has_symbols: bool = False
    """Whether names of functions are linked, for the backtrace of a panic."""
    configuration: str = ""
    """Text of a file that the hypervisor's own tool starts the image by; `{image}` is its name."""


# The shim of a target without a kernel: no vector registers (exceptions don't save them), no red zone.
_GUEST_FLAGS = ("-mgeneral-regs-only", "-mno-red-zone", "-fno-strict-aliasing", "-D_GNU_SOURCE")
_GUEST_LINK = (
    "-static",
    "-no-pie",
    "-nostartfiles",
    f"-Wl,-T,{PLATFORM / 'guest' / 'image.ld'}",
    "-Wl,-z,max-page-size=4096",
)


_XL = """# Starts the image: `xl create {image}.xl 'cmdline="--remote=git://git.example/zones.git"'`, in this folder.
# Words of `cmdline` are the parameters of `unizone serve`. A disk for unizone.toml, or for the cache of the last good
# version: `disk = [ "/dev/vg/unizone,raw,xvda,rw" ]`.
name = "unizone"
type = "pvh"
kernel = "{image}"
cmdline = ""
memory = 64
vcpus = 1
vif = [ "" ]
on_poweroff = "destroy"
on_crash = "restart"
"""

TARGETS = {
    target.name: target
    for target in (
        Target(
            name="unix",
            what="a static program for Linux: sockets of the host, or the own stack on tap or AF_PACKET",
            folders=("common",),
            facades=("all",),
            has_binding=False,
            link=("-static", "-no-pie"),
        ),
        Target(
            name="virtio",
            what="a virtual machine with virtio devices: QEMU, KVM, bhyve, clouds",
            folders=("common", "guest", "pvh", "virtio"),
            facades=("guest", "all"),
            has_binding=True,
            link=(*_GUEST_LINK, "-Wl,--defsym=BASE=0xa00000"),
            flags=_GUEST_FLAGS,
            has_symbols=True,
        ),
        Target(
            name="xen",
            what="a PVH domain of Xen, with a configuration for xl beside it",
            folders=("common", "guest", "pvh", "xen"),
            facades=("guest", "all"),
            has_binding=True,
            link=(*_GUEST_LINK, "-Wl,--defsym=BASE=0xa00000"),
            flags=_GUEST_FLAGS,
            has_symbols=True,
            configuration=_XL,
        ),
        Target(
            name="hvt",
            what="a solo5 tender (hvt ABI version 2)",
            folders=("common", "guest", "hvt"),
            facades=("guest", "all"),
            has_binding=True,
            link=(*_GUEST_LINK, "-Wl,--defsym=BASE=0x200000"),
            flags=_GUEST_FLAGS,
            has_symbols=True,
        ),
    )
}
