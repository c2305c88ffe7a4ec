"""The other servers, running on the corpus for the whole run."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from dns_server.answer.engine import Engine
from tests.dns_server.answer.compare import Bench
from tests.support.debian import Unavailable
from tests.support.served import catalogue_of, zone_from_text
from tests.support.servers import NAMES, running

CORPUS = Path(__file__).parents[2] / "corpus" / "zones"


def corpus(group: str) -> dict[str, Path]:
    """Origins and files: the root is served alone, for every name is in it."""
    files = {("." if path.stem == "root" else f"{path.stem}."): path for path in sorted(CORPUS.glob("*.zone"))}
    return {origin: path for origin, path in files.items() if (origin == ".") == (group == "root")}


@pytest.fixture(scope="session", params=["zones", "root"])
def bench(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    """Our engine and the other servers on the same zones of the corpus."""
    files = corpus(request.param)
    with ExitStack() as stack:
        try:
            servers = [
                stack.enter_context(running(name, tmp_path_factory.mktemp(name.lower()), files)) for name in NAMES
            ]
        except Unavailable as unavailable:
            pytest.skip(str(unavailable))
        zones = [zone_from_text(path.read_text(), origin) for origin, path in files.items()]
        yield Bench(Engine(catalogue=catalogue_of(*zones)), zones, servers)
