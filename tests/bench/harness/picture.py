"""A picture of the figures: bars, as SVG.

Above, groups of bars that stand for themselves (CPU of each server for a query); below, each figure that has a goal as
its part of that goal: what ends left of the line has reached it.
"""

from collections.abc import Sequence
from html import escape

from tests.bench.harness.figure import Figure, Relation

_WIDTH = 860
_LABEL = 330
_BAR = 360
_ROW = 22
_TITLE = 30
_MARGIN = 16
_WORST = 2.0
"""Parts of a goal above which a bar is cut."""
_OURS = "unizone"
_FLOOR = "C echo"

_STYLE = """
text { font: 13px system-ui, sans-serif; fill: #1f2328 }
.title { font-weight: 600; font-size: 14px }
.quiet { fill: #59636e }
.ours { fill: #2f6fde } .other { fill: #b3bac3 } .floor { fill: #dfe3e8 }
.met { fill: #2da44e } .missed { fill: #cf4a3c }
.goal { stroke: #1f2328; stroke-width: 1.5; stroke-dasharray: 4 3 }
.card { fill: #ffffff; stroke: #d1d9e0 }
"""


def picture(figures: Sequence[Figure], caption: str) -> str:
    """The picture as SVG; `caption` stands below."""
    drawing = _Drawing()
    for panel in dict.fromkeys(figure.panel for figure in figures if figure.panel):
        _panel(drawing, panel, [figure for figure in figures if figure.panel == panel])
    goals = [figure for figure in figures if figure.goal]
    if goals:
        _goals(drawing, goals)
    drawing.text(_MARGIN, drawing.y + 14, caption, "quiet")
    drawing.y += 30
    return drawing.svg()


class _Drawing:
    """Shapes from the top down; `y` is where the next one begins."""

    def __init__(self) -> None:
        self.y = _MARGIN
        self._shapes: list[str] = []

    def text(self, x: float, y: float, text: str, kind: str = "", *, anchor: str = "start") -> None:
        self._shapes.append(
            f'<text x="{x:.0f}" y="{y:.0f}" class="{kind}" text-anchor="{anchor}">{escape(text)}</text>'
        )

    def bar(self, length: float, kind: str) -> None:
        shape = f'x="{_LABEL}" y="{self.y + 3}" width="{max(length, 1):.1f}" height="{_ROW - 6}" rx="2"'
        self._shapes.append(f'<rect {shape} class="{kind}"/>')

    def line(self, x: float, begin: float, end: float) -> None:
        self._shapes.append(f'<line x1="{x:.1f}" x2="{x:.1f}" y1="{begin}" y2="{end}" class="goal"/>')

    def svg(self) -> str:
        size = f'width="{_WIDTH}" height="{self.y}" viewBox="0 0 {_WIDTH} {self.y}"'
        card = f'<rect x="0.5" y="0.5" width="{_WIDTH - 1}" height="{self.y - 1}" rx="6" class="card"/>'
        body = "\n".join([card, *self._shapes])
        return f'<svg xmlns="http://www.w3.org/2000/svg" {size}>\n<style>{_STYLE}</style>\n{body}\n</svg>\n'


def _panel(drawing: _Drawing, title: str, figures: Sequence[Figure]) -> None:
    """Bars of one unit, the longest of full length."""
    drawing.text(_MARGIN, drawing.y + 14, f"{title} ({figures[0].unit})", "title")
    drawing.y += _TITLE - 6
    longest = max(figure.value for figure in figures) or 1.0
    for figure in figures:
        length = figure.value / longest * _BAR
        ours = figure.name.startswith(_OURS)
        drawing.text(_LABEL - 8, drawing.y + 15, figure.name, "title" if ours else "", anchor="end")
        drawing.bar(length, "ours" if ours else "floor" if figure.name.startswith(_FLOOR) else "other")
        drawing.text(_LABEL + length + 6, drawing.y + 15, figure.value_text.removesuffix(figure.unit).strip(), "quiet")
        drawing.y += _ROW
    drawing.y += 14


def _goals(drawing: _Drawing, figures: Sequence[Figure]) -> None:
    """Each value as part of its goal, so that shorter is better for all of them."""
    drawing.text(_MARGIN, drawing.y + 14, "Goals: what ends left of the line has reached its goal", "title")
    drawing.y += _TITLE - 6
    begin = drawing.y
    at_goal = _BAR / _WORST
    for figure in figures:
        assert figure.goal
        part = figure.value / figure.goal
        if figure.relation is Relation.AT_LEAST:
            part = 1 / part if part else _WORST
        length = min(part, _WORST) * at_goal
        drawing.text(_LABEL - 8, drawing.y + 15, figure.name, anchor="end")
        drawing.bar(length, "met" if figure.is_met else "missed")
        label = f"{figure.value_text} ({figure.goal_text})"
        drawing.text(_LABEL + max(length, at_goal) + 6, drawing.y + 15, label, "quiet")
        drawing.y += _ROW
    drawing.line(_LABEL + at_goal, begin - 2, drawing.y + 2)
    drawing.y += 14
