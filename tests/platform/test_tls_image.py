"""Images with TLS linked, and what images without it say when they are asked for it."""

import re
import signal
import ssl
import subprocess
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import dns.message
import dns.query
import pytest

from dns_build.features import Features
from dns_build.image import Image
from tests.support import certificates, disks, git, images, qemu, rsyslog, trees
from tests.support.server import eventually
from tests.support.servers import free_port


def server_context(files: certificates.Files) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(files.chain, files.key)
    return context


@pytest.fixture(scope="module")
def certified(tmp_path_factory: pytest.TempPathFactory) -> certificates.Files:
    """The certificate that the images' authorities are."""
    return certificates.self_signed(tmp_path_factory.mktemp("certificate"), "localhost", qemu.GATEWAY)


@pytest.fixture(scope="module")
def features(certified: certificates.Files) -> Features:
    return Features(("git", "https"), "tls", authorities=certified.chain)


@pytest.fixture(scope="module")
def with_tls(tmp_path_factory: pytest.TempPathFactory, features: Features) -> Image:
    return images.build("unix", tmp_path_factory.mktemp("image"), features=features)


@pytest.fixture(scope="module")
def without_tls(tmp_path_factory: pytest.TempPathFactory) -> Image:
    return images.build("unix", tmp_path_factory.mktemp("image"))


@pytest.fixture
def origin(tmp_path: Path) -> git.Origin:
    repository = git.Origin(tmp_path)
    repository.push({"example.test": trees.zone_text(1, "www A 192.0.2.2")})
    return repository


@contextmanager
def lines_of(image: Image, *parameters: str) -> Iterator[Iterator[str]]:
    """What the unix image says while it serves."""
    command = [str(image.path), "serve", "--listen=127.0.0.1:0", *parameters]
    with subprocess.Popen(command, env={}, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:
        assert process.stdout is not None
        yield iter(process.stdout)
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=30)


def test_fetches_over_https_from_a_server_that_the_authorities_vouch_for(
    with_tls: Image, certified: certificates.Files, origin: git.Origin
) -> None:
    with (
        git.web(origin.folder, tls=server_context(certified)) as base,
        lines_of(with_tls, f"--remote={base}/{origin.bare.name}") as lines,
    ):
        ready = next(line for line in lines if " ready " in line)
    assert "zones=1" in ready


def test_refuses_a_server_that_they_do_not_vouch_for(with_tls: Image, origin: git.Origin) -> None:
    other = certificates.self_signed(origin.folder)
    with (
        git.web(origin.folder, tls=server_context(other)) as base,
        lines_of(with_tls, f"--remote={base}/{origin.bare.name}") as lines,
    ):
        assert any("certificate is refused" in line for line in lines)


def test_sends_log_lines_over_tls_without_being_told_to(
    with_tls: Image, certified: certificates.Files, origin: git.Origin, tmp_path: Path
) -> None:
    port = free_port()
    with rsyslog.collector(tmp_path, "tls", port, certified) as collected:
        zones = tmp_path / "zones"
        zones.mkdir()
        (zones / "example.test").write_bytes(trees.zone_text(1, "www A 192.0.2.2"))
        with lines_of(with_tls, f"--zones={zones}", f"--syslog=localhost:{port}") as lines:
            assert any(" ready " in line for line in lines)
            eventually(lambda: collected.has("ready"))


def test_answers_over_tls(with_tls: Image, certified: certificates.Files, tmp_path: Path) -> None:
    (tmp_path / "example.test").write_bytes(trees.zone_text(1, "www A 192.0.2.2"))
    port = free_port()
    parameters = [f"--tls-cert={certified.chain}", f"--tls-key={certified.key}", f"--tls-listen=127.0.0.1:{port}"]
    with lines_of(with_tls, f"--zones={tmp_path}", *parameters) as lines:
        assert any(" ready " in line for line in lines)
        query = dns.message.make_query("www.example.test", "A")
        context = ssl.create_default_context(cafile=str(certified.chain))
        answer = dns.query.tls(query, "127.0.0.1", 30, port, ssl_context=context, server_hostname="localhost")
    assert [item.to_text() for rrset in answer.answer for item in rrset] == ["192.0.2.2"]


