"""A diagram as a Mermaid state diagram, which many sites draw in place.

Owns: Mermaid's syntax and its escapes.
Must never hold: the name of a protocol or of a state; a layout hint (Mermaid lays out by itself).
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from tcpmodel.render.diagram import Diagram
from tcpmodel.render.palette import LIGHT

_RESERVED = frozenset(("state", "end", "note", "direction", "class", "classdef", "default", "style", "as", "hide"))


def to_mermaid(diagram: Diagram) -> str:
    """The text of a ``stateDiagram-v2``; any text may stand in names and labels."""
    return "\n".join(_lines(diagram)) + "\n"


def escape(text: str) -> str:
    """Text for a label: what Mermaid could take for syntax or markup is written as a character code.

    That does not help against Markdown, which is read after the codes: its signs become signs that look like them.
    """
    text = text.replace("*", "\u2217").replace("\\", "\u2216")
    return "".join(
        char if char.isalnum() or char in " -_.,()'+=?!/" else f"#{ord(char)};" if char.isprintable() else " "
        for char in text
    )


def _plain(text: str) -> str:
    return " ".join("".join(char if char.isprintable() else " " for char in text).split())


def _identifiers(names: Iterable[str]) -> dict[str, str]:
    """A word for each state; words differ even where names differ only in signs."""
    words: dict[str, str] = {}
    taken: set[str] = set()
    for name in names:
        word = re.sub(r"[^A-Za-z0-9]+", "_", name).strip("_") or "s"
        if word.lower() in _RESERVED or word[0].isdigit():
            word = f"s_{word}"
        number = 1
        unique = word
        while unique.lower() in taken:
            number += 1
            unique = f"{word}_{number}"
        taken.add(unique.lower())
        words[name] = unique
    return words


def _lines(diagram: Diagram) -> Iterable[str]:
    if diagram.title.strip():
        yield from ("---", f"title: '{_plain(diagram.title).replace(chr(39), chr(39) * 2)}'", "---")
    yield "stateDiagram-v2"
    words = _identifiers(box.name for box in diagram.boxes)
    for box in diagram.boxes:
        note = f"<br/>{escape(box.note)}" if box.note else ""
        yield f'    state "{escape(box.name) or " "}{note}" as {words[box.name]}'
    for box in diagram.boxes:
        if box.initial:
            yield f"    [*] --> {words[box.name]}"
    for arrow in diagram.arrows:
        if arrow.source not in words or arrow.target not in words:
            continue
        text = "<br/>".join(escape(f"{event} / {action}" if action else event) for event, action in arrow.labels)
        yield f"    {words[arrow.source]} --> {words[arrow.target]}" + (f": {text}" if text.strip() else "")
    for box in diagram.boxes:
        if box.final:
            yield f"    {words[box.name]} --> [*]"
    if diagram.notes and diagram.boxes:
        at = next((box.name for box in diagram.boxes if box.initial), diagram.boxes[0].name)
        yield f"    note right of {words[at]}"
        yield from (
            f"        {escape(f'{note.mark}: {note.text}' if note.mark else note.text)}" for note in diagram.notes
        )
        yield "    end note"
    marked = [words[box.name] for box in diagram.boxes if box.highlighted]
    if marked:
        yield f"    classDef marked stroke:{LIGHT['accent']},stroke-width:3px"
        yield f"    class {','.join(marked)} marked"
    for use in ("fired", "perhaps"):
        if used := [words[box.name] for box in diagram.boxes if box.use == use]:
            yield f"    classDef {use} fill:{LIGHT[f'{use}-fill']},stroke:{LIGHT[use]},stroke-width:3px"
            yield f"    class {','.join(used)} {use}"
    for text in diagram.caption.splitlines():
        if text.strip():
            # Braces in a comment would be read as a directive.
            yield f"    %% {_plain(text).replace('{', '(').replace('}', ')')}"
