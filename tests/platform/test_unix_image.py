"""The unix image: one static file that needs nothing of the host but a kernel."""

import json
import re
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import dns.message
import dns.query
import dns.rcode
import pytest

from dns_build import compiled
from dns_build.image import Image
from tests.support import git, images

ZONE = """$TTL 3600
@ IN SOA ns1 hostmaster 1 3600 600 604800 300
@ NS ns1
ns1 A 192.0.2.1
www A 192.0.2.2
"""


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Image:
    return images.build("unix", tmp_path_factory.mktemp("image"))


@contextmanager
def running(command: list[str]) -> Iterator[tuple[str, int]]:
    """Address of the server that `command` starts at a port of its choice; it ends cleanly."""
    with subprocess.Popen(command, env={}, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:
        assert process.stdout is not None
        said = []
        for line in process.stdout:
            said.append(line)
            if match := re.search(r" ready .*addresses=127\.0\.0\.1:(\d+)", line):
                break
        else:
            pytest.fail("the image ended before it was ready:\n" + "".join(said))
        try:
            yield "127.0.0.1", int(match[1])
        finally:
            process.send_signal(signal.SIGTERM)
            process.communicate(timeout=60)
        assert process.returncode == 0


@pytest.fixture
def serving(service: Image, tmp_path: Path) -> Iterator[tuple[str, int]]:
    """Address of the image's server with one zone."""
    (tmp_path / "example.org").write_text(ZONE)
    with running([str(service.path), "serve", f"--zones={tmp_path}", "--listen=127.0.0.1:0"]) as address:
        yield address


def test_says_what_it_takes_and_does_not_have(service: Image) -> None:
    def said(*arguments: str) -> tuple[int, str]:
        command = [str(service.path), *arguments]
        done = subprocess.run(
            command, env={}, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=60, check=False
        )
        return done.returncode, done.stdout

    assert [code for code, _ in (said("--help"), said("serve", "--help"))] == [0, 0]
    assert "--rate-limit" in said("serve", "--help")[1]
    code, told = said("args", "--poll=30s")
    assert code == 0
    assert re.search(r"--poll +'30s' +command line", told)
    assert re.search(r"--name +'ns1' +command line", said("config", "show", "--name=ns1")[1])
    assert said("check", ".") == (
        2,
        "unizone: this image has no 'check'; the program has it that is installed on a host\n",
    )
    assert said("build") == (64, "unizone: this image has no 'build'; the program has it that is installed on a host\n")


def test_boot_parameters_stand_above_a_place_and_that_above_what_is_baked_in(tmp_path: Path) -> None:
    baked, place = tmp_path / "baked", tmp_path / "place"
    for folder in (baked, place):
        folder.mkdir()
        (folder / "unizone.toml").write_text(f'name = "{folder.name}"\nlisten = "127.0.0.1:0"\n')
    (baked / "example.org").write_text(ZONE)
    image = images.build("unix", tmp_path, baked=baked)
    for arguments, name in (
        ([], "baked"),
        ([f"--config={place}"], "place"),
        ([f"--config={place}", "--name=typed"], "typed"),
    ):
        with running([str(image.path), "serve", *arguments]) as (address, port):
            question = dns.message.make_query("id.server", "TXT", "CH")
            answer = dns.query.udp(question, address, port=port, timeout=30)
            assert answer.answer[0][0].to_text() == f'"{name}"'
            answer = dns.query.udp(dns.message.make_query("www.example.org", "A"), address, port=port, timeout=30)
            assert answer.answer[0][0].to_text() == "192.0.2.2"


@pytest.mark.parametrize("transport", [dns.query.udp, dns.query.tcp])
def test_answers_for_a_zone(serving: tuple[str, int], transport: type) -> None:
    address, port = serving
    answer = transport(dns.message.make_query("www.example.org", "A"), address, port=port, timeout=30)
    assert answer.rcode() == dns.rcode.NOERROR
    assert [item.to_text() for item in answer.answer[0]] == ["192.0.2.2"]


def test_serves_a_repository_that_is_on_this_machine(service: Image, tmp_path: Path) -> None:
    origin = git.Origin(tmp_path)
    origin.push({"example.org": ZONE.encode()})
    with running([str(service.path), "serve", f"--remote={origin.bare}", "--listen=127.0.0.1:0"]) as (address, port):
        answer = dns.query.udp(dns.message.make_query("www.example.org", "A"), address, port=port, timeout=30)
        assert answer.answer[0][0].to_text() == "192.0.2.2"


def test_needs_no_loader_and_no_library(service: Image) -> None:
    headers = subprocess.run(["readelf", "-lW", service.path], capture_output=True, text=True, check=True).stdout
    assert "INTERP" not in headers
    assert "DYNAMIC" not in headers


def test_nothing_is_writable_and_executable(service: Image) -> None:
    headers = subprocess.run(["readelf", "-lW", service.path], capture_output=True, text=True, check=True).stdout
    flags = re.findall(r"^  (LOAD|GNU_STACK) .* ([R ][W ][E ]) +0x", headers, re.MULTILINE)
    assert flags
    assert all("WE" not in flag for _, flag in flags)


def test_arguments_and_exit_code_pass_through(tmp_path: Path) -> None:
    hello = images.build("unix", tmp_path, images.application("versions"))
    result = subprocess.run([hello.path, "a", "b c"], capture_output=True, text=True, env={}, check=False, timeout=60)
    assert result.returncode == 7
    assert result.stdout.splitlines() == ["arguments a b c", "python 3 13 5", "modules from files []"]


def test_modules_are_imported_as_ever(tmp_path: Path) -> None:
    importing = images.build("unix", tmp_path, images.application("importing"))
    result = subprocess.run([importing.path], capture_output=True, text=True, env={}, check=False, timeout=60)
    assert result.returncode == 0, result.stderr
    assert result.stdout.splitlines() == [
        "first of two first of two",
        "imported.first imported frozen None True",
        "imported.first imported False None",
        "imported imported frozen [] True",
        "imported imported False []",
        "True",
        "imported.slow False",
        "always: False",
        "always: False",
        "No module named 'imported.absent': False",
        "No module named 'imported.first.absent'; 'imported.first' is not a package: False",
        "_Waiting _Waiting",
        "[1] main module module",
        "10 OSError _Waiting",
        "AF_INET6 True True",
        "[True, True, True]",
        "True",
    ]


def test_recursion_ends_before_the_stack_of_a_machine_does(tmp_path: Path) -> None:
    deep = images.build("unix", tmp_path, images.application("deep"))
    # Of guest/image.ld, without the few pages that Linux itself lays on a stack.
    command = ["prlimit", f"--stack={1 << 20}", str(deep.path)]
    result = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert result.returncode == 0, result.stderr
    assert result.stdout.split() == ["sort", "repr", "key", "map", "arrays", "objects", "pattern"]


def test_damaged_code_is_told_and_not_run(tmp_path: Path) -> None:
    hello = images.build("unix", tmp_path, images.application("versions"))
    work = tmp_path / "unizone-unix.work"
    data, blob = hello.path.read_bytes(), (work / "frozen.bin").read_bytes()
    assert data.count(blob) == 1
    report = json.loads((work / "modules.json").read_text())
    assert "versions" in report["started"]
    alone = {module["name"]: module["size"] for module in report["modules"] if "size" in module}
    for name in report["started"]:
        del alone[name]
    tables = sum(size for name, size in alone.items() if name <= "unizone_tables")
    # What every start imports is one block, behind all others.
    for name, end in (("unizone_tables", tables), ("unizone_started", len(blob))):
        place = data.index(blob) + end - 20  # in the packed code; 12 octets about it stand behind
        hello.path.write_bytes(data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :])
        result = subprocess.run([hello.path], capture_output=True, text=True, env={}, check=False, timeout=60)
        assert result.returncode == 1
        assert f"ImportError: Frozen object named '{name}' is invalid" in result.stderr


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_two_builds_give_the_same_bytes(service: Image, tmp_path: Path) -> None:
    again = images.build("unix", tmp_path, is_fresh=True)
    assert again.sha256 == service.sha256
    assert again.manifest.read_text() == service.manifest.read_text()
    assert again.sbom.read_text() == service.sbom.read_text()


