"""Pictures as a whole: they are well formed, readable, the same every time, and true to the diagram."""

from __future__ import annotations

import json
import re
import string
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterator, Sequence
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tcpmodel.render import engines
from tcpmodel.render.diagram import Arrow, Box, Diagram, Note
from tcpmodel.render.dot import to_dot
from tcpmodel.render.palette import DARK, LIGHT
from tcpmodel.render.render import FORMATS, RenderError, render

SVG = "{http://www.w3.org/2000/svg}"
Rectangle = tuple[float, float, float, float]


def texts(svg: bytes) -> list[str]:
    return ["".join(element.itertext()) for element in ElementTree.fromstring(svg).iter(f"{SVG}text")]


# ------------------------------------------------------------------------------------------------------- geometry


def _text_area(operations: Sequence[dict[str, Any]]) -> Rectangle | None:
    corners: list[tuple[float, float]] = []
    size = 0.0
    for operation in operations:
        if operation["op"] == "F":
            size = operation["size"]
        if operation["op"] == "T":
            (x, y), width = operation["pt"], operation["width"]
            x -= {"l": 0, "c": width / 2, "r": width}[operation["align"]]
            corners += [(x, y - 0.2 * size), (x + width, y + 0.75 * size)]
    if not corners:
        return None
    xs, ys = zip(*corners, strict=True)
    return min(xs), min(ys), max(xs), max(ys)


def _points_of(curve: Sequence[Sequence[float]]) -> Iterator[tuple[float, float]]:
    for start in range(0, len(curve) - 3, 3):
        a, b, c, d = curve[start : start + 4]
        for step in range(13):
            t = step / 12
            weights = ((1 - t) ** 3, 3 * (1 - t) ** 2 * t, 3 * (1 - t) * t**2, t**3)
            x, y = (sum(w * p[axis] for w, p in zip(weights, (a, b, c, d), strict=True)) for axis in (0, 1))
            yield x, y


def _meet(one: Rectangle, other: Rectangle) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]


def collisions(layout: bytes) -> list[tuple[str, str]]:
    """What lies over what: labels over labels, boxes or lines, and lines over boxes that they do not belong to."""
    graph = json.loads(layout)
    objects = {item["_gvid"]: item for item in graph["objects"] if "pos" in item}
    boxes: dict[int, Rectangle] = {}
    for key, item in objects.items():
        x, y = map(float, item["pos"].split(","))
        width, height = 36 * float(item["width"]), 36 * float(item["height"])
        boxes[key] = (x - width, y - height, x + width, y + height)
    labels = [area for edge in graph["edges"] if (area := _text_area(edge.get("_ldraw_", ())))]
    names = {key: item["name"] for key, item in objects.items()}
    found = [("label", "label") for at, one in enumerate(labels) for other in labels[at + 1 :] if _meet(one, other)]
    found += [("label", names[key]) for one in labels for key, box in boxes.items() if _meet(one, box)]
    for edge in graph["edges"]:
        way = f"{names[edge['tail']]} -> {names[edge['head']]}"
        others = [box for key, box in boxes.items() if key not in (edge["tail"], edge["head"])]
        for operation in edge["_draw_"]:
            if operation["op"] == "b":
                points = list(_points_of(operation["points"]))
                for area in (*labels, *others):
                    if any(area[0] < x < area[2] and area[1] < y < area[3] for x, y in points):
                        found.append((way, str(area)))
    return found


def test_nothing_overlaps_in_figure_5(figure_5: Diagram) -> None:
    layout = engines.run(to_dot(figure_5), "json", "pure")
    assert collisions(layout) == []
    _, _, width, height = map(float, json.loads(layout)["bb"].split(","))
    assert width < 760 and height < 760, "wider than a page of text"


def test_the_test_for_overlaps_sees_them(figure_5: Diagram) -> None:
    crowded = to_dot(figure_5).replace('constraint="false"', "").replace("rankdir=", 'layout="circo", rankdir=')
    assert collisions(engines.run(crowded, "json", "pure"))


def test_figure_5_stands_as_in_the_standard(figure_5: Diagram) -> None:
    graph = json.loads(engines.run(to_dot(figure_5), "json", "pure"))
    place = {item["name"]: tuple(map(float, item["pos"].split(","))) for item in graph["objects"] if "pos" in item}
    heights = [place[name][1] for name in ("CLOSED", "LISTEN", "SYN-SENT", "ESTABLISHED", "FIN-WAIT-1", "FIN-WAIT-2")]
    assert heights == sorted(heights, reverse=True) and len(set(heights)) == 6
    assert place["CLOSED"][1] == max(y for _, y in place.values())
    assert place["TIME-WAIT"][1] == min(y for _, y in place.values())
    for left, right in (("SYN-RECEIVED", "SYN-SENT"), ("FIN-WAIT-1", "CLOSE-WAIT"), ("CLOSING", "LAST-ACK")):
        assert place[left][1] == pytest.approx(place[right][1], abs=0.5)
        assert place[left][0] < place[right][0]


