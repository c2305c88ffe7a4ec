"""`unizone run`: start a built image on this machine, with the exact command shown."""

import argparse
import json
import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from dns_build import example, packages
from dns_build.image import OUTPUT
from dns_build.progress import BuildError
from dns_build.targets import TARGETS

_QEMU = "qemu-system-x86_64"
_READY = " ready "  # in the line that the service logs when it answers
_DEVICES = {"q35": "virtio-net-pci", "pc": "virtio-net-pci", "microvm": "virtio-net-device"}


def main(arguments: Sequence[str]) -> int:
    """Run the verb; the exit code of what was started."""
    options, parameters = _parser().parse_known_args(arguments)
    try:
        if _has_zones(options, parameters):
            words = command(options, parameters)
            _show(words)
            return 0 if options.print else _run(words)
        daemon = example.daemon()
        # Pushes are seen soon: nobody waits a minute for an example.
        words = command(options, [f"--remote={daemon.remote}", "--poll=2s", *parameters])
        print("unizone run: no --remote is given, so the image gets the example zones", file=sys.stderr)
        _show(daemon.command, words)
        if options.print:
            return 0
        packages.need(example.PROGRAMS)
        with daemon.running():
            return _run_and_ask(words, options.port)
    except BuildError as error:
        print(f"unizone run: {error}", file=sys.stderr)
        return 1


def _has_zones(options: argparse.Namespace, parameters: Sequence[str]) -> bool:
    """Whether the image knows where its zones are, or runs where the example can't be reached."""
    if options.target != "virtio" or options.tap is not None:
        return True
    if any(word.startswith(("--remote", "--zones")) for word in parameters):
        return True
    manifest = _image(options).with_name(_image(options).name + ".manifest.json")
    if not manifest.is_file():
        return False
    return any(module["name"] == "unizone_baked" for module in json.loads(manifest.read_text())["modules"])


def _show(*commands: Sequence[str]) -> None:
    for words in commands:
        print(shlex.join(words), file=sys.stderr)


def _run(words: Sequence[str]) -> int:
    try:
        return subprocess.run(words, check=False).returncode
    except KeyboardInterrupt:
        return 0


def _run_and_ask(words: Sequence[str], port: int) -> int:
    """Run a machine with the example zones, and ask it a question when it is ready."""
    question = ["dig", "@127.0.0.1", "-p", str(port), *example.QUESTION]
    is_asked = False
    with subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            for line in process.stdout:
                print(line, end="", flush=True)
                if _READY in line and not is_asked:
                    is_asked = True
                    print(f"\n$ {shlex.join(question)}", flush=True)
                    subprocess.run(question, check=False)
                    print(example.instructions(port), flush=True)
        except KeyboardInterrupt:
            process.terminate()
            return 0
        return process.wait()


def _image(options: argparse.Namespace) -> Path:
    image: Path = options.image or OUTPUT / f"unizone-{options.target}"
    return image


def command(options: argparse.Namespace, parameters: Sequence[str]) -> list[str]:
    """The command that starts the image. BuildError when the image or the program for it is missing."""
    image = _image(options)
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
        _qemu_program(print_only=options.print),
        *("-M", options.machine, "-accel", "kvm" if options.kvm else "tcg", "-cpu", "host" if options.kvm else "max"),
        *("-m", str(options.memory), "-nodefaults", "-no-reboot", "-display", "none", "-serial", "stdio"),
        *("-netdev", network, "-device", f"{_DEVICES[options.machine]},netdev=net0"),
        *("-kernel", str(image), "-append", " ".join(_quoted(word) for word in parameters)),
    ]


def _text(value: str) -> str:
    """A text in a configuration of xl."""
    return f'"{value}"'


def _qemu_program(*, print_only: bool) -> str:
    if not print_only:
        packages.need({_QEMU: "qemu-system-x86"})
    return shutil.which(_QEMU) or _QEMU


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
