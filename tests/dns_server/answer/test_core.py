"""The core answers octet for octet as the engine does: its source as plain Python, and compiled where it is."""

import importlib
import random
from collections.abc import Iterator

import pytest
from dns.message import make_query

from dns_server.answer import indexing
from dns_server.answer.batch import Batch
from dns_server.answer.engine import Engine
from dns_server.answer.protocol import Transport
from tests.dns_server.answer.conftest import CORPUS, corpus
from tests.dns_server.answer.questions import queries
from tests.fuzz_respond import IDENTITY, mutate
from tests.support.debian import Unavailable
from tests.support.served import catalogue_of, zone_from_text
from tests.support.signing import SIGNERS
from tests.support.uncompiled import uncompiled
from zones.name import from_text
from zones.slices import run_to_end
from zones.zone import Zone

STRIDE = 600


@pytest.fixture(params=["plain", "compiled"])
def core(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Which of the two the engine uses."""
    if request.param == "compiled":
        if not indexing.has_core():
            pytest.skip("the core is not compiled")
        yield "compiled"
        return
    monkeypatch.setattr(indexing, "has_core", lambda: True)
    with uncompiled(indexing.CORE):
        assert not importlib.import_module(f"{indexing.CORE}.responder").COMPILED
        yield "plain"


def engine_of(zones: list[Zone]) -> Engine:
    return Engine(IDENTITY, catalogue_of(*zones, revision="0" * 40))


def reference(zones: list[Zone]) -> Engine:
    """An engine without a core."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(indexing, "has_core", lambda: False)
        return engine_of(zones)


def answered_by_core(engine: Engine, plain: Engine, wires: list[bytes]) -> int:
    """How many of `wires` the core answers when they come again; all replies must equal those of `plain`."""
    batch = Batch(len(wires), STRIDE)
    for index, wire in enumerate(wires):
        batch.put_query(index, wire)
    expected = [plain.respond(wire, Transport.UDP, 0.0) for wire in wires]
    for _ in range(3):  # cold, filled, and once more
        engine.respond_batch(batch, len(wires), lambda wire, _: engine.respond(wire, Transport.UDP, 0.0), 0.0)
        for index, wire in enumerate(wires):
            assert batch.reply(index) == expected[index], wire.hex()
    return len(wires) - engine.respond_core(batch, len(wires), 0.0)


def corpus_zones() -> list[Zone]:
    return [zone_from_text(path.read_text(), origin) for origin, path in corpus("zones").items()]


def test_corpus(core: str) -> None:
    zones = corpus_zones()
    wires = [wire for zone in zones for do in (False, True) for wire in queries(zone, do=do)]
    wires = wires[:: 3 if core == "compiled" else 40]
    hits = answered_by_core(engine_of(zones), reference(zones), wires)
    assert hits > len(wires) * 0.75, "the core no longer answers most of what is asked"


def test_root(core: str) -> None:
    zones = [zone_from_text((CORPUS / "root.zone").read_text(), ".")]
    wires = list(queries(zones[0]))[:: 1 if core == "compiled" else 10]
    assert answered_by_core(engine_of(zones), reference(zones), wires) > len(wires) // 2


@pytest.mark.parametrize("signer", ["bind-nsec", "bind-nsec3", "bind-nsec3-optout"])
def test_signed_zones(core: str, signer: str, tmp_path_factory: pytest.TempPathFactory) -> None:
    zones = []
    for origin, path in list(corpus("zones").items())[::3]:
        try:
            signed = SIGNERS[signer](path, origin, tmp_path_factory.mktemp("signed"))
        except Unavailable as unavailable:
            pytest.skip(str(unavailable))
        zones.append(zone_from_text(signed.read_text(), origin))
    wires = [wire for zone in zones for do in (False, True) for wire in queries(zone, do=do)]
    wires = wires[:: 7 if core == "compiled" else 60]
    assert answered_by_core(engine_of(zones), reference(zones), wires) > len(wires) * 0.7


def test_mutated_packets(core: str) -> None:
    zones = corpus_zones()
    rng = random.Random(7)
    engine, plain = engine_of(zones), reference(zones)
    seeds = [wire for zone in zones for wire in queries(zone)]
    count = 5_000 if core == "compiled" else 500
    wires = [mutate(rng.choice(seeds), seeds, rng) for _ in range(count)]
    answered_by_core(engine, plain, [wire for wire in wires if len(wire) <= STRIDE])


def test_letter_case(core: str) -> None:
    zones = corpus_zones()
    rng = random.Random(5)
    seeds = [wire for zone in zones for wire in queries(zone)][::7]
    wires = [_scramble(wire, rng) for wire in seeds if not wire[11]]
    answered_by_core(engine_of(zones), reference(zones), wires[:: 2 if core == "compiled" else 20])


def _scramble(wire: bytes, rng: random.Random) -> bytes:
    """A query without EDNS in mixed letter case."""
    name = bytes(octet ^ 32 if chr(octet).isalpha() and rng.random() < 0.5 else octet for octet in wire[12:-4])
    return wire[:12] + name + wire[-4:]


def test_zones_come_change_and_go(core: str) -> None:
    def zone(address: str, origin: str) -> Zone:
        return zone_from_text(f"$TTL 60\n@ SOA ns host 1 2 3 4 5\n@ NS ns\nns A {address}\nsub NS ns.sub\n", origin)

    parent, child = zone("192.0.2.1", "a.test."), zone("192.0.2.2", "sub.a.test.")
    wires = [wire for origin in (parent, child) for wire in queries(origin)]
    engine, plain = engine_of([parent]), reference([parent])
    answered_by_core(engine, plain, wires)
    for change in (
        {"changes": [child]},
        {"changes": [zone("192.0.2.3", "a.test.")]},
        {"removed": {from_text("sub.a.test.")}},
        {"broken": {from_text("sub.a.test.")}},
        {"changes": [child, *(zone("192.0.2.4", f"z{number}.test.") for number in range(100))]},
        {"removed": {from_text("a.test.")}},
    ):
        for each in (engine, plain):
            tables = {table.origin: table for table in catalogue_of(*change.get("changes", [])).zones.values() if table}
            each.catalogue = each.catalogue.updated(
                tables, change.get("removed", frozenset()), broken=change.get("broken", frozenset())  # type: ignore[arg-type]
            )  # fmt: skip
        answered_by_core(engine, plain, wires)


def test_big_zones_are_indexed_when_they_are_built(core: str) -> None:
    text = "$TTL 60\n@ SOA ns host 1 2 3 4 5\n@ NS ns\n" + "".join(f"h{n}.x{n % 7} A 192.0.2.1\n" for n in range(600))
    zone = zone_from_text(text, "big.test.")
    (table,) = catalogue_of(zone).zones.values()
    assert table is not None
    assert table.index is not None
    answered_by_core(engine_of([zone]), reference([zone]), list(queries(zone)))
    assert run_to_end(indexing.index_of(table)) is not None


def test_answers_stay_while_room_for_them_grows(core: str) -> None:
    """Keys move to larger tables a few at a time, and answers fill more than one segment."""
    count = 9_000 if core == "compiled" else 300
    text = "$TTL 60\n@ SOA ns host 1 2 3 4 5\n@ NS ns\n" + "".join(f'h{n} TXT "{n:0150}"\n' for n in range(count))
    zone = zone_from_text(text, "big.test.")
    wires = [make_query(f"h{number}.big.test.", "TXT").to_wire() for number in range(count)]
    assert answered_by_core(engine_of([zone]), reference([zone]), wires) == count


def test_answers_are_forgotten_in_steps_and_kept_anew(core: str) -> None:
    count = 9_000 if core == "compiled" else 300
    text = "$TTL 60\n@ SOA ns host 1 2 3 4 5\n@ NS ns\n" + "".join(f"h{n} A 192.0.2.1\n" for n in range(count))
    zone = zone_from_text(text, "big.test.")
    wires = [make_query(f"h{number}.big.test.", "A").to_wire() for number in range(count)]
    engine, plain = engine_of([zone]), reference([zone])
    for _ in range(3):
        assert answered_by_core(engine, plain, wires) == count
        (table,) = engine.catalogue.zones.values()
        assert table is not None
        assert table.index is not None
        assert sum(1 for _ in table.index.release()) > 3
