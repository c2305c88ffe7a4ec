"""The table of all figures, the same for a terminal and for a page: Markdown with its columns aligned."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from tests.bench.harness.figure import Figure

_HEADS = ("what", "measured", "goal", "verdict", "note")
_RIGHT = frozenset({"measured"})


@dataclass
class Outcome:
    """What one benchmark told."""

    name: str
    title: str
    figures: list[Figure] = field(default_factory=list)
    seconds: float = 0.0
    problem: str = ""
    """Why there are no more figures; empty if all went well."""
    is_fault: bool = False
    """Whether the problem is the benchmark's own, rather than something that this machine lacks."""


def table(outcomes: Sequence[Outcome]) -> str:
    """All figures of all benchmarks, each benchmark with its title in front."""
    rows: list[tuple[str, ...]] = []
    for outcome in outcomes:
        rows.append((f"**{outcome.title}**", "", "", "", f"`{outcome.name}`, {outcome.seconds:.0f} s"))
        for figure in outcome.figures:
            name = f"{figure.panel}: {figure.name}" if figure.panel else figure.name
            verdict = f"**{figure.verdict}**" if figure.is_met is False else figure.verdict
            rows.append((name, figure.value_text, figure.goal_text, verdict, figure.note))
        if outcome.problem:
            rows.append(("not measured", "", "", "**failed**" if outcome.is_fault else "", outcome.problem))
    return markdown(_HEADS, rows)


def markdown(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table whose columns are aligned in its source too."""
    cleaned = [[cell.replace("|", "\\|") for cell in row] for row in rows]
    widths = [max(len(row[column]) for row in [list(heads), *cleaned]) for column in range(len(heads) - 1)]
    rule = ["-" * (width - 1) + (":" if head in _RIGHT else "-") for head, width in zip(heads, widths, strict=False)]
    lines = [_line(heads, heads, widths), _line([*rule, "---"], heads, widths)]
    lines += [_line(row, heads, widths) for row in cleaned]
    return "\n".join(lines) + "\n"


def _line(cells: Sequence[str], heads: Sequence[str], widths: Sequence[int]) -> str:
    padded = [
        cell.rjust(width) if head in _RIGHT else cell.ljust(width)
        for cell, head, width in zip(cells, heads, widths, strict=False)
    ]
    return f"| {' | '.join([*padded, cells[-1]])} |"


def summary(outcomes: Sequence[Outcome]) -> str:
    """How many goals are met, missed and not measured."""
    verdicts = [figure.is_met for outcome in outcomes for figure in outcome.figures if figure.is_met is not None]
    lacking = [outcome.name for outcome in outcomes if outcome.problem]
    text = f"{verdicts.count(True)} of {len(verdicts)} goals met"
    return f"{text}; not measured: {', '.join(lacking)}" if lacking else text
