"""Keeps what was measured: a page with the table, and the picture beside it."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from tests.bench.harness.picture import picture
from tests.bench.harness.report import Outcome, markdown, summary, table


def write(folder: Path, text: str, outcomes: Sequence[Outcome], about: Mapping[str, str], *told: str) -> None:
    """Write README.md and figures.svg into `folder`.

    `text` has places for {versions}, {table} and {summary}; the picture's caption says date and machine of `about`, and
    what is `told` besides.
    """
    folder.mkdir(parents=True, exist_ok=True)
    figures = [figure for outcome in outcomes for figure in outcome.figures]
    (folder / "figures.svg").write_text(picture(figures, ", ".join((about["date"], about["machine"], *told))))
    page = text.format(
        versions=markdown(("of", "version"), list(about.items())), table=table(outcomes), summary=summary(outcomes)
    )
    (folder / "README.md").write_text(page)
