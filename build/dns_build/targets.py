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
    extensions: Sequence[str]
    """Compiled modules of the project that are linked (see dns_build/binding.py)."""
    link: Sequence[str]
    """Options of the linker."""


TARGETS = {
    target.name: target
    for target in (
        Target(
            name="unix",
            what="a static program for Linux: sockets of the host, or the own stack on tap or AF_PACKET",
            folders=("common",),
            facades=("all",),
            extensions=(),
            link=("-static", "-no-pie"),
        ),
    )
}
