"""The networks that the program is tested on."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from dns_build.features import Features
from tests.support import images, patience, qemu
from tests.support.network import HOST, Network, in_image, in_machine, own_stack

_BASIC = {"test_service.py", "test_tls.py", "test_management.py", "test_update.py"}
"""Files whose tests run on a unix image each time; the others do so in `make test-long`."""


_BASIC_FOR_A_MACHINE = {
    "test_answers_over_both_transports_and_both_families[virtio-image-dig]",
    "test_truncated_answer_is_fetched_over_tcp[virtio-image]",
    "test_broken_zone_is_reported_and_others_served[virtio-image]",
    "test_push_is_answered_and_a_broken_one_keeps_what_was_good[virtio-image-git]",
    "test_kdig_gets_an_answer_from_the_certified_server[virtio-image]",
    "test_an_update_is_pushed_and_served_before_it_is_acknowledged[virtio-image-daemon]",
    "test_a_start_without_the_git_server_goes_on_where_the_program_was[virtio-image]",
    "test_metrics_count_what_was_asked[virtio-image]",
    "test_memory_in_use_is_told_and_in_a_machine_of_how_much[virtio-image]",
    "test_a_push_that_a_forge_tells_of_is_served[virtio-image]",
    "test_a_signed_one_is_answered_after_the_sync_with_what_is_served[virtio-image-True]",
    "test_axfr_is_for_keys_alone_by_default[virtio-image-dig]",
    "test_rsyslog_understands_the_lines[virtio-image-udp-octets-rfc5424]",
}
"""The same for virtual machines, each of which takes seconds of an emulated CPU to start."""
_EVERYTHING = Features(("git", "http", "https"), "tls")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Leave most tests with images to long runs: what an image shares with the host is tested there."""
    for item in items:
        is_left = "unix-image" in item.name and item.path.name not in _BASIC
        if is_left or ("virtio-image" in item.name and item.name not in _BASIC_FOR_A_MACHINE):
            item.add_marker(patience.takes_minutes)


@pytest.fixture(scope="session")
def unix_image(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The program as a static file with everything that it can have."""
    return images.build("unix", tmp_path_factory.mktemp("unix"), features=_EVERYTHING).path


@pytest.fixture(scope="session")
def virtio_image(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The program as a virtual machine with everything that it can have."""
    return images.build("virtio", tmp_path_factory.mktemp("virtio"), features=_EVERYTHING).path


@pytest.fixture(
    params=[
        "host",
        pytest.param("own-stack", marks=pytest.mark.netns),
        pytest.param("unix-image", marks=[pytest.mark.slow, pytest.mark.timeout(600)]),  # the first one builds it
        pytest.param("virtio-image", marks=[pytest.mark.slow, pytest.mark.netns, pytest.mark.timeout(600)]),
    ]
)
def network(request: pytest.FixtureRequest) -> Iterator[Network]:
    """The host's network; the own stack, with the test on the other end of its link; and each of them with an image."""
    match request.param:
        case "host":
            yield HOST
        case "own-stack":
            with own_stack() as own:
                yield own
        case "unix-image":
            with in_image(request.getfixturevalue("unix_image")) as image:
                yield image
        case _:
            image = request.getfixturevalue("virtio_image")
            qemu.program()  # skips the test where it can't be had
            with in_machine(image) as machine:
                yield machine
