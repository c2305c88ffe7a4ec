"""Rate limits: what a network gets, compared with a plain model, and what becomes of an answer that is over."""

import os
import subprocess
import sys
from collections import defaultdict
from ipaddress import ip_network
from types import ModuleType

import dns.flags
import dns.message
import dns.rcode
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dns_server.answer.batch import Batch
from dns_server.answer.engine import Engine
from dns_server.answer.protocol import Transport
from dns_server.limiting import limiting
from dns_server.limiting.limiting import Limiting, RateLimits
from dns_server.limiting.rate_limiter import CLASSES, network_of
from stack.address import parse
from tests.support.plain import plain_module
from tests.support.served import catalogue_of, zone_from_text

MODULE = "dns_server.limiting.rate_limiter"
SECRET = bytes(range(24))
ZONE = """\
$TTL 60
@ SOA ns1 h 1 1h 10m 7d 1m
@ NS ns1
ns1 A 192.0.2.1
@ DNSKEY 257 3 13 mdsswUyr3DPW132mOi8V9xESWE8jTo0dxCjjnopKl+GqJxpVXckHAeF+KkxLbxILfDLUT0rAK9iUzy1L53eKGQ==
big TXT "x"
sub NS ns1.elsewhere.test.
"""


@pytest.fixture(params=["as installed", "plain"])
def module(request: pytest.FixtureRequest) -> ModuleType:
    """The limiter as it is installed, compiled or not, and its source run by Python."""
    return sys.modules[MODULE] if request.param == "as installed" else plain_module(MODULE)


@pytest.fixture(scope="module")
def engine() -> Engine:
    return Engine(catalogue=catalogue_of(zone_from_text(ZONE, "example.test.")))


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def limiting_of(
    module: ModuleType, clock: Clock, rate: int = 10, slip: int = 0, exempt: tuple[str, ...] = ()
) -> tuple[Limiting, list[dict[str, object]]]:
    told: list[dict[str, object]] = []
    limits = RateLimits(rate, slip, [ip_network(text) for text in exempt])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(limiting, "RateLimiter", module.RateLimiter)
        return Limiting(limits, SECRET, clock, lambda event, **fields: told.append({"event": event, **fields})), told


def query(name: str = "ns1.example.test.", rdtype: str = "A", **options: object) -> bytes:
    return dns.message.make_query(name, rdtype, **options).to_wire()  # type: ignore[arg-type]


def answered(
    engine: Engine, limits: Limiting, wire: bytes, source: str, *, trusted: bool = False
) -> dns.message.Message | None:
    reply = engine.respond(wire, Transport.UDP, 0.0)
    assert reply is not None
    left = limits.limit_one(wire, reply, parse(source), trusted=trusted)
    return None if left is None else dns.message.from_wire(left)


@pytest.mark.skipif(sys.hash_info.algorithm != "siphash13", reason="this Python hashes octets in another way")
@given(message=st.binary(min_size=8, max_size=8))
@settings(max_examples=5, deadline=None)
def test_siphash_is_that_of_python(message: bytes) -> None:
    """With a hash seed of 0 Python's key is all zeros."""
    code = f"print(hash({message!r}) & 0xFFFFFFFFFFFFFFFF)"
    environment = {**os.environ, "PYTHONHASHSEED": "0"}
    result = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    for module in (sys.modules[MODULE], plain_module(MODULE)):
        assert module.siphash(0, 0, int.from_bytes(message, "little")) == int(result.stdout)


def test_siphash_depends_on_every_bit_of_its_key(module: ModuleType) -> None:
    hashes = {module.siphash(1 << bit, 0, 7) for bit in range(64)} | {
        module.siphash(0, 1 << bit, 7) for bit in range(64)
    }
    assert len(hashes) == 128


