"""A laid out graph as SVG that reads on light and dark pages.

Owns: SVG syntax, its style sheet, titles and descriptions for people who do not see the picture.
Must never hold: positions of its own (a layout program computes them) or the name of a protocol.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Any

from tcpmodel.render.diagram import Arrow, Diagram
from tcpmodel.render.dot import NO_SPACE
from tcpmodel.render.palette import DARK, LIGHT, ROLE_OF

FONTS = "Arial,Helvetica,'Liberation Sans',Arimo,sans-serif"
"""All but the last share the widths that the layout was made with; for the last, ``textLength`` sees to it."""
MARGIN = 12.0
"""Points of page around the picture."""

Operation = dict[str, Any]


def to_svg(diagram: Diagram, layout: bytes) -> str:
    """The SVG text. ``layout`` is the JSON that a layout program made of the diagram's DOT text."""
    graph: dict[str, Any] = json.loads(layout)
    left, bottom, right, top = (float(number) for number in str(graph["bb"]).split(","))
    width, height = right - left + 2 * MARGIN, top - bottom + 2 * MARGIN
    pen = _Pen(MARGIN - left, top + MARGIN)
    mark = _identity(diagram)
    lines = [
        '<?xml version="1.0" encoding="UTF-8"?>',
        f'<svg xmlns="http://www.w3.org/2000/svg" class="tm-picture" width="{_number(width)}" '
        f'height="{_number(height)}" viewBox="0 0 {_number(width)} {_number(height)}" role="img" '
        f'aria-labelledby="{mark}-title {mark}-desc">',
        f'<title id="{mark}-title">{escape(diagram.title)}</title>',
        f'<desc id="{mark}-desc">{escape(describe(diagram))}</desc>',
        f"<style>{_style()}</style>",
        f'<rect class="tm-f-page" width="{_number(width)}" height="{_number(height)}" rx="8"/>',
    ]
    objects: Sequence[dict[str, Any]] = graph.get("objects", ())
    for edge in graph.get("edges", ()):
        lines.append('<g class="tm-arrow">')
        for key in ("_draw_", "_hdraw_", "_tdraw_"):
            lines += pen.draw(edge.get(key, ()))
        lines.append("</g>")
    for item in objects:
        drawn = [*pen.draw(item.get("_draw_", ())), *pen.draw(item.get("_ldraw_", ()))]
        if drawn:
            lines += ['<g class="tm-box">', *drawn, "</g>"]
    for edge in graph.get("edges", ()):
        if edge.get("_ldraw_"):
            lines.append('<g class="tm-label">')
            lines += pen.draw(edge["_ldraw_"])
            lines.append("</g>")
    pen.centred = False
    lines += pen.draw(graph.get("_ldraw_", ()))
    lines.append("</svg>")
    return "\n".join(lines) + "\n"


def describe(diagram: Diagram) -> str:
    """The picture in words: states, then every arrow, then the notes."""
    initial = ", ".join(box.name for box in diagram.boxes if box.initial)
    final = ", ".join(box.name for box in diagram.boxes if box.final)
    marked = ", ".join(box.name for box in diagram.boxes if box.highlighted)
    parts = [f"State diagram with {len(diagram.boxes)} states: {', '.join(box.name for box in diagram.boxes)}."]
    parts += [f"{words}: {names}." for words, names in (("Initial", initial), ("Final", final)) if names]
    if marked:
        parts.append(f"Highlighted: {marked}.")
    parts += [_sentence(arrow) for arrow in diagram.arrows]
    parts += [f"{note.text}." for note in diagram.notes]
    return " ".join(parts)


def escape(text: str) -> str:
    """Text for XML, in an element or a quoted attribute; what XML cannot hold becomes U+FFFD."""
    text = "".join(char if char.isprintable() or char in "\n\t\xa0" else "\ufffd" for char in text)
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace('"', "&quot;")


def _sentence(arrow: Arrow) -> str:
    labels = "; ".join(f"{event} / {action}" if action else event for event, action in arrow.labels)
    return f"{arrow.source} to {arrow.target}: {labels}." if labels else f"{arrow.source} to {arrow.target}."


def _identity(diagram: Diagram) -> str:
    """A name for ids, so that two pictures on one page do not share them; the same for equal diagrams."""
    from zlib import crc32

    return f"tm-{crc32(repr(diagram).encode('utf-8', 'replace')):08x}"


