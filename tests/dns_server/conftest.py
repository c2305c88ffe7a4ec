"""The networks that the program is tested on."""

from collections.abc import Iterator

import pytest

from tests.support.network import HOST, Network, own_stack


@pytest.fixture(params=["host", pytest.param("own-stack", marks=pytest.mark.netns)])
def network(request: pytest.FixtureRequest) -> Iterator[Network]:
    """The host's network, then the program's own stack with the same test on the other end of its link."""
    if request.param == "host":
        yield HOST
    else:
        with own_stack() as own:
            yield own
