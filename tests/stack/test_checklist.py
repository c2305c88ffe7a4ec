"""The checklist names tests that are there, and the page in docs/ is made of it."""

import re
from pathlib import Path

import pytest

from tests.stack.checklist import RULES, page

HERE = Path(__file__).parent
PAGE = HERE.parents[1] / "docs" / "stack-tests.md"


@pytest.mark.parametrize("rule", RULES)
def test_what_proves_a_rule_is_there(rule: str) -> None:
    proof = RULES[rule]
    for named in () if isinstance(proof, str) else proof:
        file, _, name = named.partition("::")
        assert re.search(rf"^def test_{name}\(", (HERE / f"{file}.py").read_text(), re.MULTILINE), named


def test_the_page_is_that_of_the_checklist() -> None:
    assert PAGE.read_text(encoding="utf-8") == "\n".join(page()) + "\n", (
        "run: python -m tests.stack.checklist > docs/stack-tests.md"
    )
