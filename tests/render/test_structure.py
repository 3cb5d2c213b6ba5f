"""What the graph says about the layout."""

from __future__ import annotations

import pytest

from tcpmodel.render.diagram import Arrow, Box, Diagram
from tcpmodel.render.structure import structure


def diagram(*pairs: str, free: str = "") -> Diagram:
    """``diagram("ab", "bc")``: single letters are states, the first one is initial; ``free`` arrows shape nothing."""
    names = sorted({name for pair in pairs for name in pair})
    arrows = [Arrow(pair[0], pair[1], (("go", ""),)) for pair in pairs]
    arrows += [Arrow(pair[0], pair[1], (("go", ""),), weight=0) for pair in free.split()]
    return Diagram("", "", tuple(Box(name, initial=name == names[0]) for name in names), tuple(arrows))


def shown(pairs: frozenset[tuple[str, str]]) -> set[str]:
    return {source + target for source, target in pairs}


def test_figure_5_has_the_rows_of_the_standard(figure_5: Diagram) -> None:
    hints = structure(figure_5)
    rows = [[name for name, row in hints.rows.items() if row == number] for number in range(7)]
    assert rows == [
        ["CLOSED"],
        ["LISTEN"],
        ["SYN-SENT", "SYN-RECEIVED"],
        ["ESTABLISHED"],
        ["FIN-WAIT-1", "CLOSE-WAIT"],
        ["FIN-WAIT-2", "CLOSING", "LAST-ACK"],
        ["TIME-WAIT"],
    ]
    assert hints.level == {("SYN-SENT", "SYN-RECEIVED")}
    assert hints.returns == {("LAST-ACK", "CLOSED"), ("TIME-WAIT", "CLOSED")}
    assert hints.beside == "TIME-WAIT"
    assert hints.back - hints.returns == {
        ("LISTEN", "CLOSED"),
        ("SYN-SENT", "CLOSED"),
        ("SYN-RECEIVED", "LISTEN"),
    }


def test_figure_5_does_not_depend_on_the_order_of_arrows(figure_5: Diagram) -> None:
    turned = Diagram(figure_5.title, "", figure_5.boxes, figure_5.arrows[::-1])
    assert structure(turned) == structure(figure_5)


@pytest.mark.parametrize(
    ("pairs", "back"),
    [
        ("ab bc", ""),
        ("ab ba", "ba"),
        ("ab bc ca", "ca"),
        ("ab ac bc cb", "cb"),
        ("ab bc cd ad cd", ""),
        ("ab bc cd db", "db"),
        ("ba", ""),
    ],
)
def test_back_arrows(pairs: str, back: str) -> None:
    assert shown(structure(diagram(*pairs.split())).back) == set(back.split())


def test_a_late_way_back_into_an_early_state_does_not_turn_the_machine_over() -> None:
    # Walked depth first along b, c, d, e, the arrow ex would look like a way on.
    hints = structure(diagram("ab", "bc", "cd", "de", "bx", "xc", "ex"))
    assert shown(hints.back) == {"ex"}


def test_arrows_without_weight_shape_nothing() -> None:
    assert structure(diagram("ab", "bc", free="ca ac")).rows == {"a": 0, "b": 1, "c": 2}


def test_siblings_share_a_row_but_not_under_the_initial_state() -> None:
    assert shown(structure(diagram("ab", "bc", "bd", "cd", "ce", "de")).level) == {"cd"}
    assert shown(structure(diagram("ab", "ac", "bc", "bd", "cd")).level) == set()


def test_one_long_way_back_needs_no_second_box() -> None:
    assert structure(diagram("ab", "bc", "cd", "da")).returns == frozenset()
    assert shown(structure(diagram("ab", "bc", "cd", "ce", "da", "ea")).returns) == {"da", "ea"}
