"""The networks that the program is tested on."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from dns_build.features import Features
from tests.support import images, patience
from tests.support.network import HOST, Network, in_image, own_stack

_BASIC = {"test_service.py", "test_tls.py", "test_management.py", "test_update.py"}
"""Files whose tests run on a unix image each time; the others do so in `make test-long`."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Leave most tests with images to long runs: what an image shares with the host is tested there."""
    for item in items:
        if "unix-image" in item.name and item.path.name not in _BASIC:
            item.add_marker(patience.takes_minutes)


@pytest.fixture(scope="session")
def unix_image(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The program as a static file with everything that it can have."""
    everything = Features(("git", "http", "https"), "tls")
    return images.build("unix", tmp_path_factory.mktemp("unix"), features=everything).path


@pytest.fixture(
    params=[
        "host",
        pytest.param("own-stack", marks=pytest.mark.netns),
        pytest.param("unix-image", marks=[pytest.mark.slow, pytest.mark.timeout(600)]),  # the first one builds it
    ]
)
def network(request: pytest.FixtureRequest) -> Iterator[Network]:
    """The host's network; the own stack, with the test on the other end of its link; the host's, asking an image."""
    match request.param:
        case "host":
            yield HOST
        case "own-stack":
            with own_stack() as own:
                yield own
        case _:
            with in_image(request.getfixturevalue("unix_image")) as image:
                yield image
