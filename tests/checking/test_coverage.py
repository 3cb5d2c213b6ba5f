"""Which rules traces use: what is certain, what only may be, that counting changes no verdict, and the picture."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tcpmodel.checking.exercised import Coverage, Exercised
from tcpmodel.checking.run import check
from tcpmodel.cli.main import main
from tcpmodel.model.load import load
from tcpmodel.render.coloured import coloured
from tcpmodel.render.views import figure_view
from tcpmodel.report.coverage import document

ROOT = Path(__file__).resolve().parents[2]
LAB = ROOT / "traces" / "lab"


def covered(*names: str) -> Coverage:
    recorder = Exercised()
    check([str(LAB / name) for name in names], [load("tcp").spec], watch=recorder)
    (found,) = recorder.coverages()
    return found


def used(coverage: Coverage) -> dict[str, tuple[int, int]]:
    return {
        f"{use.rule.state} {use.rule.id}": (use.certain, use.perhaps)
        for use in coverage.uses
        if use.certain or use.perhaps
    }


def test_a_refused_connection_uses_few_rules() -> None:
    found = used(covered("refused.client.pcap"))
    assert found["CLOSED CLO-02"] == (1, 0), "an OPEN sent the SYN"
    assert not any(name.startswith(("ESTABLISHED", "FIN-WAIT", "TIME-WAIT")) for name in found)


def test_a_whole_connection_goes_through_the_states() -> None:
    found = used(covered("normal-client-close.client.pcap"))
    certain = {name for name, (count, _) in found.items() if count}
    assert {
        "CLOSED CLO-02",
        "LISTEN LIS-14",
        "SYN-SENT SYS-12",
        "SYN-RECEIVED SYR-21",
        "ESTABLISHED EST-C04",
        "ESTABLISHED EST-F1",
        "CLOSE-WAIT CLW-C04",
    } <= certain
    assert not any(name.startswith("CLOSING") for name in found), "the ends did not close at once"


def test_counts_endpoints() -> None:
    one, two = covered("refused.client.pcap"), covered("refused.client.pcap", "refused.client.pcap")
    assert (one.ends, two.ends) == (2, 4)
    assert used(two) == {name: (2 * certain, 2 * perhaps) for name, (certain, perhaps) in used(one).items()}


@pytest.mark.parametrize("name", sorted(path.name for path in LAB.glob("*.pcap")))
def test_counting_changes_no_verdict(name: str) -> None:
    specs = [load("tcp").spec, load("udp").spec]
    plain, counted = check([str(LAB / name)], specs), check([str(LAB / name)], specs, watch=Exercised())
    assert list(plain.connections) == list(counted.connections)


def test_every_rule_is_in_the_document_once(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", "--coverage", "--output-format", "json", str(LAB / "refused.client.pcap")]) == 0
    found = json.loads(capsys.readouterr().out)
    rules = [(rule.state, rule.id) for state in load("tcp").spec.states for rule in state.rules]
    (tcp,) = found["specs"]
    assert [(rule["state"], rule["id"]) for rule in tcp["rules"]] == rules
    assert tcp["endpoints"] == 2


def test_the_picture_shows_what_was_used(tmp_path: Path) -> None:
    spec = load("tcp").spec
    path, picture = tmp_path / "used.json", tmp_path / "used.svg"
    found: dict[str, Any] = document([covered("normal-client-close.client.pcap")])
    path.write_text(json.dumps(found))
    assert main(["render", "--coverage", str(path), "-o", str(picture)]) == 0
    assert "Green: fired by the traces" in picture.read_text()
    uses = {(r["state"], r["id"]): (r["fired"], r["perhaps"]) for r in found["specs"][0]["rules"]}
    arrows = {
        (arrow.source, arrow.target): arrow.use
        for arrow in coloured(figure_view(spec, frozenset()), spec, uses, figure=True).arrows
    }
    assert arrows["CLOSED", "SYN-SENT"] == "fired"
    assert arrows["FIN-WAIT-1", "FIN-WAIT-2"] == "perhaps"
    assert arrows["FIN-WAIT-1", "CLOSING"] == "never"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("{", "not JSON"),
        ("[]", "no coverage"),
        ('{"tcpmodel coverage": 1, "specs": []}', "specs in it: none"),
        ('{"tcpmodel coverage": 1, "specs": [{"spec": "tcp", "rules": [{}]}]}', "lacks a key"),
    ],
)
def test_a_file_that_tells_no_coverage(
    text: str, words: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "x.json"
    path.write_text(text)
    assert main(["render", "--coverage", str(path)]) == 2
    assert words in capsys.readouterr().err


def test_two_reports_at_once_are_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", "--coverage", "--ladder", str(LAB / "refused.client.pcap")]) == 2
    assert "ask for one of them" in capsys.readouterr().err
