"""A picture that shows which of its arrows traces made use of.

Owns: what counts as use of an arrow or a state, and the words that say so below the picture.
Must never hold: where the numbers come from, or how a format writes a colour.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from tcpmodel.model.spec import Spec
from tcpmodel.render.diagram import USES, Diagram

Uses = Mapping[tuple[str, str], tuple[int, int]]
"""(state, id) of a rule -> how many endpoints fired it for certain, and perhaps."""

LEGEND = "Green: fired by the traces. Amber: perhaps. Grey: never."


def coloured(diagram: Diagram, spec: Spec, uses: Uses, *, figure: bool) -> Diagram:
    """The diagram with the use of each arrow and of each state.

    An arrow of a ``figure`` stands for the rules that the figure draws, any other for all rules between its states. A
    state was used when a rule led into it, or one of its own fired.
    """
    only_drawn = figure and any(rule.drawn is not None for state in spec.states for rule in state.rules)
    arrows: dict[tuple[str, str], set[str]] = {}
    boxes: dict[str, set[str]] = {}
    for state in spec.states:
        for rule in state.rules:
            use = _use(uses.get((rule.state, rule.id), (0, 0)))
            if rule.drawn is not None or not only_drawn:
                arrows.setdefault((rule.state, rule.target), set()).add(use)
            boxes.setdefault(rule.target, set()).add(use)
            boxes.setdefault(rule.state, set()).add(use)
    return replace(
        diagram,
        caption="\n".join(filter(None, (diagram.caption, LEGEND))),
        boxes=tuple(replace(box, use=_most(boxes.get(box.name, set()))) for box in diagram.boxes),
        arrows=tuple(
            replace(arrow, use=_most(arrows.get((arrow.source, arrow.target), set()))) for arrow in diagram.arrows
        ),
    )


def _use(counts: tuple[int, int]) -> str:
    certain, perhaps = counts
    return "fired" if certain else "perhaps" if perhaps else "never"


def _most(found: set[str]) -> str:
    return next((use for use in USES if use in found), "never")
