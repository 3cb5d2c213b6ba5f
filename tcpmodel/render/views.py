"""Views of a spec: which rules a picture shows and how they are gathered into arrows and notes.

Owns: the figure (rules that the spec says to draw) and the full picture (every rule that changes the state).
Must never hold: the syntax of a format or the name of a protocol.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping, Sequence
from itertools import pairwise
from types import MappingProxyType

from tcpmodel.model.spec import Rule, Spec
from tcpmodel.render.diagram import Arrow, Box, Diagram, Note
from tcpmodel.render.labels import Label, condense, derived_label, drawn_label, shadowed
from tcpmodel.render.structure import structure

MOST_LABELS = 4
"""Labels on one arrow of the full view."""
COMMON_BACK = 2
"""So many states that go back to the same state with the same label are said in a note instead of drawn."""
COMMON = 3
"""The same for other arrows, in a spec that has a figure and does not draw them there."""

Pair = tuple[str, str]


class UnknownState(ValueError):
    """A state to be highlighted that the spec does not have; the text names those that it has."""


def figure_view(spec: Spec, profiles: frozenset[str], highlight: Sequence[str] = ()) -> Diagram:
    """The rules with a ``drawn`` label whose profiles are all as in ``profiles`` (the names that are on).

    Final states are not marked: figures of standards do not mark them. A spec that marks nothing as ``drawn`` has no
    figure of its own: all its rules are drawn.

    ``highlight``: states to emphasise, together with the arrow from each to the next one named. Raises UnknownState.
    """
    if all(rule.drawn is None for state in spec.states for rule in state.rules):
        return full_view(spec, profiles, highlight)
    labels: dict[Pair, list[Label]] = {}
    for rule in _rules(spec, profiles, idle=True):
        if rule.drawn is not None:
            labels.setdefault((rule.state, rule.target), []).append(drawn_label(rule))
    arrows = {pair: tuple(dict.fromkeys(found)) for pair, found in labels.items()}
    plain = tuple(Box(state.name, initial=state.initial) for state in spec.states)
    figure = _diagram(spec, arrows, caption=_caption(spec, profiles, arrows))
    return _emphasise(Diagram(figure.title, figure.caption, plain, figure.arrows), highlight)


def full_view(spec: Spec, profiles: frozenset[str], highlight: Sequence[str] = ()) -> Diagram:
    """Every rule that changes the state, whatever its event; arguments and errors as for ``figure_view``.

    A rule that the figure draws keeps the label that it has there, the others get one made from their words.

    Ways that several states share (an abort) stand in lettered notes below the picture.
    """
    labels: dict[Pair, dict[Label, bool]] = {}
    for rule in _rules(spec, profiles, idle=False):
        if rule.target != rule.state or rule.drawn is not None:
            found = labels.setdefault((rule.state, rule.target), {})
            label = derived_label(spec, rule) if rule.drawn is None else drawn_label(rule)
            found[label] = found.get(label, False) or rule.drawn is not None
    kept = set(pairwise(highlight))
    notes, marks = _gather(spec, labels, kept)
    # The labels of the figure come first, so that they are never among those that are only counted.
    arrows = {
        pair: condense(sorted(found, key=lambda label: not found[label]), MOST_LABELS)
        for pair, found in labels.items()
        if found
    }
    # Where there is a figure, it shapes the full picture too, and what it does not draw stays in the background.
    figure = {pair for pair, found in labels.items() if any(found.values())}
    shape = figure or set(arrows)
    caption = _caption(spec, profiles, arrows)
    if any(state.final for state in spec.states):
        caption = "\n".join(filter(None, (caption, "Double outline: a final state.")))
    return _emphasise(_diagram(spec, arrows, notes, marks, caption, shape), highlight)


def _rules(spec: Spec, profiles: frozenset[str], *, idle: bool) -> Iterable[Rule]:
    """The rules that are on under the profiles, in order; with or without those that an earlier rule makes idle."""
    for state in spec.states:
        earlier: list[Rule] = []
        for rule in state.rules:
            if all((name in profiles) == wanted for name, wanted in rule.profiles):
                if idle or rule.event.kind == "own" or not shadowed(rule, earlier):
                    yield rule
                earlier.append(rule)


def _diagram(
    spec: Spec,
    arrows: dict[Pair, tuple[Label, ...]],
    notes: tuple[Note, ...] = (),
    marks: Mapping[str, str] = MappingProxyType({}),
    caption: str = "",
    shape: Container[Pair] | None = None,
) -> Diagram:
    boxes = tuple(
        Box(state.name, marks.get(state.name, ""), initial=state.initial, final=state.final) for state in spec.states
    )
    drawn = tuple(
        Arrow(source, target, labels, int(shape is None or (source, target) in shape))
        for (source, target), labels in arrows.items()
    )
    return Diagram(spec.title or spec.name, caption, boxes, drawn, notes)


def _caption(spec: Spec, profiles: frozenset[str], arrows: dict[Pair, tuple[Label, ...]]) -> str:
    """How to read the labels, and the profiles where they are not the usual ones."""
    lines = []
    if any(action for labels in arrows.values() for _, action in labels):
        lines.append("Above a line: what happens. Below it: what the endpoint does.")
    usual = {profile.name for profile in spec.profiles if profile.default}
    chosen = [profile.name for profile in spec.profiles if profile.name in profiles]
    if set(chosen) != usual:
        lines.append(f"Profiles: {', '.join(chosen) or 'none'}.")
    return "\n".join(lines)


def _gather(
    spec: Spec, labels: dict[Pair, dict[Label, bool]], kept: set[Pair]
) -> tuple[tuple[Note, ...], dict[str, str]]:
    """Takes common ways out of ``labels``; the notes that say them and the short text under each state's name.

    Labels that the figure draws stay, and without a figure all arrows that do not lead back: they shape the picture.
    """
    figure = any(drawn for found in labels.values() for drawn in found.values())
    back = structure(_diagram(spec, {pair: tuple(found) for pair, found in labels.items()})).back
    sources: dict[tuple[str, Label], list[str]] = {}
    for (source, target), found in labels.items():
        for label, drawn in found.items():
            if not drawn and (source, target) not in kept and (figure or (source, target) in back):
                sources.setdefault((target, label), []).append(source)
    together: dict[tuple[str, tuple[str, ...]], list[Label]] = {}
    for (target, label), leaving in sources.items():
        if len(leaving) >= (COMMON_BACK if all((source, target) in back for source in leaving) else COMMON):
            together.setdefault((target, tuple(leaving)), []).append(label)
    notes: list[Note] = []
    marks: dict[str, list[str]] = {}
    for (target, froms), gathered in together.items():
        mark = _letter(len(notes))
        for source in froms:
            marks.setdefault(source, []).append(mark)
            for label in gathered:
                del labels[source, target][label]
        words = "; ".join(" / ".join(part for part in label if part) for label in gathered)
        text = f"{_states(spec, target, froms)} \u2192 {target}: {words}"
        notes.append(Note(mark, text, tuple((source, target) for source in froms)))
    return tuple(notes), {state: "also " + " ".join(letters) for state, letters in marks.items()}


def _letter(index: int) -> str:
    return chr(ord("a") + index) if index < 26 else f"{chr(ord('a') + index // 26 - 1)}{chr(ord('a') + index % 26)}"


def _states(spec: Spec, target: str, sources: Sequence[str]) -> str:
    """``every other state``, or all but a few, or a list."""
    missing = [state.name for state in spec.states if state.name != target and state.name not in sources]
    if not missing:
        return "every other state"
    if len(missing) <= 3 < len(sources):
        return f"every other state but {_series(missing)}"
    return _series(sources)


def _series(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def _emphasise(diagram: Diagram, highlight: Sequence[str]) -> Diagram:
    known = {box.name for box in diagram.boxes}
    for name in highlight:
        if name not in known:
            raise UnknownState(f"no state {name!r} to highlight; the states are {', '.join(sorted(known))}")
    ways = set(pairwise(highlight))
    boxes = tuple(
        Box(box.name, box.note, initial=box.initial, final=box.final, highlighted=box.name in highlight)
        for box in diagram.boxes
    )
    arrows = tuple(
        Arrow(arrow.source, arrow.target, arrow.labels, arrow.weight, (arrow.source, arrow.target) in ways)
        for arrow in diagram.arrows
    )
    return Diagram(diagram.title, diagram.caption, boxes, arrows, diagram.notes)
