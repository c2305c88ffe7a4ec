"""Images under real hypervisors that are emulated: zones from a git daemon, answers, a push that is followed."""

from collections.abc import Callable, Iterator
from pathlib import Path

import dns.message
import dns.query
import pytest

from tests.support import beds, debian, git, images, qemu, trees
from tests.support.servers import free_port

pytestmark = [pytest.mark.slow, pytest.mark.timeout(3 * beds.TIMEOUT_S)]

TRANSPORTS: tuple[Callable[..., dns.message.Message], ...] = (dns.query.udp, dns.query.tcp)


@pytest.fixture(scope="module", autouse=True)
def _packages() -> None:
    try:
        beds.fetch()
    except debian.Unavailable as error:
        pytest.skip(str(error))


@pytest.fixture
def origin(tmp_path: Path) -> Iterator[tuple[git.Origin, str]]:
    """A repository, and its URL as the image sees it."""
    repository = git.Origin(tmp_path)
    repository.push({"pushed.test": trees.zone_text(1, "www A 192.0.2.2")})
    with git.daemon(tmp_path) as url:
        yield repository, f"{qemu.seen_inside(url)}/{repository.bare.name}"


def addresses(transport: Callable[..., dns.message.Message], port: int, name: str) -> list[str]:
    answer = transport(dns.message.make_query(name, "A"), "127.0.0.1", port=port, timeout=beds.TIMEOUT_S)
    return [item.to_text() for rrset in answer.answer for item in rrset]


def serves(command: list[str], port: int, repository: git.Origin) -> None:
    with qemu.running(command, beds.TIMEOUT_S) as console:
        console.wait_for("address leased")
        console.wait_for("zones in service .*commit=[0-9a-f]{40}")
        for transport in TRANSPORTS:
            assert addresses(transport, port, "www.pushed.test") == ["192.0.2.2"]
        commit = repository.push({"pushed.test": trees.zone_text(2, "www A 192.0.2.3")})
        console.wait_for(f"zones in service .*commit={commit}")
        for transport in TRANSPORTS:
            assert addresses(transport, port, "www.pushed.test") == ["192.0.2.3"]


def test_hvt_on_kvm(tmp_path: Path, origin: tuple[git.Origin, str]) -> None:
    image = images.build("hvt", tmp_path)
    port = free_port()
    repository, url = origin
    serves(beds.kvm(tmp_path, image.path, port, f"--remote={url} --poll=1s"), port, repository)


def test_hvt_exit_code_on_kvm(tmp_path: Path) -> None:
    image = images.build("hvt", tmp_path, images.application("versions"))
    with qemu.running(beds.kvm(tmp_path, image.path, free_port(), "--a=b"), beds.TIMEOUT_S) as console:
        console.wait_for("^arguments serve --a=b$")
        console.wait_for("^tender: exit 7$")


def test_xen(tmp_path: Path, origin: tuple[git.Origin, str]) -> None:
    image = images.build("xen", tmp_path)
    port = free_port()
    repository, url = origin
    configuration = image.path.with_suffix(".xl")
    command = beds.xen(tmp_path, image.path, configuration, port, f"--remote={url} --poll=1s")
    serves(command, port, repository)


def test_xen_shutdown(tmp_path: Path) -> None:
    zones = tmp_path / "zones"
    zones.mkdir()
    (zones / "baked.test").write_bytes(trees.zone_text(1, "www A 192.0.2.1"))
    image = images.build("xen", tmp_path, baked=zones)
    configuration = image.path.with_suffix(".xl")
    command = beds.xen(tmp_path, image.path, configuration, free_port(), "--ipv6=none", shut_down_after="leased")
    with qemu.running(command, beds.TIMEOUT_S) as console:
        console.wait_for("bed: shutdown asked")
        console.wait_for("stopping .*SIGTERM")
        console.wait_for("^unizone: exit 0$")
        console.wait_for("bed: domain ended")


def test_xen_exit_code(tmp_path: Path) -> None:
    image = images.build("xen", tmp_path, images.application("versions"))
    command = beds.xen(tmp_path, image.path, image.path.with_suffix(".xl"), free_port(), "--a=b")
    with qemu.running(command, beds.TIMEOUT_S) as console:
        console.wait_for("^arguments serve --a=b$")
        console.wait_for("^unizone: exit 7$")
