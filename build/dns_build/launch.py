"""`unizone run`: start a built image on this machine, with the exact command shown."""

import argparse
import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from dns_build.image import OUTPUT
from dns_build.progress import BuildError
from dns_build.targets import TARGETS

_DEVICES = {"q35": "virtio-net-pci", "pc": "virtio-net-pci", "microvm": "virtio-net-device"}


def main(arguments: Sequence[str]) -> int:
    """Run the verb; the exit code of what was started."""
    options, parameters = _parser().parse_known_args(arguments)
    try:
        words = command(options, parameters)
    except BuildError as error:
        print(f"unizone run: {error}", file=sys.stderr)
        return 1
    print(shlex.join(words), file=sys.stderr)
    if options.print:
        return 0
    try:
        return subprocess.run(words, check=False).returncode
    except KeyboardInterrupt:
        return 0


def command(options: argparse.Namespace, parameters: Sequence[str]) -> list[str]:
    """The command that starts the image. BuildError when the image or the program for it is missing."""
    image: Path = options.image or OUTPUT / f"unizone-{options.target}"
    if not image.is_file():
        raise BuildError(f"there is no image at {image}", hint=f"unizone build --target {options.target}")
    match options.target:
        case "unix":
            return [str(image), "serve", *parameters]
        case "hvt":
            if options.tap is None:
                raise BuildError("a tender needs a tap interface", hint="ip tuntap add tap0 mode tap; --tap=tap0")
            tender = _program("solo5-hvt", "build it from https://github.com/Solo5/solo5")
            return [tender, f"--mem={options.memory}", f"--net:service={options.tap}", str(image), *parameters]
        case "xen":
            line = " ".join(_quoted(word) for word in parameters)
            if '"' in line:
                raise BuildError(f"a configuration of xl can't hold a double quote: {line}")
            tool = _program("xl", "apt-get install xen-utils, in the first domain of a Xen host")
            changes = [f"kernel={_text(str(image))}", f"memory={options.memory}", f"cmdline={_text(line)}"]
            return [tool, "create", "-c", str(image.with_name(image.name + ".xl")), *changes]
        case _:
            return _qemu(image, options, parameters)


def _qemu(image: Path, options: argparse.Namespace, parameters: Sequence[str]) -> list[str]:
    if options.tap is None:
        forwards = ",".join(f"hostfwd={transport}:127.0.0.1:{options.port}-:53" for transport in ("udp", "tcp"))
        network = f"user,id=net0,{forwards}"
    else:
        network = f"tap,id=net0,ifname={options.tap},script=no,downscript=no"
    if options.kvm and not os.access("/dev/kvm", os.R_OK | os.W_OK):
        raise BuildError("/dev/kvm is not there for you", hint="leave out --kvm, or join the group kvm")
    return [
        _program("qemu-system-x86_64", "apt-get install qemu-system-x86"),
        *("-M", options.machine, "-accel", "kvm" if options.kvm else "tcg", "-cpu", "host" if options.kvm else "max"),
        *("-m", str(options.memory), "-nodefaults", "-no-reboot", "-display", "none", "-serial", "stdio"),
        *("-netdev", network, "-device", f"{_DEVICES[options.machine]},netdev=net0"),
        *("-kernel", str(image), "-append", " ".join(_quoted(word) for word in parameters)),
    ]


def _text(value: str) -> str:
    """A text in a configuration of xl."""
    return f'"{value}"'


def _quoted(word: str) -> str:
    """A word of the image's command line, where single quotes hold a word with blanks together."""
    if "'" in word:
        raise BuildError(f"the command line of an image can't hold a single quote: {word}")
    return f"'{word}'" if " " in word or '"' in word or not word else word


def _program(name: str, hint: str) -> str:
    found = shutil.which(name)
    if found is None:
        raise BuildError(f"{name} is not on this machine", hint=hint)
    return found


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="unizone run",
        usage="unizone run [--target TARGET] [options] [--parameter=value ...]",
        description="Start an image. What is no option of this verb is a parameter of `unizone serve`.",
        allow_abbrev=False,
    )
    parser.add_argument("--target", choices=sorted(TARGETS), default="virtio", help="kind of image (default: virtio)")
    parser.add_argument("--image", type=Path, help="the image (default: out/unizone-TARGET)")
    parser.add_argument("--print", action="store_true", help="only print the command")
    parser.add_argument("--memory", type=int, default=64, metavar="MB", help="memory of the machine (default: 64)")
    parser.add_argument("--tap", metavar="NAME", help="tap interface; without it QEMU's own network, with a port here")
    parser.add_argument("--port", type=int, default=5353, help="port of 127.0.0.1 without --tap (default: 5353)")
    parser.add_argument("--machine", choices=sorted(_DEVICES), default="q35", help="QEMU's machine (default: q35)")
    parser.add_argument("--kvm", action="store_true", help="use KVM in place of emulation")
    return parser
