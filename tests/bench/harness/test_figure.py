"""The figures of benchmarks as they are told."""

from xml.etree import ElementTree as ET

import pytest

from tests.bench.harness.figure import Figure, Relation, number
from tests.bench.harness.picture import picture
from tests.bench.harness.report import Outcome, summary, table


@pytest.mark.parametrize(
    ("value", "goal", "relation", "verdict"),
    [
        (0.75, 1.0, Relation.AT_MOST, "met, by 25 %"),
        (1.3, 1.0, Relation.AT_MOST, "missed, by 30 %"),
        (600.0, 500.0, Relation.AT_LEAST, "met, by 20 %"),
        (400.0, 500.0, Relation.AT_LEAST, "missed, by 20 %"),
        (0.0, 0.0, Relation.AT_MOST, "met"),
        (1.0, None, Relation.AT_MOST, ""),
    ],
)
def test_a_verdict_says_by_which_part_of_the_goal(
    value: float, goal: float | None, relation: Relation, verdict: str
) -> None:
    assert Figure("it", value, "us", goal, relation).verdict == verdict


@pytest.mark.parametrize(
    ("value", "text"),
    [(0, "0"), (0.6666, "0.667"), (4.214, "4.21"), (31.26, "31.3"), (143000.4, "143,000"), (2.0, "2")],
)
def test_numbers_have_about_three_digits(value: float, text: str) -> None:
    assert number(value) == text


def test_a_figure_survives_its_way_between_processes() -> None:
    figure = Figure("CPU", 1.5, "us", 2.0, Relation.AT_LEAST, "of NSD's", "panel")
    assert Figure.from_json(figure.to_json()) == figure


def test_table_and_picture_tell_every_figure() -> None:
    figures = [
        Figure("unizone", 4.0, "us", panel="CPU <a query>"),
        Figure("NSD", 6.0, "us", panel="CPU <a query>"),
        Figure("CPU, of NSD's", 0.667, "", 0.85),
        Figure("bulk", 100, "Mbit/s", 500, Relation.AT_LEAST),
    ]
    outcomes = [Outcome("one", "What is measured", figures), Outcome("two", "More", problem="needs | root")]
    text = table(outcomes)
    assert all(figure.name in text and figure.value_text in text for figure in figures)
    assert "**missed, by 80 %**" in text
    assert "needs \\| root" in text
    assert len({line.count(" | ") for line in text.splitlines()}) == 1
    assert summary(outcomes) == "1 of 2 goals met; not measured: two"
    tree = ET.fromstring(picture(figures, "2026"))
    texts = [element.text or "" for element in tree.iter("{http://www.w3.org/2000/svg}text")]
    assert {"unizone", "NSD", "CPU <a query> (us)", "bulk", "2026"} <= set(texts)