def _style() -> str:
    def rules(palette: dict[str, str]) -> str:
        return (
            "".join(f".tm-s-{role}{{stroke:{colour}}}.tm-f-{role}{{fill:{colour}}}" for role, colour in palette.items())
            + f".tm-label text{{stroke:{palette['page']}}}"
        )

    return (
        f".tm-picture text{{font-family:{FONTS}}}"
        # A line that passes close to a label stops short of its letters.
        ".tm-label text{paint-order:stroke;stroke-width:3px;stroke-linejoin:round}"
        f".tm-picture{{max-width:100%;height:auto}}{rules(LIGHT)}@media (prefers-color-scheme:dark){{{rules(DARK)}}}"
    )


def _number(value: float) -> str:
    return f"{value:.2f}".rstrip("0").rstrip(".")


class _Pen:
    """Turns drawing operations (y grows upwards) into SVG elements (y grows downwards).

    ``centred``: text is held in the middle of its place, so that a font of other widths spreads to both sides.
    """

    def __init__(self, x: float, y: float) -> None:
        self.x = x
        self.y = y
        self.centred = True

    def points(self, points: Iterable[Sequence[float]]) -> list[str]:
        return [f"{_number(self.x + x)},{_number(self.y - y)}" for x, y in points]

    def draw(self, operations: Iterable[Operation]) -> list[str]:
        lines: list[str] = []
        stroke, fill, size, font = "line", "ink", 11.0, 0
        width, dash = "", ""
        for operation in operations:
            kind = operation["op"]
            if kind == "c":
                stroke = _role(operation["color"])
            elif kind == "C":
                fill = _role(operation["color"])
            elif kind == "S":
                width, dash = _pen_style(operation["style"], width, dash)
            elif kind == "F":
                size = float(operation["size"])
            elif kind == "t":
                font = int(operation["fontchar"])
            elif kind == "T":
                lines.append(self._text(operation, stroke, size, font))
            else:
                lines.append(self._shape(kind, operation, stroke, fill, width + dash))
        return [line for line in lines if line]

    def _shape(self, kind: str, operation: Operation, stroke: str, fill: str, extra: str) -> str:
        if kind in "Ee":
            x, y, half_width, half_height = operation["rect"]
            look = f'class="tm-s-{stroke} tm-f-{fill}"' if kind == "E" else f'fill="none" class="tm-s-{stroke}"'
            return (
                f'<ellipse {look} cx="{_number(self.x + x)}" cy="{_number(self.y - y)}" '
                f'rx="{_number(half_width)}" ry="{_number(half_height)}"{extra}/>'
            )
        points = self.points(operation["points"])
        if kind in "Bb":
            way = f"M{points[0]}C{' '.join(points[1:])}"
        elif kind in "PpL":
            way = f"M{points[0]}L{' '.join(points[1:])}" + ("Z" if kind != "L" else "")
        else:
            return ""
        look = f'class="tm-s-{stroke} tm-f-{fill}"' if kind in "PB" else f'fill="none" class="tm-s-{stroke}"'
        return f'<path {look} d="{way}"{extra}/>'

    def _text(self, operation: Operation, colour: str, size: float, font: int) -> str:
        measured = str(operation["text"])
        text = measured.replace("\\\\", "\\").replace(NO_SPACE, "")
        if not text.strip():
            return ""
        x, y = operation["pt"]
        length = float(operation["width"])
        x += {"l": 0.0, "c": -length / 2, "r": -length}[operation["align"]] + (length / 2 if self.centred else 0.0)
        anchor = ' text-anchor="middle"' if self.centred else ""
        weight = ' font-weight="bold"' if font & 1 else ""
        # Layout programs guess the width of anything but ASCII: such text is better left as wide as it comes.
        fit = f' textLength="{_number(length)}" lengthAdjust="spacingAndGlyphs"' if measured.isascii() else ""
        return (
            f'<text class="tm-f-{colour}" x="{_number(self.x + x)}" y="{_number(self.y - y)}" '
            f'font-size="{_number(size)}"{anchor}{weight}{fit} xml:space="preserve">{escape(text)}</text>'
        )


def _role(colour: str) -> str:
    return ROLE_OF.get(colour[:7].lower(), "ink")


def _pen_style(style: str, width: str, dash: str) -> tuple[str, str]:
    if style.startswith("setlinewidth("):
        return f' stroke-width="{_number(float(style[len("setlinewidth(") : -1]))}"', dash
    dashes = {"solid": "", "dashed": ' stroke-dasharray="5,3"', "dotted": ' stroke-dasharray="1,4"'}
    return width, dashes.get(style, dash)
