"""docs/primary.md: the ways in which zones change, each executed as the page has it, with other addresses and paths."""

import base64
import configparser
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import dns.flags
import dns.message
import dns.name
import dns.query
import dns.rcode
import dns.rdataclass
import dns.rdatatype
import dns.tsig
import dns.tsigkeyring
import dns.update
import pytest

from tests.dns_server.test_primary_page import blocks
from tests.support.debian import need
from tests.support.dig import short
from tests.support.git import ENVIRONMENT, Origin, daemon, git
from tests.support.network import current
from tests.support.server import Server, eventually, serve
from tests.support.trees import zone_text

pytestmark = pytest.mark.usefixtures("network")

KEYS = "".join(blocks("update-keys")).encode()
POLICY = next(block for block in blocks("toml") if "acme" in block).encode()


@pytest.fixture
def origin(tmp_path: Path) -> Origin:
    made = Origin(tmp_path)
    made.push({"example.com": zone_text(1, "old A 192.0.2.1"), "_keys": KEYS, "_policy.toml": POLICY})
    return made


def block(kind: str) -> str:
    (found,) = blocks(kind)
    return found


def answer(server: Server, *question: str) -> list[str]:
    return short(server.address, server.port, *question)


def shell(script: str, folder: Path, others: Mapping[str, str] | None = None) -> str:
    """Run `script` with our `unizone`, in the environment of `others` besides; what it prints."""
    script = script.replace("unizone ", f"{sys.executable} -m dns_server ", 1) if "unizone " in script else script
    environment = {**ENVIRONMENT, **(others or {}), "PYTHONPATH": f"{ROOT}:{ROOT}/platform:{ROOT}/build"}
    done = subprocess.run(
        ["sh", "-e", "-c", script], cwd=folder, env=environment, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, f"{script}: {done.stdout}{done.stderr}"
    return done.stdout + done.stderr


ROOT = Path(__file__).parents[2]


def test_hooks(origin: Origin, tmp_path: Path) -> None:
    (tmp_path / "hook.key").write_bytes(KEYS.splitlines()[0] + b"\n")
    with serve(f"--remote={origin.bare}", "--poll=1h") as server:
        script = block("hooks").replace("/srv/git/zones.git", str(origin.bare))
        script = script.replace("192.0.2.53", server.endpoint)
        assert "post-receive" in shell(script.replace("/etc/unizone", str(tmp_path)), tmp_path)
        origin.push({"example.com": zone_text(2, "new A 192.0.2.2"), "_keys": KEYS})
        assert answer(server, "new.example.com", "A") == ["192.0.2.2"]


@pytest.mark.parametrize("commands", blocks("webhook"), ids=["GitHub", "Gitea", "GitLab"])
def test_webhook(commands: str, origin: Origin, tmp_path: Path) -> None:
    programs_used = need("curl", "openssl").environment
    (tmp_path / "webhook-secret").write_text("a secret of the webhook\n")
    parameters = ["--poll=1h", *current().http, f"--webhook-secret=@{tmp_path}/webhook-secret"]
    with serve(f"--remote={origin.bare}", *parameters) as server:
        origin.push({"example.com": zone_text(2, "new A 192.0.2.2")})
        script = commands.replace("/etc/unizone", str(tmp_path))
        script = script.replace("192.0.2.53:8053", f"{server.address}:{server.port_for('HTTP')}")
        assert "looking for the new version" in shell(script, tmp_path, programs_used)
        eventually(lambda: answer(server, "new.example.com", "A") == ["192.0.2.2"])


@pytest.mark.parametrize(("package", "program"), [("bind9-dnsutils", "nsupdate"), ("knot-dnsutils", "knsupdate")])
def test_nsupdate(package: str, program: str, origin: Origin) -> None:
    tree = need(package)
    with serve(f"--remote={origin.bare}", "--poll=1h") as server:
        script = block("nsupdate").replace("192.0.2.53 53", f"{server.address} {server.port}")
        command = [str(tree.path(program))]
        done = subprocess.run(command, input=script, capture_output=True, text=True, env=tree.environment, timeout=90)
        assert done.returncode == 0, done.stderr
        assert answer(server, "www.example.com", "A") == ["192.0.2.80"]
    assert git(origin.bare, "log", "-1", "--format=%an", "main") == "laptop._update.example.com"


CHALLENGE = dns.name.from_text("_acme-challenge.www.example.com.")


def certbot(server: Server, key: dns.tsig.Key) -> None:
    """What certbot's plugin does with dnspython: look for the zone, signed or not, then add and remove one record."""
    zone = CHALLENGE
    while not _is_zone(server, zone, None):
        zone = zone.parent()
    assert _is_zone(server, zone, key)
    for is_there in (True, False):
        update = dns.update.UpdateMessage(zone, keyring=key)
        if is_there:
            update.add(CHALLENGE.relativize(zone), 120, dns.rdatatype.TXT, "token")
        else:
            update.delete(CHALLENGE.relativize(zone), dns.rdatatype.TXT, "token")
        reply = dns.query.tcp(update, server.address, port=server.port, timeout=60)
        assert reply.rcode() == dns.rcode.NOERROR
        assert answer(server, CHALLENGE.to_text(), "TXT") == (['"token"'] if is_there else [])


def _is_zone(server: Server, name: dns.name.Name, key: dns.tsig.Key | None) -> bool:
    query = dns.message.make_query(name, dns.rdatatype.SOA)
    query.flags ^= dns.flags.RD
    if key is not None:
        query.use_tsig(key)
    reply = dns.query.tcp(query, server.address, port=server.port, timeout=60)
    found = reply.get_rrset(reply.answer, name, dns.rdataclass.IN, dns.rdatatype.SOA)
    return bool(reply.rcode() == dns.rcode.NOERROR and found and reply.flags & dns.flags.AA)


def lego(server: Server, key: dns.tsig.Key) -> None:
    """What lego does over UDP: what is left over goes and the token comes in one message; look for it; remove it."""
    for token in ("left over", "token"):
        update = dns.update.UpdateMessage("example.com.", keyring=key)
        update.delete(CHALLENGE, dns.rdatatype.TXT)
        update.add(CHALLENGE, 120, dns.rdatatype.TXT, f'"{token}"')
        reply = dns.query.udp(update, server.address, port=server.port, timeout=60)
        assert reply.rcode() == dns.rcode.NOERROR
        assert answer(server, CHALLENGE.to_text(), "TXT") == [f'"{token}"']
    update = dns.update.UpdateMessage("example.com.", keyring=key)
    update.delete(CHALLENGE, dns.rdatatype.TXT, '"token"')
    assert dns.query.udp(update, server.address, port=server.port, timeout=60).rcode() == dns.rcode.NOERROR
    assert answer(server, CHALLENGE.to_text(), "TXT") == []


def settings(text: str) -> Mapping[str, str]:
    parser = configparser.ConfigParser()
    parser.read_string(f"[it]\n{text}")
    return parser["it"]


@pytest.mark.parametrize(
    ("client", "fields"),
    [
        (certbot, ("dns_rfc2136_name", "dns_rfc2136_secret", "dns_rfc2136_algorithm")),
        (lego, ("RFC2136_TSIG_KEY", "RFC2136_TSIG_SECRET", "RFC2136_TSIG_ALGORITHM")),
    ],
)
def test_a_certificate(
    client: Callable[[Server, dns.tsig.Key], None], fields: tuple[str, str, str], origin: Origin
) -> None:
    given = settings(block(client.__name__))
    name, secret, algorithm = (given[field] for field in fields)
    base64.b64decode(secret, validate=True)
    with serve(f"--remote={origin.bare}", "--poll=1h") as server:
        key = dns.tsig.Key(name, secret, algorithm.lower())
        client(server, key)
        other = dns.update.UpdateMessage("example.com.", keyring=key)
        other.add("www", 120, "A", "192.0.2.66")
        assert dns.query.tcp(other, server.address, port=server.port, timeout=60).rcode() == dns.rcode.REFUSED


PRIMARY_GIT = """\
$ORIGIN example.com.
$TTL 3600
@ SOA ns1 hostmaster 1 86400 7200 1048576 3600
@ NS ns1
ns1 A 10.0.42.2
www A 10.0.42.5
"""
PRIMARY_GIT_KEYS = """\
personal._update.example.com. DNSKEY 0 3 163 c2VjcmV0IG9mIHRoZSBsYXB0b3AsIDMyIG9jdGV0cyEhISE=
10.0.42.2.10.0.42.4._transfer.example.com. DNSKEY 0 3 163 c2VjcmV0IG9mIHRoZSBhY21lIGNsaWVudCwgMzIgb2N0ZXQ=
"""


def test_the_repository_of_dns_primary_git_is_served_and_updated_without_a_change(origin: Origin) -> None:
    origin.push({"example.com": PRIMARY_GIT.encode(), "_keys": PRIMARY_GIT_KEYS.encode(), "README.md": b"zones\n"})
    command = block("move").split()[2:]
    with daemon(origin.folder) as base:
        parameters = [part.replace("git://git.example.net", base) for part in command if "--listen" not in part]
        with serve(*parameters) as server:
            assert answer(server, "www.example.com", "A") == ["10.0.42.5"]
            assert len(answer(server, "example.com", "AXFR", "+tcp")) == 5
            update = dns.update.UpdateMessage("example.com")
            key = PRIMARY_GIT_KEYS.split()
            update.use_tsig(dns.tsig.Key(key[0], key[5], dns.tsig.HMAC_SHA256))
            update.add("new", 60, "A", "10.0.42.6")
            assert dns.query.tcp(update, server.address, port=server.port, timeout=60).rcode() == dns.rcode.NOERROR
            assert answer(server, "new.example.com", "A") == ["10.0.42.6"]
    text = git(origin.bare, "show", "main:example.com")
    assert text == PRIMARY_GIT.replace(" 1 86400", " 2 86400") + "new.example.com. 60 A 10.0.42.6"


def test_moving_from_bind(tmp_path: Path) -> None:
    (tmp_path / "db.example.com").write_bytes(zone_text(7, "www A 192.0.2.80"))
    assert "clean" in shell(block("bind-move").replace("/etc/bind", str(tmp_path)), tmp_path)
    with serve(f"--remote={tmp_path}/zones") as server:
        assert answer(server, "www.example.com", "A") == ["192.0.2.80"]
