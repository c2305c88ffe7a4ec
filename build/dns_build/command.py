"""`unizone build`: an image from this checkout."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from dns_build import disk, image, runtime
from dns_build.features import GIT, SYSLOG, Features
from dns_build.progress import BuildError
from dns_build.recipe import ROOT
from dns_build.targets import PLATFORM, TARGETS


def main(arguments: Sequence[str]) -> int:
    """Run the verb; the exit code."""
    options = _parser().parse_args(arguments)
    try:
        if not PLATFORM.is_dir():
            raise BuildError(f"images are built in a checkout of the project; {ROOT} is none", hint="clone it")
        if options.disk and options.target != "virtio":
            raise BuildError(f"--disk: a disk starts a virtio image, not {options.target}", hint="--target virtio")
        features = Features(tuple(options.git.split(",")), options.syslog, options.block, options.authorities)
        if options.runtime:
            runtime.build(tls=features.tls)
            return 0
        built = image.Build(
            TARGETS[options.target],
            features=features,
            baked=options.baked,
            output=options.output,
        ).run()
        disks = _disks(options, built)
    except BuildError as error:
        print(f"unizone build: {error}", file=sys.stderr)
        return 1
    print("\n".join(built.parts.lines()))
    print(f"image     {built.path}, {built.size:,} octets")
    print(f"sha256    {built.sha256}")
    print(f"manifest  {built.manifest}")
    print(f"SBOM      {built.sbom}")
    for path in disks:
        print(f"disk      {path}")
    return 0


def _disks(options: argparse.Namespace, built: image.Image) -> list[Path]:
    """The disks that were asked for."""
    if options.disk is None:
        return []
    work = built.path.with_name(built.path.name + ".work")
    made = [disk.write(built.path, built.path.with_name(built.path.name + ".img"), work, options.parameters)]
    if options.disk == "qcow2":
        made.append(disk.convert(made[0], made[0].with_suffix(".qcow2"), work))
    return made


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="unizone build",
        description="Build an image: the service, its network stack, CPython and the platform's shim in one file.",
        epilog="\n".join(["targets:", *(f"  {target.name:<8}{target.what}" for target in TARGETS.values())]),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--target", choices=sorted(TARGETS), default="unix", help="machine that the image runs on")
    parser.add_argument(
        "--git",
        default="git",
        metavar="LIST",
        help=f"transports that zones can be fetched by, of {', '.join(GIT)}, with commas between (default: git)",
    )
    parser.add_argument(
        "--syslog", choices=SYSLOG, default="udp", help="transport of syslog; those before it are there, too"
    )
    parser.add_argument(
        "--block", action="store_true", help="hvt: declare the disk `storage` (virtio and xen have disks anyway)"
    )
    parser.add_argument(
        "--authorities", type=Path, metavar="FILE", help="PEM file of whom TLS believes (default: Mozilla's list)"
    )
    parser.add_argument("--baked", type=Path, metavar="DIR", help="folder with zones that are packed into the image")
    parser.add_argument(
        "--disk",
        nargs="?",
        const="raw",
        choices=("raw", "qcow2"),
        help="virtio: also a disk that starts the image with BIOS or UEFI, for bhyve, libvirt and clouds",
    )
    parser.add_argument("--parameters", default="", metavar="TEXT", help="boot parameters in the disk's file for them")
    parser.add_argument("--output", type=Path, default=image.OUTPUT, help="folder for the image (default: out/)")
    parser.add_argument("--runtime", action="store_true", help="build what all images share, and no image")
    return parser
