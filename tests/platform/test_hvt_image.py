"""The hvt image under a tender: notes and manifest, Python, frames, and the service on a wire."""

import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import dns.message
import pytest
from scapy.layers.inet import IP, UDP
from scapy.layers.l2 import ARP, Ether

from dns_build.features import Features
from dns_build.image import Image
from tests.support import images, trees
from tests.support.hvt import MAC, BadImage, note
from tests.support.server import eventually
from tests.support.tender import Tender

OURS = b"\x02\0\0\0\0\x63"
TIMEOUT_S = 120


@pytest.fixture(scope="module")
def versions(tmp_path_factory: pytest.TempPathFactory) -> Image:
    return images.build("hvt", tmp_path_factory.mktemp("versions"), images.application("versions"))


@pytest.fixture(scope="module")
def network(tmp_path_factory: pytest.TempPathFactory) -> Image:
    return images.build("hvt", tmp_path_factory.mktemp("network"), images.application("network"))


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Image:
    zones = tmp_path_factory.mktemp("zones")
    (zones / "baked.test").write_bytes(trees.zone_text(1, "www A 192.0.2.1"))
    return images.build("hvt", tmp_path_factory.mktemp("service"), baked=zones)


@contextmanager
def wired(image: Image, parameters: str = "") -> Iterator[tuple[Tender, socket.socket, threading.Thread]]:
    """A running image and the other end of its wire."""
    theirs, ours = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
    with theirs, ours:
        ours.settimeout(TIMEOUT_S)
        tender = Tender(image.path, parameters, frames=theirs)
        thread = threading.Thread(target=tender.run, args=(TIMEOUT_S,), daemon=True)
        thread.start()
        try:
            yield tender, ours, thread
        finally:
            tender.stop()
            thread.join(TIMEOUT_S)


def test_boots_python_with_the_command_line(versions: Image) -> None:
    tender = Tender(versions.path, "--a=b 'c d'")
    assert tender.run() == 7
    assert tender.console.decode().splitlines() == [
        "arguments serve --a=b c d",
        "python 3 13 5",
        "modules from files []",
    ]


def test_notes_are_those_of_the_abi(versions: Image) -> None:
    data = versions.path.read_bytes()
    assert note(data, 0x31494241, 4) == struct.pack("<IIII", 1, 2, 0, 0)
    manifest = note(data, 0x3154464D, 8)
    assert struct.unpack_from("<II", manifest) == (1, 2)
    assert manifest[8 + 104 :].startswith(b"service\0")
    with pytest.raises(BadImage, match="no note"):
        note(data, 0, 4)


def test_small_memory_is_enough_for_python(versions: Image) -> None:
    assert Tender(versions.path, memory=24 << 20).run() == 7


def test_exchanges_frames(network: Image) -> None:
    with wired(network) as (tender, wire, thread):
        for size in (46, 1500, 47, 60, 512, 513, 1499, 100, 46, 1000):
            payload = bytes(i % 251 for i in range(size))
            wire.send(MAC + OURS + b"\x88\xb5" + payload)
            assert wire.recv(4096) == OURS + MAC + b"\x88\xb5" + payload
        thread.join(TIMEOUT_S)
        assert tender.status == 0
    assert "frames 10" in tender.console.decode()


def test_service_answers_on_the_wire(service: Image) -> None:
    with wired(service, "--ipv4=198.18.0.2/24 --ipv6=none") as (tender, wire, _):
        eventually(lambda: b" ready " in tender.console)  # it refuses until it has zones
        wire.send(bytes(Ether(src=OURS, dst=b"\xff" * 6) / ARP(op=1, hwsrc=OURS, psrc="198.18.0.1", pdst="198.18.0.2")))
        query = dns.message.make_query("www.baked.test", "A")
        found = None
        while found is None:
            frame = Ether(wire.recv(4096))
            if ARP in frame and frame[ARP].op == 2 and frame[ARP].psrc == "198.18.0.2":
                packet = IP(src="198.18.0.1", dst="198.18.0.2") / UDP(sport=5300, dport=53) / query.to_wire()
                wire.send(bytes(Ether(src=OURS, dst=frame[ARP].hwsrc) / packet))
            elif UDP in frame and frame[UDP].sport == 53:
                found = dns.message.from_wire(bytes(frame[UDP].payload))
        assert found.id == query.id
        assert [item.to_text() for item in found.answer[0]] == ["192.0.2.1"]


def test_service_without_a_network_device_ends_with_what_is_missing(service: Image) -> None:
    tender = Tender(service.path)
    assert tender.run() == 69
    assert "no network device 0" in tender.console.decode()


def test_reads_and_writes_the_disk_that_it_declares(tmp_path: Path) -> None:
    image = images.build("hvt", tmp_path, images.application("disk"), features=Features(block=True))
    tender = Tender(image.path, disk=bytearray(b"hello".ljust(1 << 19, b"\0")))
    assert tender.run() == 0, tender.console
    said = tender.console.decode().splitlines()
    assert said[:4] == ["disks 1", "sectors 1024 of 512", "begins with hello", "read back True"]
    assert tender.disk is not None
    assert tender.disk[3 * 512 :].startswith(bytes(range(256)) * 1024)


def test_an_image_without_block_declares_no_disk(versions: Image) -> None:
    with pytest.raises(BadImage, match="disks"):
        Tender(versions.path, disk=bytearray(1 << 19)).run()
