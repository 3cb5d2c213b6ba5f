"""The course of a connection as a picture: SVG, or a sequence diagram of Mermaid.

Owns: where lifelines, arrows and words stand in it.
Must never hold: what is kept of a course (see ``checking.sequence``) or the name of a protocol.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain

from tcpmodel.checking.outcome.findings import ConnectionReport, Diagnostic
from tcpmodel.checking.sequence import Course, Step
from tcpmodel.render.palette import DARK, LIGHT
from tcpmodel.render.svg import FONTS, escape

WIDTH, LEFT, RIGHT = 900, 250, 650
"""Of the picture, and where the two lifelines stand, in points."""
ROW, TOP = 34, 76

BAD = ("#cf222e", "#ff7b72")
"""The colour of a violation on light and dark pages."""

Row = Step | Diagnostic | int


def svg(one: ConnectionReport, course: Course) -> str:
    """The picture as SVG that reads on light and dark pages."""
    rows = list(_rows(one, course))
    height = TOP + ROW * len(rows) + 24
    lines = [
        '<?xml version="1.0" encoding="UTF-8"?>',
        f'<svg xmlns="http://www.w3.org/2000/svg" class="tm-ladder" width="{WIDTH}" height="{height}" '
        f'viewBox="0 0 {WIDTH} {height}" role="img">',
        f"<title>{escape(f'{one.id}: {one.a} and {one.b}, {one.verdict}')}</title>",
        f"<style>{_style()}</style>",
        f'<rect class="page" width="{WIDTH}" height="{height}" rx="8"/>',
        _text(WIDTH / 2, 24, f"{one.id}  {one.protocol}  {one.verdict}", "head"),
        _text(LEFT, 50, one.a, "head"),
        _text(RIGHT, 50, one.b, "head"),
    ]
    lines += [f'<path class="life" d="M{x},60V{height - 16}"/>' for x in (LEFT, RIGHT)]
    for index, row in enumerate(rows):
        y = TOP + ROW * index + 16
        if isinstance(row, Step):
            lines += _arrow(row, y)
        elif isinstance(row, int):
            lines.append(_text(WIDTH / 2, y, f"{row:,} messages left out", "note"))
        else:
            role = "bad" if row.severity == "violation" and not row.ignored else "note"
            lines.append(_text(WIDTH / 2, y, _words(row), role))
    return "\n".join([*lines, "</svg>"]) + "\n"


def mermaid(one: ConnectionReport, course: Course) -> str:
    """The picture as a sequence diagram of Mermaid."""
    lines = [
        "sequenceDiagram",
        f"  participant a as {_plain(one.a)}",
        f"  participant b as {_plain(one.b)}",
    ]
    before: tuple[tuple[str, ...], ...] = ((), ())
    for row in _rows(one, course):
        if isinstance(row, Step):
            way = "a->>b" if row.side == 0 else "b->>a"
            lines.append(f"  {way}: {row.number} {_plain(row.message)}")
            for name, old, new, where in zip("ab", before, row.states, ("left", "right"), strict=True):
                if old != new:
                    lines.append(f"  Note {where} of {name}: {_plain(_states(new))}")
            before = row.states
        elif isinstance(row, int):
            lines.append(f"  Note over a,b: {row} messages left out")
        else:
            lines.append(f"  Note over a,b: {_plain(_words(row))}")
    return "\n".join(lines) + "\n"


def _rows(one: ConnectionReport, course: Course) -> Iterator[Row]:
    found = sorted(one.diagnostics, key=lambda item: item.place)
    for index, step in enumerate(chain(course.first, course.last)):
        if index == len(course.first) and course.left_out:
            yield course.left_out
        while found and found[0].place < step.number:
            yield found.pop(0)
        yield step
        while found and found[0].place == step.number:
            yield found.pop(0)
    yield from found


def _arrow(step: Step, y: float) -> list[str]:
    start, end = (LEFT, RIGHT) if step.side == 0 else (RIGHT, LEFT)
    back = -9 if step.side == 0 else 9
    return [
        f'<path class="line" d="M{start},{y}H{end}"/>',
        f'<path class="tip" d="M{end},{y}l{back},-4v8z"/>',
        _text(WIDTH / 2, y - 5, f"{step.number}  {step.message}", "label"),
        _text(LEFT - 8, y + 4, _states(step.states[0]), "left"),
        _text(RIGHT + 8, y + 4, _states(step.states[1]), "right"),
    ]


def _states(states: tuple[str, ...]) -> str:
    if len(states) > 2:
        return f"one of {len(states)} states"
    return " or ".join(states) or "?"


def _words(item: Diagnostic) -> str:
    what = "line" if item.in_lines else "packet"
    return f"{what} {item.place}: {item.message} [{item.code}]" + (
        f" (ignored: {item.ignored})" if item.ignored else ""
    )


def _text(x: float, y: float, text: str, role: str) -> str:
    return f'<text class="{role}" x="{x:g}" y="{y:g}">{escape(text)}</text>'


def _plain(text: str) -> str:
    """Text without what Mermaid takes for syntax."""
    text = "".join(char if char.isprintable() else "\ufffd" for char in text)
    return (
        text.replace("#", "#35;")
        .replace(";", "#59;")
        .replace("#35#59;", "#35;")
        .replace("<", "#lt;")
        .replace(">", "#gt;")
    )


def _style() -> str:
    def rules(palette: dict[str, str], bad: str) -> str:
        return (
            f".tm-ladder .page{{fill:{palette['page']}}}.tm-ladder text{{fill:{palette['ink']}}}"
            f".tm-ladder .life{{stroke:{palette['faint']};stroke-dasharray:4 4}}"
            f".tm-ladder .line{{stroke:{palette['line']}}}.tm-ladder .tip{{fill:{palette['line']}}}"
            f".tm-ladder .left,.tm-ladder .right,.tm-ladder .note{{fill:{palette['muted']}}}"
            f".tm-ladder .bad{{fill:{bad}}}"
        )

    return (
        ".tm-ladder{max-width:100%;height:auto}"
        f".tm-ladder text{{font-family:{FONTS};font-size:11px;text-anchor:middle}}"
        ".tm-ladder .head,.tm-ladder .bad{font-weight:bold}.tm-ladder .left{text-anchor:end}"
        ".tm-ladder .right{text-anchor:start}.tm-ladder path{fill:none}"
        f"{rules(LIGHT, BAD[0])}@media (prefers-color-scheme:dark){{{rules(DARK, BAD[1])}}}"
    )
