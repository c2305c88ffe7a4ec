"""The page for people in a real browser; `python -m tests.dns_server.management.test_page FILE` draws it."""

import struct
import sys
import tempfile
import zlib
from pathlib import Path

import pytest

from tests.support import git
from tests.support.browser import Browser
from tests.support.dig import short
from tests.support.network import current
from tests.support.secondaries import KEY, SECRET, transferred
from tests.support.server import Server, serve

GOOD = "$TTL 1h\n@ SOA ns1 hostmaster {serial} 4h 1h 14d 5m\n@ NS ns1\nns1 A 192.0.2.53\nwww A 192.0.2.80\n"
HEIGHT = 1530
NAMES = ("example.com", "example.org", "garden.example", "2.0.192.in-addr.arpa")


def ask(server: Server) -> None:
    for name, rdtype in (
        ("www.example.com", "A"),
        ("www.example.org", "AAAA"),
        ("no.example.org", "A"),
        ("x.test", "A"),
    ):
        short(server.address, server.port, name, rdtype)
    short(server.address, server.port, "+tcp", "example.com", "SOA")


def url_of(server: Server) -> str:
    return f"http://{server.address}:{server.port_for('HTTP')}/"


def size_and_corner(picture: Path) -> tuple[int, int, bytes]:
    """Width and height of a PNG of 8-bit RGB or RGBA, and its first pixel."""
    octets = picture.read_bytes()
    assert octets.startswith(b"\x89PNG\r\n\x1a\n")
    width, height = struct.unpack_from(">II", octets, 16)
    position, compressed = 8, b""
    while position < len(octets):
        length, kind = struct.unpack_from(">I4s", octets, position)
        if kind == b"IDAT":
            compressed += octets[position + 8 : position + 8 + length]
        position += 12 + length
    return width, height, zlib.decompress(compressed)[1:4]  # behind the filter's octet


def draw(folder: Path, file: Path, *, dark: bool) -> str:
    """Write a picture of the page of a server in some trouble; the page as the browser understood it."""
    browser = Browser(folder)
    origin = git.Origin(folder)
    zones = {name: GOOD.format(serial=7).encode() for name in NAMES}
    zones["_keys"] = f"{KEY}. DNSKEY 0 3 163 {SECRET}\n".encode()
    origin.push(zones)
    with (
        git.daemon(folder) as url,
        serve(f"--remote={url}/{origin.bare.name}", "--poll=200ms", *current().http, "--name=ns1-fra") as server,
    ):
        for name in NAMES[:2]:
            transferred(server.port, name, KEY)
        zones[NAMES[1]] = GOOD.format(serial=8).encode()
        broken = GOOD.format(serial=8).replace("www A 192.0.2.80", "www A 192.0.2.800")
        origin.push({**zones, "garden.example": broken.encode()})
        server.wait_for("zone refused", zone="garden.example.")
        ask(server)
        browser.picture(url_of(server), file, dark=dark, width=1100, height=HEIGHT)
        return browser.document(url_of(server))


@pytest.mark.slow
@pytest.mark.parametrize("dark", [False, True])
def test_a_browser_shows_what_is_broken_and_where(tmp_path: Path, dark: bool) -> None:
    picture = tmp_path / "page.png"
    document = draw(tmp_path, picture, dark=dark)
    assert "serving, with trouble" in document
    assert "garden.example:5:" in document
    assert "newest version refused" in document
    assert "Secondaries" in document
    assert "behind" in document
    width, height, corner = size_and_corner(picture)
    assert (width, height) == (1100, HEIGHT)
    assert (max(corner) < 64) is dark, "the page has the colours that the reader prefers"


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as name:
        draw(Path(name), Path(sys.argv[1]).absolute(), dark=False)