# ------------------------------------------------------------------------------------------------------------ SVG


def test_svg_shows_every_name_and_label(figure_5: Diagram) -> None:
    shown = texts(render(figure_5, "svg"))
    for box in figure_5.boxes:
        assert box.name in shown
    assert shown.count("CLOSED") == 2, "the initial state is drawn again where far arrows return to it"
    wanted = [part for arrow in figure_5.arrows for label in arrow.labels for part in label if part]
    for part in set(wanted):
        assert shown.count(part) == wanted.count(part), part


def test_svg_scales_and_speaks(figure_5: Diagram) -> None:
    root = ElementTree.fromstring(render(figure_5, "svg"))
    assert root.get("role") == "img"
    assert [float(number) for number in root.get("viewBox", "").split()[2:]] == [
        float(root.get("width", "")),
        float(root.get("height", "")),
    ]
    title, description = root.find(f"{SVG}title"), root.find(f"{SVG}desc")
    assert title is not None and title.text == figure_5.title
    assert description is not None and description.text is not None
    assert root.get("aria-labelledby") == f"{title.get('id')} {description.get('id')}"
    assert "SYN-SENT to ESTABLISHED: rcv SYN,ACK / snd ACK." in description.text
    assert "Initial: CLOSED." in description.text


def test_svg_has_no_colour_outside_its_style_sheet(figure_5: Diagram) -> None:
    svg = render(figure_5, "svg").decode()
    before, style, after = re.split("</?style>", svg)
    assert "prefers-color-scheme:dark" in style
    assert not re.search(r"#[0-9a-f]{6}", before + after)
    assert set(re.findall(r"tm-[sf]-(\w+)", after)) <= set(LIGHT)


def _luminance(colour: str) -> float:
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


@pytest.mark.parametrize("palette", [LIGHT, DARK], ids=["light", "dark"])
@pytest.mark.parametrize("ground", ["page", "fill", "glow"])
@pytest.mark.parametrize(("role", "contrast"), [("ink", 7), ("muted", 4.5), ("accent", 4.5), ("line", 3)])
def test_colours_can_be_told_from_the_ground(palette: dict[str, str], ground: str, role: str, contrast: float) -> None:
    low, high = sorted((_luminance(palette[role]), _luminance(palette[ground])))
    assert (high + 0.05) / (low + 0.05) >= contrast


@pytest.mark.parametrize("palette", [LIGHT, DARK], ids=["light", "dark"])
def test_faint_lines_can_be_seen(palette: dict[str, str]) -> None:
    low, high = sorted((_luminance(palette["faint"]), _luminance(palette["page"])))
    assert (high + 0.05) / (low + 0.05) >= 3


def test_palettes_have_the_same_roles() -> None:
    assert LIGHT.keys() == DARK.keys()
    assert len(set(LIGHT.values())) == len(LIGHT)


def test_highlight_changes_only_what_it_names(figure_5: Diagram) -> None:
    boxes = tuple(Box(box.name, highlighted=box.name == "LISTEN") for box in figure_5.boxes)
    plain = render(figure_5, "svg").decode()
    marked = render(Diagram(figure_5.title, "", boxes, figure_5.arrows), "svg").decode()
    assert 'class="tm-s-accent' not in plain
    assert marked.count('class="tm-s-accent') == 1


# ------------------------------------------------------------------------------------------------------- any text


words = st.text(st.characters(exclude_categories=("Cs",)), max_size=12) | st.text(string.printable, max_size=12)
ugly = st.sampled_from(['"', "\\", "x\\", "\\N", "<b>", "&amp;", "{}", "%%{init}%%", "[*]", "end note", "--", ";", "#"])


@st.composite
def diagrams(draw: st.DrawFn) -> Diagram:
    names = draw(st.lists(words | ugly, min_size=1, max_size=6, unique=True))
    name = st.sampled_from(names)
    label = st.tuples(words | ugly, words | ugly)
    arrow = st.builds(
        Arrow, name, name, st.lists(label, max_size=3).map(tuple), st.sampled_from([0, 1]), highlighted=st.booleans()
    )
    arrows = draw(st.lists(arrow, max_size=8, unique_by=lambda arrow: (arrow.source, arrow.target)))
    boxes = [Box(name, draw(words), number == 0, draw(st.booleans())) for number, name in enumerate(names)]
    notes = draw(st.lists(st.builds(Note, st.sampled_from(["", "a"]), words | ugly), max_size=2))
    return Diagram(draw(words | ugly), draw(words), tuple(boxes), tuple(arrows), tuple(notes))