def test_manifest_accounts_for_every_octet_and_module(service: Image) -> None:
    manifest = json.loads(service.manifest.read_text())
    assert manifest["size"] == service.size == sum(part["size"] for part in manifest["parts"]["parts"])
    assert manifest["sha256"] == service.sha256
    names = {module["name"] for module in manifest["modules"]}
    assert {"dns_server.commands.serve", "asyncio", "dns.rdtypes.ANY.TXT"} <= names
    assert not names & {"rich", "pygments", "unittest", "multiprocessing"}
    assert compiled.modules().keys() <= set(manifest["builtin"])
    components = {component["name"]: component["version"] for component in manifest["components"]}
    assert components["cpython"] == "3.13.5"
    assert "dnspython" in components


def test_bill_of_materials_names_licences_and_hashes(service: Image) -> None:
    bill = json.loads(service.sbom.read_text())
    assert bill["bomFormat"] == "CycloneDX"
    for component in bill["components"]:
        assert component["licenses"][0]["license"]["name"] not in {"", "unknown"}
        assert re.fullmatch("[0-9a-f]{64}", component["hashes"][0]["content"])
    pedigrees = {component["name"]: component.get("pedigree", {}).get("notes", "") for component in bill["components"]}
    assert "slots.patch" in pedigrees["cpython"]
    assert {name for name, notes in pedigrees.items() if notes} == {"cpython", "musl"}
