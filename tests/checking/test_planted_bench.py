"""A small part of ``bench/planted.py``: what was found stays found, and a bad capture is nobody's fault."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "bench"))

import planted
from artefacts import ARTEFACTS
from plants import PLANTS

BASES = dict(planted.bases("client closes"))
FOUND = (
    "acknowledges what lies behind the FIN",
    "text after the FIN",
    "text over the FIN",
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
)
"""Kinds of faults that are found by the right name wherever they stand in this conversation."""


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
        report = bench.check(made[0])
        assert planted.judged(plant, *made, report) == planted.FOUND, (index, report)
        assert {item.place for item in planted.violations(report)} == {made[1] + 1}
    if not tried:
        made = next(made for index in range(len(segments)) if (made := plant.at(segments, index)))
        assert planted.judged(plant, *made, bench.check(made[0])) == planted.FOUND


@pytest.mark.parametrize("base", BASES)
@pytest.mark.parametrize("kind", ARTEFACTS)
def test_a_bad_capture_is_nobodys_fault(bench: planted.Bench, kind: str, base: str) -> None:
    segments = BASES[base]
    for index in planted.places(len(segments), 3):
        spoiled = ARTEFACTS[kind](list(segments), index)
        if spoiled:
            assert planted.violations(bench.check(spoiled)) == [], index