def _letters(text: str) -> str:
    return "".join(re.findall(r"[A-Za-z0-9]+", text))


@settings(max_examples=60)
@given(diagrams())
def test_any_text_can_be_drawn(diagram: Diagram) -> None:
    svg = render(diagram, "svg")
    shown = {_letters(text) for text in texts(svg)}
    for box in diagram.boxes:
        assert _letters(box.name) in shown | {""}
    for arrow in diagram.arrows:
        assert {_letters(part) for label in arrow.labels for part in label} <= shown | {""}
    assert svg == render(diagram, "svg")
    assert render(diagram, "png").startswith(b"\x89PNG\r\n")


@given(diagrams())
def test_any_text_is_one_line_of_mermaid(diagram: Diagram) -> None:
    text = render(diagram, "mermaid").decode()
    body = text[text.index("stateDiagram-v2") :].splitlines()
    states = [line for line in body if line.startswith("    state ")]
    assert len(states) == len(diagram.boxes)
    assert len({line.rsplit(" as ", 1)[1] for line in states}) == len(states)
    for line in states:
        assert re.fullmatch(r'    state "[^"{};]*(?:#\d+;[^"{};]*)*" as \w+', line), line
    for line in body:
        assert re.match(
            r"stateDiagram-v2$|    (state \"|\w+ --> |\[\*\] --> \w+$|note right of |end note$|class(Def)? |%% |    )",
            line,
        ), line


# ---------------------------------------------------------------------------------------------- formats and engines


@pytest.mark.parametrize("to", [to for to in FORMATS if to != "pdf"])
def test_equal_diagrams_give_equal_bytes(figure_5: Diagram, to: str) -> None:
    again = Diagram(figure_5.title, figure_5.caption, tuple(figure_5.boxes), tuple(figure_5.arrows))
    assert render(figure_5, to) == render(again, to)


def test_mermaid_of_figure_5(figure_5: Diagram) -> None:
    lines = render(figure_5, "mermaid").decode().splitlines()
    assert "    [*] --> CLOSED" in lines
    assert "    SYN_SENT --> ESTABLISHED: rcv SYN,ACK / snd ACK" in lines
    assert "    SYN_RECEIVED --> LISTEN: rcv RST" in lines
    assert sum(" --> " in line for line in lines) == 21


def test_nothing_need_be_installed(figure_5: Diagram, monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert render(figure_5, "svg").startswith(b"<?xml")
    assert render(figure_5, "png").startswith(b"\x89PNG")
    with pytest.raises(RenderError, match=r"PDF needs the program 'dot'.*install Graphviz"):
        render(figure_5, "pdf")
    with pytest.raises(RenderError, match=r"the program 'dot' is not on the PATH.*install Graphviz"):
        render(figure_5, "svg", "dot")


def test_without_any_layout_program_the_error_tells_what_to_install(
    figure_5: Diagram, monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(engines, "_pure_places", lambda: iter(()))
    with pytest.raises(RenderError, match="pip install graphviz-pure"):
        render(figure_5, "svg")
    assert render(figure_5, "dot").startswith(b"digraph")
    assert render(figure_5, "mermaid")


@pytest.mark.parametrize(
    ("script", "says"),
    [
        ("echo 'no memory' >&2; exit 3", "failed: no memory"),
        ("exit 3", "failed: exit code 3"),
        ("sleep 5", "did not finish"),
    ],
)
def test_a_program_that_fails_is_an_error_not_a_traceback(
    figure_5: Diagram, monkeypatch: pytest.MonkeyPatch, tmp_path: Any, script: str, says: str
) -> None:
    program = tmp_path / "dot"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    monkeypatch.setattr(engines, "_system_dot", lambda: str(program))
    monkeypatch.setattr(engines, "TIMEOUT", 0.5)
    with pytest.raises(RenderError, match=says):
        render(figure_5, "png", "dot")


def test_unknown_format_and_engine(figure_5: Diagram) -> None:
    with pytest.raises(ValueError, match="unknown picture format 'gif'"):
        render(figure_5, "gif")
    with pytest.raises(ValueError, match="unknown layout engine 'neato'"):
        render(figure_5, "svg", "neato")


@pytest.mark.skipif(engines._system_dot() is None, reason="Graphviz is not installed")
def test_graphviz_draws_the_same_picture(figure_5: Diagram) -> None:
    assert sorted(texts(render(figure_5, "svg", "dot"))) == sorted(texts(render(figure_5, "svg")))
    assert collisions(engines.run(to_dot(figure_5), "json", "dot")) == []
    assert render(figure_5, "pdf").startswith(b"%PDF")