def test_a_network_gets_the_rate_at_once_and_then_each_second(module: ModuleType, engine: Engine) -> None:
    clock = Clock()
    limits, _ = limiting_of(module, clock)
    sources = ["192.0.2.1", "192.0.2.77", "192.0.2.255"]  # one /24
    got = [answered(engine, limits, query(), sources[number % 3]) is not None for number in range(30)]
    assert got == [True] * 10 + [False] * 20
    clock.now += 1.0
    assert sum(answered(engine, limits, query(), "192.0.2.9") is not None for _ in range(30)) == 10
    clock.now += 0.55
    assert sum(answered(engine, limits, query(), "192.0.2.9") is not None for _ in range(30)) == 5
    assert answered(engine, limits, query(), "192.0.3.1") is not None


def test_ipv6_networks_are_of_56_bits(module: ModuleType, engine: Engine) -> None:
    limits, told = limiting_of(module, Clock(), rate=1)
    assert answered(engine, limits, query(), "2001:db8:1:100::1") is not None
    assert answered(engine, limits, query(), "2001:db8:1:1ff::2") is None
    assert answered(engine, limits, query(), "2001:db8:1:200::1") is not None
    assert told == [
        {
            "event": "answers over the rate limit were dropped or truncated",
            "client": "2001:db8:1:100::/56",
            "kind": "positive",
        }
    ]


QUESTIONS = {
    "positive": query(),
    "nodata": query(rdtype="AAAA"),
    "nxdomain": query("nothing.example.test."),
    "referral": query("www.sub.example.test."),
    "any": query(rdtype="ANY"),
    "dnskey": query("example.test.", "DNSKEY"),
    "error": query("elsewhere.invalid."),
}


def test_each_class_has_a_rate_of_its_own(module: ModuleType, engine: Engine) -> None:
    assert tuple(QUESTIONS) == CLASSES
    limits, told = limiting_of(module, Clock(), rate=2)
    for wire in QUESTIONS.values():
        assert [answered(engine, limits, wire, "192.0.2.1") is not None for _ in range(4)] == [True, True, False, False]
    assert limits.limiter.counts() == [(name, 2, 0) for name in CLASSES]
    assert [line["kind"] for line in told] == [name for name in CLASSES for _ in range(2)]
    assert limits.limiter.limited == 14


@pytest.mark.parametrize("kind", CLASSES)
@pytest.mark.parametrize("edns", [False, True])
def test_what_slips_is_small_and_truncated(module: ModuleType, engine: Engine, kind: str, edns: bool) -> None:
    limits, _ = limiting_of(module, Clock(), rate=1, slip=1)
    asked = dns.message.from_wire(QUESTIONS[kind])
    if edns:
        asked.use_edns(0, dns.flags.DO, 4096)
    wire = asked.to_wire()
    answered(engine, limits, wire, "192.0.2.1")
    slipped = answered(engine, limits, wire, "192.0.2.1")
    assert slipped is not None
    assert slipped.question == asked.question
    assert (slipped.edns == 0) is edns
    assert not slipped.answer
    if kind == "error":
        assert slipped.rcode() == dns.rcode.REFUSED
    else:
        assert slipped.flags & (dns.flags.TC | dns.flags.AA) == dns.flags.TC
        assert slipped.rcode() == dns.rcode.NOERROR
        assert len(slipped.to_wire()) <= len(wire)
        assert (slipped.ednsflags == dns.flags.DO) is edns
    assert limits.limiter.counts()[CLASSES.index(kind)] == (kind, 0, 1)


@pytest.mark.parametrize("slip", [2, 3, 10])
def test_one_in_slip_is_truncated(module: ModuleType, engine: Engine, slip: int) -> None:
    limits, _ = limiting_of(module, Clock(), rate=1, slip=slip)
    found = [answered(engine, limits, query(), "192.0.2.1") for _ in range(2001)][1:]
    slipped = [reply for reply in found if reply is not None]
    assert 0.7 < len(slipped) * slip / 2000 < 1.3
    assert all(reply.flags & dns.flags.TC for reply in slipped)
    pattern = [reply is None for reply in found]
    assert pattern[:1000] != pattern[1000:], "who can count along could have others' answers dropped"


