"""Servers of other brands as secondaries: after a series of random changes by push they have what we have."""

import asyncio
import itertools
import random
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path

import dns.query
import dns.rcode
import dns.tsig
import dns.update
import dns.zone
import pytest

from dns_server.notify.exchange import tell
from dns_server.notify.messages import Said
from dns_server.notify.targets import Target
from dns_server.parameters.peers import parse_key
from tests.support.debian import Unavailable
from tests.support.git import Origin
from tests.support.network import current
from tests.support.secondaries import BRANDS, KEY, SECRET, Secondary, Wish, secondary, transferred
from tests.support.server import Server, serve
from tests.support.servers import free_port
from zones import name as names
from zones.findings import Place
from zones.keys import TsigKey, grant

pytestmark = pytest.mark.usefixtures("network")

CHANGES = 12
MANY_CHANGES = 60
PUSHER = "pusher._notify"
EDITOR = "editor._update"


def key_file() -> bytes:
    return "".join(f"{name}. DNSKEY 0 3 163 {SECRET}\n" for name in (KEY, PUSHER, EDITOR)).encode()


def policy(ports: list[int]) -> bytes:
    rows = (f'[[notify]]\naddress = "{current().here}"\nport = {port}\nkey = "{KEY}"\n' for port in ports)
    return "".join(rows).encode()


class Content:
    """A zone that changes at random; records of many types, glue and a wildcard."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)
        self._serial = 1
        self._records = {f"host{number} A 192.0.2.{number % 250}" for number in range(120)}

    def text(self) -> bytes:
        head = f"""$TTL 300
@ SOA ns1 hostmaster {self._serial} 3600 600 86400 300
@ NS ns1
@ NS ns2
ns1 A 192.0.2.1
ns2 A 192.0.2.2
@ MX 10 mail
mail A 192.0.2.25
mail AAAA 2001:db8::25
*.wild TXT "a wildcard"
sub NS ns.sub
ns.sub A 192.0.2.53
_sip._tcp SRV 1 2 5060 sip.Elsewhere.test.
www CNAME host1
"""
        return (head + "\n".join(sorted(self._records)) + "\n").encode()

    def change(self) -> None:
        """One to twenty records come, go, or get another value or TTL."""
        self._serial += self._random.randint(1, 5)
        for _ in range(self._random.randint(1, 20)):
            number = self._random.randrange(150)
            what = self._random.randrange(4)
            if what == 0 and len(self._records) > 100:
                self._records.remove(self._random.choice(sorted(self._records)))
            elif what == 1:
                self._records.add(f'text{number} TXT "{self._random.randrange(10**9)}"')
            elif what == 2:
                self._records = {one for one in self._records if not one.startswith(f"ttl{number} ")}
                self._records.add(f"ttl{number} {self._random.choice((60, 600))} AAAA 2001:db8::{number}")
            else:
                self._records.add(f"host{number} A 198.51.100.{self._random.randrange(250)}")


def push_and_notify(origin: Origin, server: Server, files: Mapping[str, bytes], zone: str = "example.com") -> Said:
    """As a post-receive hook does it: the reply comes when the server has the new version."""
    origin.push(files)
    key = TsigKey(*parse_key(f"{PUSHER}:{SECRET}"), *grant(names.from_text(PUSHER)), Place("test"))
    target = Target(server.address, server.port)
    return asyncio.run(tell(target, names.from_text(zone), None, key, 60.0, stream=True))


@contextmanager
def running(name: str, wish: Wish) -> Iterator[Secondary]:
    try:
        with secondary(name, wish) as peer:
            yield peer
    except Unavailable as error:
        pytest.skip(f"no {name}: {error}")


def same_as(zone: dns.zone.Zone | None) -> "dns.zone.Zone":
    assert zone is not None
    return zone


@pytest.mark.parametrize("brand", BRANDS)
def test_a_secondary_follows_random_changes(brand: str, tmp_path: Path) -> None:
    content, port = Content(sum(brand.encode())), free_port()
    origin = Origin(tmp_path)

    def files() -> dict[str, bytes]:
        return {"example.com": content.text(), "_keys": key_file(), "_policy.toml": policy([port])}

    origin.push(files())
    with serve(f"--remote={origin.bare}", "--poll=1d") as server:
        wish = Wish(tmp_path / brand, port, server.port, brand.lower())
        with running(brand, wish) as peer:
            ours = same_as(transferred(server.port, "example.com", KEY))
            peer.wait_for("example.com", ours.__eq__)
            for _ in range(CHANGES):
                content.change()
                said = push_and_notify(origin, server, files())
                assert said.rcode == 0, said
                assert "nothing is wrong" in said.texts[0]
            ours = same_as(transferred(server.port, "example.com", KEY))
            peer.wait_for("example.com", ours.__eq__)
            kinds = [event["kind"] for event in server.events if event["event"] == "zone transferred"]
            assert "AXFR" in kinds
            assert "IXFR" in kinds


@pytest.mark.slow
def test_all_brands_follow_many_pushes_and_updates(tmp_path: Path) -> None:
    content, ports = Content(1), [free_port() for _ in BRANDS]
    origin = Origin(tmp_path)

    def files() -> dict[str, bytes]:
        return {"example.com": content.text(), "_keys": key_file(), "_policy.toml": policy(ports)}

    origin.push(files())
    with ExitStack() as stack:
        server = stack.enter_context(serve(f"--remote={origin.bare}", "--poll=1d"))
        peers = [
            stack.enter_context(running(brand, Wish(tmp_path / brand, port, server.port, brand.lower())))
            for brand, port in zip(BRANDS, ports, strict=True)
        ]
        for _ in range(MANY_CHANGES):
            content.change()
            assert push_and_notify(origin, server, files()).rcode == 0
        for number in range(MANY_CHANGES):
            update = dns.update.UpdateMessage("example.com.")
            update.use_tsig(dns.tsig.Key(EDITOR, SECRET, "hmac-sha256"))
            update.replace(f"dynamic{number % 20}", 60, "A", f"203.0.113.{number}")
            assert dns.query.tcp(update, server.address, port=server.port, timeout=60).rcode() == dns.rcode.NOERROR
        ours = same_as(transferred(server.port, "example.com", KEY))
        assert len([name for name in ours.nodes if b"dynamic" in name.labels[0]]) == 20
        for peer in peers:
            peer.wait_for("example.com", ours.__eq__)


@pytest.mark.parametrize("brand", [name for name, brand in BRANDS.items() if brand.has_catalog])
def test_a_secondary_follows_the_catalog(brand: str, tmp_path: Path) -> None:
    port = free_port()
    origin = Origin(tmp_path)
    common = {"_keys": key_file(), "_policy.toml": policy([port])}
    zones = {f"zone{number}.test": Content(number).text() for number in range(5)}
    origin.push({**common, **dict(itertools.islice(zones.items(), 3))})
    with (
        serve(f"--remote={origin.bare}", "--poll=1d", "--catalog=catalog.example.net") as server,
        running(brand, Wish(tmp_path / brand, port, server.port, BRANDS[brand].catalog_block)) as peer,
    ):
        for zone in list(zones)[:3]:
            peer.wait_for(zone, same_as(transferred(server.port, zone, KEY)).__eq__)
        assert push_and_notify(origin, server, {**common, **zones}, "zone4.test").rcode == 0
        peer.wait_for("zone4.test", same_as(transferred(server.port, "zone4.test", KEY)).__eq__)
        del zones["zone0.test"]
        assert push_and_notify(origin, server, {**common, **zones}, "zone1.test").rcode == 0
        peer.wait_for("zone0.test", lambda zone: zone is None)