@pytest.mark.parametrize(
    ("parameters", "said"),
    [
        (["--remote=https://localhost/zones.git"], "--remote=.*built without https://"),
        (["--remote=http://localhost/zones.git"], "--remote=.*built without http://"),
        (["--syslog=localhost", "--syslog-proto=tls"], "--syslog-proto=tls: .*built without syslog over TLS"),
        (["--syslog=localhost", "--syslog-proto=tcp"], "--syslog-proto=tcp: .*built without syslog over TCP"),
        (["--tls-cert={chain}", "--tls-key={key}"], "--tls-cert=.*built without TLS"),
    ],
)
def test_what_was_not_linked_is_refused_at_the_start(
    without_tls: Image, certified: certificates.Files, parameters: list[str], said: str
) -> None:
    source = [] if parameters[0].startswith("--remote") else ["--remote=git://127.0.0.1/zones.git"]
    given = [text.format(chain=certified.chain, key=certified.key) for text in parameters]
    result = subprocess.run(
        [without_tls.path, "serve", *source, *given],
        capture_output=True,
        text=True,
        env={},
        check=False,
        timeout=60,
    )
    assert result.returncode == 64
    assert re.search(said, result.stderr)


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory, features: Features) -> Image:
    """For virtio, with a zone baked in."""
    zones = tmp_path_factory.mktemp("zones")
    (zones / "example.test").write_bytes(trees.zone_text(1, "www A 192.0.2.2"))
    return images.build("virtio", tmp_path_factory.mktemp("image"), baked=zones, features=features)


@pytest.mark.slow
def test_a_machine_fetches_over_https_by_its_own_stack(
    machine: Image, certified: certificates.Files, origin: git.Origin
) -> None:
    with git.web(origin.folder, tls=server_context(certified)) as base:
        remote = f"--remote={qemu.seen_inside(base)}/{origin.bare.name}"
        network = ["-netdev", "user,id=n", "-device", "virtio-net-pci,netdev=n"]
        command = qemu.command(machine.path, "q35", "-cpu", "max", *network, parameters=remote)
        with qemu.running(command) as console:
            console.wait_for("zones in service .*commit=[0-9a-f]{40}.* zones=1")


def configuration(kind: str, folder: Path, files: certificates.Files, *lines: str) -> Path:
    """A disk with `unizone.toml`, a certificate and its key."""
    text = ['tls-cert = "chain.pem"', 'tls-key = "key.pem"', *lines]
    (folder / "unizone.toml").write_text("\n".join(text))
    contents = [folder / "unizone.toml", files.chain, files.key]
    if kind == "FAT":
        return disks.volume(folder, 12, contents)
    path = folder / "config.tar"
    with tarfile.open(path, "w") as archive:
        for content in contents:
            archive.add(content, content.name)
    return path


@pytest.mark.slow
@pytest.mark.parametrize(("kind", "board"), [("tar", "microvm"), ("FAT", "q35")])
def test_a_machine_answers_over_tls_with_a_certificate_from_its_disk(
    kind: str, board: str, machine: Image, certified: certificates.Files, tmp_path: Path
) -> None:
    disk = configuration(kind, tmp_path, certified)
    bus, port = {"microvm": "device", "q35": "pci"}[board], free_port()
    options = [
        *("-netdev", f"user,id=n,hostfwd=tcp:127.0.0.1:{port}-:853", "-device", f"virtio-net-{bus},netdev=n"),
        *("-drive", f"if=none,id=d,format=raw,readonly=on,file={disk}", "-device", f"virtio-blk-{bus},drive=d"),
    ]
    with qemu.running(qemu.command(machine.path, board, "-cpu", "max", *options)) as console:
        console.wait_for("configured .*disk0:unizone.toml")
        console.wait_for(" ready ")
        context = ssl.create_default_context(cafile=str(certified.chain))
        query = dns.message.make_query("www.example.test", "A")
        answer = dns.query.tls(
            query, "127.0.0.1", qemu.TIMEOUT_S, port, ssl_context=context, server_hostname="localhost"
        )
    assert [item.to_text() for rrset in answer.answer for item in rrset] == ["192.0.2.2"]


def test_a_machine_says_what_is_wrong_with_a_certificate_on_its_disk(
    machine: Image, certified: certificates.Files, tmp_path: Path
) -> None:
    broken = certificates.Files(tmp_path / "chain.pem", certified.key)
    broken.chain.write_text("no certificate")
    disk = configuration("tar", tmp_path, broken)
    drive = ["-drive", f"if=none,id=d,format=raw,readonly=on,file={disk}", "-device", "virtio-blk-device,drive=d"]
    lines = qemu.run(machine.path, "microvm", "-cpu", "max", *drive)
    assert any("no PEM certificate chain with its unencrypted key" in line for line in lines)
    assert lines[-1] == "unizone: exit 64"
