"""A picture before it is drawn: boxes, arrows and their labels.

Owns: the small model that every output format (DOT, SVG, Mermaid, tables) is written from.
Must never hold: a graphviz attribute or the name of a protocol.
"""

from __future__ import annotations

from dataclasses import dataclass

USES = ("fired", "perhaps", "never")


@dataclass(frozen=True, slots=True)
class Box:
    """A state. ``note`` is a short text under its name (may be empty). ``use``: as for an arrow."""

    name: str
    note: str = ""
    initial: bool = False
    final: bool = False
    highlighted: bool = False
    use: str = ""


@dataclass(frozen=True, slots=True)
class Arrow:
    """All rules drawn from one state to another, one label line each: (event, action); action may be empty.

    ``weight`` is 1 for an arrow that shapes the layout and 0 for one that must not (an abort from everywhere).
    ``use``: what traces made of it, one of ``USES``; "" where that is not shown.
    """

    source: str
    target: str
    labels: tuple[tuple[str, str], ...]
    weight: int = 1
    highlighted: bool = False
    use: str = ""


@dataclass(frozen=True, slots=True)
class Note:
    """What is said below the picture instead of being drawn in it.

    ``mark`` is the letter under which boxes refer to it (may be empty). ``pairs`` are the (source, target) pairs of
    states that the note stands for, so that a reader of the model can tell what the picture as a whole shows.
    """

    mark: str
    text: str
    pairs: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Diagram:
    """A whole picture. ``title`` and ``caption`` are plain text; boxes come in the order of the spec."""

    title: str
    caption: str
    boxes: tuple[Box, ...]
    arrows: tuple[Arrow, ...]
    notes: tuple[Note, ...] = ()
