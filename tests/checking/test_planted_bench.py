"""A small part of ``bench/planted.py``: what was found stays found, and a bad capture is nobody's fault."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "bench"))

import planted
from artefacts import ARTEFACTS
from conversation import Segments
from planting import Plant
from plants import PLANTS

BASES = dict(planted.bases("client closes"))
FOUND = (
    "acknowledges what lies behind the FIN",
    "text after the FIN",
    "text over the FIN",
    "text beyond a FIN that comes later",
    "a second FIN behind the first",
    "no flag at all",
    "SYN and RST",
    "SYN,ACK and FIN in the middle",
    "third segment acknowledges one too many",
    "text numbered before the first",
    "an acknowledgment numbered before the first",
    "acknowledges numbers from before the peer's first",
    "a second FIN before the first",
    "SYN,ACK acknowledges too much",
    "SYN,ACK acknowledges too little",
    "third segment acknowledges one too few",
    "text before the SYN,ACK",
    "a FIN before the SYN,ACK",
    "a listener, at its host, sends text before the third segment",
    "tells of congestion, of which nobody spoke",
    "takes back a part of the window",
    "a keep-alive while text waits",
)
"""Kinds of faults that are found by the right name wherever they stand in this conversation."""

COUNTED = (
    ("reset", "acknowledges text that was never sent"),
    ("data crosses close", "an acknowledgment numbered far ahead"),
    ("data crosses close", "text far beyond any window"),
    ("server speaks first", "one more acknowledgment, of text that was never sent"),
    ("data unread", "text after its own reset"),
)
"""What only identifications, or a FIN that comes later, prove: conversation and fault."""

ODD = (
    "a second SYN,ACK with another initial number",
    "a listener sends text before the third segment",
    "a SACK block of what was never sent",
    "an echo of a timestamp that was never sent",
    "a reset with numbers from nowhere",
    "SYN and FIN in the middle",
)
"""What no capture of this conversation proves, and what is told all the same."""


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> planted.Bench:
    return planted.Bench(tmp_path_factory.mktemp("planted"))


@pytest.mark.parametrize("base", BASES)
@pytest.mark.parametrize("name", FOUND)
def test_found_where_it_is_and_nobody_else_is_blamed(bench: planted.Bench, name: str, base: str) -> None:
    plant = next(plant for plant in PLANTS if plant.name == name)
    segments = BASES[base]
    tried = 0
    for index in planted.places(len(segments), 5):
        made = plant.at(segments, index)
        if made is None:
            continue
        tried += 1
        found_alone(bench, plant, *made)
    if not tried:
        found_alone(bench, plant, *next(made for index in range(len(segments)) if (made := plant.at(segments, index))))


def found_alone(bench: planted.Bench, plant: Plant, segments: Segments, index: int) -> None:
    """The fault is found where it is, and nobody is accused of anything else."""
    at = planted.speaker(segments[index].side) if plant.vantage == "sender" else ""
    report = bench.check(segments, at)
    assert planted.judged(plant, segments, index, report) == planted.FOUND, (index, report)
    assert {item.place for item in planted.violations(report)} <= {index + 1}


@pytest.mark.parametrize(("base", "name"), COUNTED)
def test_found_by_what_identifications_prove(bench: planted.Bench, base: str, name: str) -> None:
    plant = next(plant for plant in PLANTS if plant.name == name)
    for segments in dict(planted.bases(base)).values():
        indices = planted.places(len(segments), 0)
        made = (made for index in indices if (made := plant.at(segments, index)) and not plant.doubt(*made))
        found_alone(bench, plant, *next(made))


@pytest.mark.parametrize("name", ODD)
def test_what_is_not_proven_is_told_as_unusual(bench: planted.Bench, name: str) -> None:
    plant = next(plant for plant in PLANTS if plant.name == name)
    segments = BASES["client closes"]
    indices = planted.places(len(segments), 0)
    made = next(made for index in indices if (made := plant.at(segments, index)) and plant.doubt(*made))
    report = bench.check(made[0])
    assert planted.judged(plant, *made, report) == planted.TOLD
    assert planted.violations(report) == []


@pytest.mark.parametrize("kind", planted.datagrams.exchanges())
def test_datagrams(bench: planted.Bench, kind: str) -> None:
    lines = [line for *_, line in planted.measure_datagrams(bench, 1, base=kind)]
    assert sum(line.counts.total() for line in lines) >= 6
    assert not [example for line in lines for example in line.examples]


@pytest.mark.parametrize("kind", planted.datagrams.exchanges())
def test_a_bad_capture_of_datagrams_is_nobodys_fault(bench: planted.Bench, kind: str) -> None:
    lines = planted.spoiled_datagrams(bench, 2, base=kind).values()
    assert not [example for line in lines for example in line.examples]


@pytest.mark.parametrize("base", BASES)
@pytest.mark.parametrize("kind", ARTEFACTS)
def test_a_bad_capture_is_nobodys_fault(bench: planted.Bench, kind: str, base: str) -> None:
    segments = BASES[base]
    for index in planted.places(len(segments), 3):
        spoiled = ARTEFACTS[kind](list(segments), index)
        if spoiled:
            assert planted.violations(bench.check(spoiled)) == [], index
