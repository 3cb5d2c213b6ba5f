"""A diagram as a DOT graph.

Owns: DOT syntax, its quoting, and how boxes, labels and notes look.
Must never hold: the name of a protocol or of a state.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Mapping

from tcpmodel.render.diagram import Arrow, Box, Diagram
from tcpmodel.render.palette import LIGHT
from tcpmodel.render.structure import Structure, structure

FONT = "Arial"
"""The widths of this font are the ones that layout programs know by heart, and several free fonts share them."""
NAME_SIZE = 13
LABEL_SIZE = 11
CAPTION_WIDTH = 104
"""Characters in a line of the caption."""
_LABEL_ROLES = {"fired": "fired", "perhaps": "perhaps", "never": "faint"}
NO_SPACE = "\u200b"
"""A space without width."""


def to_dot(diagram: Diagram) -> str:
    """The whole graph as DOT text, ready for a layout program; any text may stand in names and labels."""
    return "\n".join(_lines(diagram)) + "\n"


def quote(text: str) -> str:
    """A DOT string. A backslash is doubled: DOT has no other way to end a string with one."""
    return '"' + _printable(text).replace("\\", "\\\\").replace('"', '\\"') + '"'


def markup(text: str) -> str:
    """Text inside an HTML-like label.

    A backslash would start an escape such as ``\\N`` even there, so a space without width follows it.
    """
    text = _printable(text)
    for char, entity in (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;"), ('"', "&quot;"), ("\\", f"&#92;{NO_SPACE}")):
        text = text.replace(char, entity)
    return text


def _printable(text: str) -> str:
    """Without what neither DOT nor XML can hold; line ends become spaces."""
    return "".join(
        " " if char in "\t\n\r\x85\u2028\u2029" else char if char.isprintable() or char == "\xa0" else "\ufffd"
        for char in text
    )


def _attributes(attributes: Mapping[str, str]) -> str:
    parts = (f"{key}={value if value.startswith('<') else quote(value)}" for key, value in attributes.items())
    return f"[{', '.join(parts)}]"


def _lines(diagram: Diagram) -> Iterable[str]:
    hints = structure(diagram)
    yield f"digraph {quote(diagram.title)} {{"
    page = {"rankdir": "TB", "nodesep": "0.35", "ranksep": "0.3", "pad": "0.15", "bgcolor": LIGHT["page"]}
    page |= {"fontname": FONT, "fontsize": str(LABEL_SIZE), "labelloc": "b", "labeljust": "l", "dpi": "72"}
    if caption := _caption(diagram):
        page["label"] = caption
    yield f"  graph {_attributes(page)};"
    box = {"shape": "box", "style": "rounded,filled", "fontname": FONT, "fontsize": str(NAME_SIZE)}
    box |= {"width": "1.45", "height": "0.42", "margin": "0.14,0.05"}
    box |= {"color": LIGHT["line"], "fontcolor": LIGHT["ink"], "fillcolor": LIGHT["fill"]}
    yield f"  node {_attributes(box)};"
    line = {"fontname": FONT, "fontsize": str(LABEL_SIZE), "arrowsize": "0.7"}
    line |= {"color": LIGHT["line"], "fontcolor": LIGHT["ink"]}
    yield f"  edge {_attributes(line)};"
    names = [one.name for one in diagram.boxes]
    again = _fresh("again", names)
    for one in diagram.boxes:
        yield f"  {quote(one.name)} {_attributes(_box(one))};"
    if hints.returns:
        marked = any(one.highlighted and (one.source, one.target) in hints.returns for one in diagram.arrows)
        again_box = _box(Box(hints.first, highlighted=marked)) | {"style": "rounded,filled,dashed"}
        yield f"  {quote(again)} {_attributes(again_box)};"
    for number, arrow in enumerate(diagram.arrows, 1):
        if arrow.source in names and arrow.target in names:
            between = _fresh(f"label {number}", [*names, again])
            yield from _arrow(arrow, hints, again, between)
    yield "}"


def _fresh(wanted: str, names: Iterable[str]) -> str:
    taken = set(names)
    while wanted in taken:
        wanted += "'"
    return wanted


def _box(box: Box) -> dict[str, str]:
    label = f"<b>{markup(box.name)}</b>" if box.name.strip() else "&#160;"
    if box.note:
        label += f'<br/><font point-size="{LABEL_SIZE - 1}" color="{LIGHT["muted"]}">{markup(box.note)}</font>'
    attributes = {"label": f"<{label}>"}
    if box.final:
        attributes["peripheries"] = "2"
    if box.highlighted:
        attributes |= {"color": LIGHT["accent"], "fillcolor": LIGHT["glow"], "penwidth": "2"}
    elif box.initial:
        attributes["penwidth"] = "1.8"
    if box.use in ("fired", "perhaps"):
        attributes |= {"color": LIGHT[box.use], "fillcolor": LIGHT[f"{box.use}-fill"], "penwidth": "2"}
    return attributes


def _label(arrow: Arrow, padding: int) -> str:
    """A table: for each label the event above a thin line and the action below it."""
    rows: list[str] = []
    for event, action in arrow.labels:
        if rows:
            rows.append('<tr><td height="3"></td></tr>')
        role = "accent" if arrow.highlighted else _LABEL_ROLES.get(arrow.use, "ink")
        event_text = f'<font color="{LIGHT[role]}">{markup(event) or "&#160;"}</font>'
        if action:
            rows.append(f'<tr><td border="1" sides="b" color="{LIGHT["rule"]}">{event_text}</td></tr>')
            rows.append(f'<tr><td><font color="{LIGHT["muted"]}">{markup(action)}</font></td></tr>')
        else:
            rows.append(f"<tr><td>{event_text}</td></tr>")
    if not rows:
        return ""
    table = '<table border="0" cellborder="0" cellspacing="0" cellpadding="1">' + "".join(rows) + "</table>"
    edge = f'<td width="{padding}"></td>'
    return (
        '<<table border="0" cellborder="0" cellspacing="0" cellpadding="0">'
        f"<tr>{edge}<td>{table}</td>{edge}</tr></table>>"
    )


def _arrow(arrow: Arrow, hints: Structure, again: str, between: str) -> Iterable[str]:
    pair = (arrow.source, arrow.target)
    look: dict[str, str] = {}
    if arrow.highlighted:
        look = {"color": LIGHT["accent"], "penwidth": "2"}
    elif arrow.use in ("fired", "perhaps"):
        look = {"color": LIGHT[arrow.use], "penwidth": "2"}
    elif not arrow.weight or arrow.use == "never":
        look = {"color": LIGHT["faint"], "penwidth": "0.8"}
    source, target = quote(arrow.source), quote(again if pair in hints.returns else arrow.target)
    if pair in hints.level:
        yield from _level(target, source, "back", arrow, look, between)
    elif pair in hints.returns and arrow.source == hints.beside:
        yield from _level(source, target, "forward", arrow, look, between)
    else:
        if label := _label(arrow, 4):
            look["label"] = label
        if pair in hints.back and pair not in hints.returns:
            source, target = target, source
            look["dir"] = "back"
        if not arrow.weight:
            look["constraint"] = "false"
        yield f"  {source} -> {target}{' ' + _attributes(look) if look else ''};"


def _level(left: str, right: str, way: str, arrow: Arrow, look: dict[str, str], between: str) -> Iterable[str]:
    """An arrow in a row: its label stands in the row too and the arrow runs through it, so nothing can overlap."""
    label = _label(arrow, 2)
    if not label:
        yield f"  {{ rank=same; {left}; {right}; }}"
        yield f"  {left} -> {right} {_attributes(look | {'dir': way})};"
        return
    node = {"shape": "plain", "style": "solid", "fontsize": str(LABEL_SIZE), "label": label}
    yield f"  {{ rank=same; {left}; {quote(between)} {_attributes(node)}; {right}; }}"
    ends = ("back", "none") if way == "back" else ("none", "forward")
    yield f"  {left} -> {quote(between)} {_attributes(look | {'dir': ends[0], 'weight': '4'})};"
    yield f"  {quote(between)} -> {right} {_attributes(look | {'dir': ends[1], 'weight': '4'})};"


def _caption(diagram: Diagram) -> str:
    """Title, caption and notes, one below the other.

    One column: a table in Graphviz spreads its columns over the whole width of the picture.
    """
    rows: list[str] = []
    if diagram.title.strip():
        rows.append(_cell(f"<b>{markup(diagram.title)}</b>", "ink", NAME_SIZE))
    notes = [f"{note.mark}: {note.text}" if note.mark else note.text for note in diagram.notes]
    for line in [*diagram.caption.splitlines(), *notes]:
        rows += [_cell(markup(part), "muted", LABEL_SIZE) for part in textwrap.wrap(line, CAPTION_WIDTH)]
    if not rows:
        return ""
    cells = "".join(f"<tr>{row}</tr>" for row in ['<td height="10"></td>', *rows])
    return f'<<table border="0" cellborder="0" cellspacing="0" cellpadding="2">{cells}</table>>'


def _cell(text: str, role: str, size: int) -> str:
    return f'<td align="left"><font point-size="{size}" color="{LIGHT[role]}">{text}</font></td>'
