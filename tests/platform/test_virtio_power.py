"""The end and the protection of a running virtio image, as the hypervisor sees them."""

import re
import socket
import subprocess
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

import dns.message
import dns.query
import pytest

from dns_build.image import Image
from tests.support import git, images, qemu, qmp, trees
from tests.support.hosttime import HostTime
from tests.support.servers import free_port

pytestmark = pytest.mark.timeout(600)

MACHINES = {"q35": "virtio-net-pci", "pc": "virtio-net-pci", "microvm": "virtio-net-device"}
SMEP, SMAP, WRITE_PROTECT, NO_EXECUTE = 1 << 20, 1 << 21, 1 << 16, 1 << 11


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Image:
    zones = tmp_path_factory.mktemp("zones")
    (zones / "baked.test").write_bytes(trees.zone_text(1, "www A 192.0.2.1"))
    return images.build("virtio", tmp_path_factory.mktemp("image"), baked=zones)


def start(image: Image, machine: str, folder: Path, port: int, parameters: str = "") -> list[str]:
    forward = ",".join(f"hostfwd={transport}:127.0.0.1:{port}-:53" for transport in ("udp", "tcp"))
    network = ["-netdev", f"user,id=n,{forward}", "-device", f"{MACHINES[machine]},netdev=n"]
    return qemu.command(image.path, machine, "-cpu", "max", *network, *qmp.options(folder), parameters=parameters)


def symbol(image: Image, name: str) -> int:
    """The address of a symbol, from the linker's map beside the image."""
    text = (image.path.with_name(image.path.name + ".work") / "map").read_text()
    found = re.search(rf"^ +0x([0-9a-f]+) +{name} = ", text, re.MULTILINE)
    assert found is not None, name
    return int(found[1], 16)


@pytest.mark.slow
@pytest.mark.parametrize("machine", MACHINES)
def test_power_button_ends_it_cleanly_and_the_log_arrives(machine: str, service: Image, tmp_path: Path) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as collector:
        collector.bind(("127.0.0.1", 0))
        collector.settimeout(qemu.TIMEOUT_S)
        parameters = f"--syslog={qemu.GATEWAY}:{collector.getsockname()[1]}"
        with qemu.running(start(service, machine, tmp_path, free_port(), parameters)) as console:
            console.wait_for(" ready ")
            with qmp.monitor(tmp_path) as monitor:
                monitor.execute("system_powerdown")
                console.wait_for("stopping .*SIGTERM")
                console.wait_for("unizone: exit 0")
                monitor.wait_for("SHUTDOWN")  # switched off, not reset
        while b"stopped" not in collector.recv(4096):
            pass


def test_power_button_ends_it_before_the_service_has_begun(tmp_path: Path) -> None:
    image = images.build("virtio", tmp_path, images.application("network"))
    with qemu.running(start(image, "microvm", tmp_path, free_port())) as console:
        console.wait_for("ready")
        with qmp.monitor(tmp_path) as monitor:
            monitor.execute("system_powerdown")
            console.wait_for("unizone: exit 143")


def test_no_page_is_writable_and_executable_and_guards_are_absent(service: Image, tmp_path: Path) -> None:
    with qemu.running(start(service, "q35", tmp_path, free_port())) as console:
        console.wait_for(" ready ")
        with qmp.monitor(tmp_path) as monitor:
            registers = {
                name: int(value, 16)
                for name, value in re.findall(r"(\w+) *=([0-9a-f]+)", monitor.ask("info registers"))
            }
            pages = [line.split() for line in monitor.ask("info tlb").splitlines()]
    assert registers["CR4"] & SMEP
    assert registers["CR4"] & SMAP
    assert registers["CR0"] & WRITE_PROTECT
    assert registers["EFER"] & NO_EXECUTE
    # Each line: address, physical address, and letters: X is no execution, U the user's, W writable.
    flags = {int(address.rstrip(":"), 16): letters for address, _, letters in pages}
    assert flags
    assert not [hex(address) for address, letters in flags.items() if "W" in letters and "X" not in letters]
    assert not [hex(address) for address, letters in flags.items() if "U" in letters]
    begin, end = symbol(service, "text_start"), symbol(service, "text_end")
    executable = {address for address, letters in flags.items() if "X" not in letters}
    assert executable == set(range(begin, end, 4096))
    for guard in ("stack_guard", "trap_stack_guard"):
        at = symbol(service, guard)
        assert at not in flags
        assert at + 4096 in flags
    assert 0 not in flags


def test_functions_check_their_canary(service: Image) -> None:
    """Those of the shim and of CPython that keep buffers on their stack; a wrong one is a panic, not a wait."""
    whole = service.path.with_name(service.path.name + ".work") / "whole"
    code = subprocess.run(["objdump", "-d", whole], capture_output=True, text=True, check=True).stdout
    # The compiler puts what is rare of a function elsewhere: `name.cold`.
    functions = re.findall(r"^[0-9a-f]+ <(\w+)[\w.]*>:\n((?:.+\n)+)", code, re.MULTILINE)
    checked = {name for name, body in functions if "<__stack_chk_fail>" in body}
    assert {"uz_random", "terminal_flush", "cpu_init", "_PyEval_EvalFrameDefault", "PyBytes_FromFormatV"} <= checked
    (failure,) = (body for name, body in functions if name == "__stack_chk_fail")
    assert "ud2" in failure
    assert "hlt" not in failure


@pytest.mark.slow
def test_goes_on_after_the_host_has_paused_it_for_an_hour(service: Image, tmp_path: Path) -> None:
    port = free_port()
    query = dns.message.make_query("www.baked.test", "A")
    host = HostTime(tmp_path)
    repository = git.Origin(tmp_path)
    repository.push({"baked.test": trees.zone_text(2, "www A 192.0.2.2")})

    def addresses(transport: Callable[..., dns.message.Message]) -> list[str]:
        answer = transport(query, "127.0.0.1", port=port, timeout=qemu.TIMEOUT_S)
        return [item.to_text() for item in answer.answer[0]]

    with git.daemon(tmp_path) as url:
        parameters = f"--remote={qemu.seen_inside(url)}/{repository.bare.name} --poll=1s"
        command = start(service, "q35", tmp_path, port, parameters)
        with qemu.running(host.command(command)) as console:
            console.wait_for(" zones in service .*commit=[0-9a-f]{40}")
            before = moment(console.wait_for(" ready "))
            with qmp.monitor(tmp_path) as monitor:
                monitor.execute("stop")
                monitor.wait_for("STOP")
                host.advance(3600)
                monitor.execute("cont")
                monitor.wait_for("RESUME")
            paused = console.wait_for("the machine was paused")
            assert 3590 <= int(paused.rpartition("=")[2]) <= 3610
            assert moment(paused) - before >= timedelta(seconds=3590)
            assert addresses(dns.query.udp) == addresses(dns.query.tcp) == ["192.0.2.2"]
            commit = repository.push({"baked.test": trees.zone_text(3, "www A 192.0.2.3")})
            console.wait_for(f"zones in service .*commit={commit}")
            assert addresses(dns.query.udp) == ["192.0.2.3"]


def moment(line: str) -> datetime:
    """When a line of the log was written."""
    return datetime.fromisoformat(line.split()[0])
