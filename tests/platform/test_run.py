"""`unizone run` as a person types it: nothing but the target, and in the end an answered dig."""

import os
import shlex
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from dns_build import example
from tests.support import debian, images, qemu
from tests.support.servers import free_port


@pytest.fixture
def programs(tmp_path: Path) -> Path:
    """A folder with QEMU and dig, as if they were installed."""
    folder = tmp_path / "bin"
    folder.mkdir()
    dig = debian.need("bind9-dnsutils")
    for name, command, environment in (
        ("qemu-system-x86_64", qemu.program(), qemu.environment()),
        ("dig", [str(dig.path("dig"))], dig.environment),
    ):
        libraries = shlex.quote(environment["LD_LIBRARY_PATH"])
        (folder / name).write_text(f'#!/bin/sh\nLD_LIBRARY_PATH={libraries} exec {shlex.join(command)} "$@"\n')
        (folder / name).chmod(0o755)
    return folder


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_ends_with_an_answered_dig(programs: Path, tmp_path: Path) -> None:
    image = images.build("virtio", tmp_path)
    options = ["--target=virtio", f"--image={image.path}", f"--port={free_port()}"]
    command = [sys.executable, "-m", "dns_server", "run", *options]
    environment = {**os.environ, "PATH": f"{programs}:{os.environ['PATH']}"}
    with subprocess.Popen(
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as process:
        assert process.stdout is not None
        said = []
        for line in process.stdout:
            said.append(line)
            if "Ctrl-C ends this" in line:
                break
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=60)
    text = "".join(said)
    assert "status: NOERROR" in text
    assert f"{example.QUESTION[0]}.\t300\tIN\tA\t192.0.2.80" in text
    assert process.returncode == 0