def test_exempt_networks_and_known_clients_are_not_limited(module: ModuleType, engine: Engine) -> None:
    limits, told = limiting_of(module, Clock(), rate=1, exempt=("198.51.100.0/24", "2001:db8::7/128", "10.0.0.0/9"))
    for source in ("198.51.100.9", "2001:db8::7", "10.127.0.1"):
        assert all(answered(engine, limits, query(), source) for _ in range(5))
    assert all(answered(engine, limits, query(), "192.0.2.1", trusted=True) for _ in range(5))
    assert limits.limiter.exempted == 20
    assert not told
    for source in ("2001:db8::8", "10.128.0.1", "198.51.101.1"):
        assert [answered(engine, limits, query(), source) is not None for _ in range(2)] == [True, False]


def test_everybody_may_be_exempt(module: ModuleType, engine: Engine) -> None:
    limits, _ = limiting_of(module, Clock(), rate=1, exempt=("0.0.0.0/0", "::/0"))
    for source in ("198.51.100.9", "2001:db8::7"):
        assert all(answered(engine, limits, query(), source) for _ in range(5))


def test_a_flood_of_other_networks_does_not_free_one_that_is_over(module: ModuleType, engine: Engine) -> None:
    clock = Clock()
    limits, _ = limiting_of(module, clock, rate=50)
    size = 512
    batch = Batch(size, 512)
    wire = query()
    reply = engine.respond(wire, Transport.UDP, 0.0)
    assert reply is not None
    for _ in range(100):
        answered(engine, limits, wire, "192.0.2.1")
    networks = 20_000 if module is not sys.modules[MODULE] or not module.COMPILED else 1_000_000
    for start in range(0, networks, size):
        for index in range(size):
            batch.put_query(index, wire)
            batch.put_reply(index, reply)
            batch.put_source(index, (0x0A000000 + ((start + index) << 8)).to_bytes(4, "big"))
        limits.limit(batch, size)
        assert 0 not in batch.reply_lengths, "a network that asked once was limited"
    assert answered(engine, limits, wire, "192.0.2.1") is None


steps = st.lists(
    st.tuples(st.sampled_from([0.0, 0.01, 0.1, 0.3, 2.0]), st.integers(0, 3), st.sampled_from(list(QUESTIONS)))
)


@given(steps=steps, rate=st.integers(1, 20))
@settings(max_examples=50, deadline=None)
def test_a_plain_bucket_of_tokens_for_each_network_and_class_agrees(
    steps: list[tuple[float, int, str]], rate: int
) -> None:
    """A bucket that holds `rate` tokens, gets `rate` a second, and pays one for each answer."""
    engine = Engine(catalogue=catalogue_of(zone_from_text(ZONE, "example.test.")))
    for module in (sys.modules[MODULE], plain_module(MODULE)):
        clock = Clock()
        limits, _ = limiting_of(module, clock, rate=rate)
        tokens: dict[tuple[int, str], float] = defaultdict(lambda: float(rate))
        for wait, network, kind in steps:
            clock.now += wait
            for key in tokens:
                tokens[key] = min(float(rate), tokens[key] + wait * rate)
            paid = tokens[network, kind] >= 1 - 1e-6
            if paid:
                tokens[network, kind] -= 1
            assert (answered(engine, limits, QUESTIONS[kind], f"192.0.{network}.1") is not None) is paid


def test_the_network_of_a_bucket() -> None:
    assert network_of(1 << 63 | 6 << 57 | 1 << 56 | 0xC00002) == (parse("192.0.2.0"), 24, "error")
    assert network_of(1 << 63 | 0x20010DB8000001) == (parse("2001:db8:0:100::"), 56, "positive")


def test_bad_settings_are_refused(module: ModuleType) -> None:
    with pytest.raises(ValueError, match="24 octets"):
        module.RateLimiter(b"short", 10.0, 2, [])
    with pytest.raises(ValueError, match="at least 1"):
        module.RateLimiter(SECRET, 0.5, 2, [])
