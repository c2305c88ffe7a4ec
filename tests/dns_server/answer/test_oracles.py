"""Every answer over the corpus equals NSD's, Knot's and BIND's, but for the differences of docs/deviations.md."""

from tests.dns_server.answer import deviations
from tests.dns_server.answer.compare import Bench, report
from tests.dns_server.answer.questions import queries


def test_answers_equal_those_of_other_servers(bench: Bench) -> None:
    found = [difference for zone in bench.zones for difference in bench.differences(zone, queries(zone))]
    assert not found, report(found)


def test_the_document_is_made_from_the_table() -> None:
    assert deviations.DOCUMENT.read_text() == deviations.document(), (
        "run python -m tests.dns_server.answer.deviations and commit docs/deviations.md"
    )
