"""`unizone run`: the command for each target, and what is said when something is missing."""

import shlex
from pathlib import Path

import pytest

from dns_build import launch


@pytest.fixture
def image(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An image, and programs that could start it."""
    for name in ("qemu-system-x86_64", "solo5-hvt", "xl"):
        program = tmp_path / name
        program.write_text("#!/bin/sh\nexit 3\n")
        program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    path = tmp_path / "image"
    path.write_text("#!/bin/sh\nexit 5\n")
    path.chmod(0o755)
    return path


def printed(capsys: pytest.CaptureFixture[str], *arguments: str) -> list[str]:
    assert launch.main([*arguments, "--print"]) == 0
    return shlex.split(capsys.readouterr().err)


def test_virtio_starts_under_qemu_with_ports_and_parameters(image: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = printed(capsys, f"--image={image}", "--port=5300", "--remote=git://git.example/z.git", "--name=a b")
    assert words[0].endswith("qemu-system-x86_64")
    assert words[words.index("-kernel") + 1] == str(image)
    assert words[words.index("-append") + 1] == "--remote=git://git.example/z.git '--name=a b'"
    assert "hostfwd=udp:127.0.0.1:5300-:53,hostfwd=tcp:127.0.0.1:5300-:53" in words[words.index("-netdev") + 1]


def test_without_a_remote_the_example_is_served(image: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert launch.main([f"--image={image}", "--print"]) == 0
    said = capsys.readouterr().err.splitlines()
    daemon, machine = (shlex.split(line) for line in said[1:])
    assert daemon[:2] == ["git", "daemon"]
    (port,) = (word.partition("=")[2] for word in daemon if word.startswith("--port="))
    assert machine[machine.index("-append") + 1] == f"--remote=git://10.0.2.2:{port}/example.git --poll=2s"


def test_an_image_with_zones_in_it_needs_no_remote(image: Path, capsys: pytest.CaptureFixture[str]) -> None:
    image.with_name("image.manifest.json").write_text('{"modules": [{"name": "unizone_baked"}]}')
    words = printed(capsys, f"--image={image}")
    assert words[words.index("-append") + 1] == ""


def test_hvt_starts_under_a_tender(image: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = printed(capsys, "--target=hvt", f"--image={image}", "--tap=tap9", "--memory=32", "--ipv4=192.0.2.1/24")
    assert words[0].endswith("solo5-hvt")
    assert words[1:] == ["--mem=32", "--net:service=tap9", str(image), "--ipv4=192.0.2.1/24"]


def test_xen_starts_by_its_configuration_with_what_differs(image: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = printed(capsys, "--target=xen", f"--image={image}", "--memory=32", "--ipv6=none")
    assert words[1:4] == ["create", "-c", f"{image}.xl"]
    assert words[4:] == [f'kernel="{image}"', "memory=32", 'cmdline="--ipv6=none"']


def test_exit_code_is_that_of_what_was_started(image: Path) -> None:
    assert launch.main(["--target=unix", f"--image={image}"]) == 5
    assert launch.main([f"--image={image}", "--remote=git://git.example/z.git"]) == 3


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--image=/nowhere"], "try: unizone build --target virtio"),
        (["--target=hvt"], "--tap=tap0"),
        (["--name=it's"], "single quote"),
        (["--target=xen", '--name="x"'], "double quote"),
    ],
)
def test_what_is_missing_is_said_with_what_to_do(
    arguments: list[str], said: str, image: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert launch.main([f"--image={image}", *arguments]) == 1
    assert said in capsys.readouterr().err
