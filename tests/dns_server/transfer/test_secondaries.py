"""Servers of other brands as secondaries: after a series of random changes by push they have what we have."""

import asyncio
import itertools
import random
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
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
from tests.dns_server.test_primary_page import blocks
from tests.support.certificates import self_signed
from tests.support.debian import Unavailable
from tests.support.git import Origin, git
from tests.support.network import HOST, Network, current
from tests.support.secondaries import BRANDS, KEY, SECRET, Secondary, Wish, secondary, transferred
from tests.support.server import Server, serve
from tests.support.servers import free_port
from zones import name as names
from zones.findings import Place
from zones.keys import TsigKey, grant

pytestmark = pytest.mark.usefixtures("network")

CHANGES = 12
MANY_CHANGES = 120
"""Pushes, and as many updates."""
FEWER_CHANGES = 20
"""Of each, on the own stack."""
DYNAMIC = 20
"""Names that updates change."""
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
        self.serial = 1
        self._records = {f"host{number} A 192.0.2.{number % 250}" for number in range(120)}
        self._dynamic: list[str] = []

    def text(self) -> bytes:
        head = f"""$TTL 300
@ SOA ns1 hostmaster {self.serial} 3600 600 86400 300
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
        return (head + "\n".join([*sorted(self._records), *self._dynamic]) + "\n").encode()

    def pull(self, text: str) -> None:
        """Go on from `text`, which updates have changed."""
        self.serial = int(text.split(" hostmaster ")[1].split()[0])
        self._dynamic = [line for line in text.splitlines() if line.startswith("dynamic")]

    def change(self) -> None:
        """One to twenty records come, go, or get another value or TTL."""
        self.serial += self._random.randint(1, 5)
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


def follow_over_tls(peer: Secondary, server: Server, change: Callable[[], None]) -> None:
    """The secondary has each version that `change` makes, first whole and later by difference, over TLS."""
    for _ in range(3):
        ours = same_as(transferred(server.port, "example.com", KEY))
        peer.wait_for("example.com", ours.__eq__)
        change()
    ours = same_as(transferred(server.port, "example.com", KEY))
    peer.wait_for("example.com", ours.__eq__)
    kinds = {event["kind"] for event in server.events if event["event"] == "zone transferred" and event["tls"]}
    assert kinds == {"AXFR", "IXFR"}


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


def random_update(chance: random.Random) -> dns.update.UpdateMessage:
    """Records of one to five names come, go, or get another value."""
    message = dns.update.UpdateMessage("example.com.")
    message.use_tsig(dns.tsig.Key(EDITOR, SECRET, "hmac-sha256"))
    for _ in range(chance.randint(1, 5)):
        name, value = f"dynamic{chance.randrange(DYNAMIC)}", chance.randrange(250)
        match chance.randrange(5):
            case 0:
                message.delete(name)
            case 1:
                message.delete(name, "A")
            case 2:
                message.add(name, 60, "TXT", f'"text {value}"')
            case 3:
                message.replace(name, 60, "AAAA", f"2001:db8::{value}")
            case _:
                message.add(name, 60, "A", f"203.0.113.{value}")
    return message


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_all_brands_follow_hundreds_of_pushes_and_updates(network: Network, tmp_path: Path) -> None:
    each = MANY_CHANGES if network is HOST else FEWER_CHANGES
    content, ports, chance = Content(1), [free_port() for _ in BRANDS], random.Random(2)
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

        def follow() -> dns.zone.Zone:
            ours = same_as(transferred(server.port, "example.com", KEY))
            for peer in peers:
                peer.wait_for("example.com", ours.__eq__)
            return ours

        follow()
        for push in chance.sample([True, False] * each, 2 * each):
            if push:
                git(origin.work, "fetch", "--quiet", "origin", "main")
                git(origin.work, "reset", "--quiet", "--soft", "FETCH_HEAD")
                content.pull(git(origin.bare, "show", "main:example.com"))
                content.change()
                said = push_and_notify(origin, server, files())
                assert said.rcode == 0, said
            else:
                reply = dns.query.tcp(random_update(chance), server.address, port=server.port, timeout=60)
                assert reply.rcode() == dns.rcode.NOERROR
        ours = follow()
        in_git = git(origin.bare, "show", "main:example.com")
        assert ours == dns.zone.from_text(in_git, "example.com.", relativize=False)
        assert any(b"dynamic" in name.labels[0] for name in ours.nodes)
        kinds = Counter(event["kind"] for event in server.events if event["event"] == "zone transferred")
        assert kinds["IXFR"] > len(BRANDS)


def test_a_secondary_is_told_and_transfers_over_tls(
    network: Network, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if network.name == "unix image" or network.is_machine:
        pytest.skip("an image believes the authorities that are linked into it, and no SSL_CERT_FILE")
    content, port, secured = Content(3), free_port(), free_port()
    files = self_signed(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(files.chain))
    rule = next(block for block in blocks("toml") if "tls" in block).replace("198.51.100.53", network.here)
    rule = rule.replace("ns2.example.net", "localhost").rstrip() + f"\nport = {secured}\n"
    origin = Origin(tmp_path)

    def pushed() -> dict[str, bytes]:
        return {"example.com": content.text(), "_keys": key_file(), "_policy.toml": rule.encode()}

    origin.push(pushed())
    tls = (f"--tls-cert={files.chain}", f"--tls-key={files.key}", f"--tls-listen={network.listen}")
    with serve(f"--remote={origin.bare}", "--poll=1d", "--logs=debug", *tls) as server:
        changes = {
            "listen-on port 853": f"listen-on port {secured}",
            "/etc/ssl/certs/ca-certificates.crt": str(files.chain),
            "ns1.example.net": "localhost",
            "/etc/bind/ns2.example.net.pem": str(files.chain),
            "/etc/bind/ns2.example.net.key": str(files.key),
        }
        wish = Wish(tmp_path / "BIND", port, server.ports_for("TLS")[network.server], "bind-tls", changes)
        with running("BIND", wish) as peer:

            def change() -> None:
                content.change()
                assert push_and_notify(origin, server, pushed()).rcode == 0
                server.wait_for("secondary told", secondary=f"{network.here}:{secured}", serial=content.serial)

            follow_over_tls(peer, server, change)


def test_a_secondary_is_told_in_the_clear_and_transfers_over_tls(network: Network, tmp_path: Path) -> None:
    content, port = Content(4), free_port()
    files = self_signed(tmp_path)
    origin = Origin(tmp_path)

    def pushed() -> dict[str, bytes]:
        return {"example.com": content.text(), "_keys": key_file(), "_policy.toml": policy([port])}

    origin.push(pushed())
    tls = (f"--tls-cert={files.chain}", f"--tls-key={files.key}", f"--tls-listen={network.listen}")
    with serve(f"--remote={origin.bare}", "--poll=1d", *tls) as server:
        changes = {"/etc/ssl/certs/ca-certificates.crt": str(files.chain), "ns1.example.net": "localhost"}
        wish = Wish(tmp_path / "NSD", port, server.ports_for("TLS")[network.server], "nsd-tls", changes)
        with running("NSD", wish) as peer:

            def change() -> None:
                content.change()
                assert push_and_notify(origin, server, pushed()).rcode == 0

            follow_over_tls(peer, server, change)


@pytest.mark.parametrize("brand", [name for name, brand in BRANDS.items() if brand.has_catalog])
def test_a_secondary_follows_the_catalog(brand: str, tmp_path: Path) -> None:
    port = free_port()
    origin = Origin(tmp_path)
    common = {"_keys": key_file(), "_policy.toml": policy([port])}
    if brand == "PowerDNS":
        rule = next(block for block in blocks("toml") if "198.51.100.53" in block and "allow" in block)
        common["_policy.toml"] += rule.replace("198.51.100.53", current().here).encode()
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
