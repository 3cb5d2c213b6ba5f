"""The pages about requirements and claims are complete, say what they must, and are what the marks in the specs give.

``python tests/project/test_marks.py --update`` writes all pages anew: needed whenever a mark, or the line of something
that a mark refers to, has changed.
"""

from __future__ import annotations

import re
import sys
from collections import Counter
from pathlib import Path

import pytest

from tcpmodel.cli.main import main
from tcpmodel.model.load import load_spec
from tcpmodel.model.spec import Claim, Requirement, Spec
from tcpmodel.report.marks_md import RepeatedError, page
from tcpmodel.report.rules_md import page as rules_page

ROOT = Path(__file__).resolve().parents[2]
PAGES = {
    "requirements": ROOT / "docs" / "requirements.md",
    "claims": ROOT / "docs" / "source-claims.md",
    "rules": ROOT / "docs" / "packet-rules.md",
}

# The requirements of RFC 9293, as its appendix B and its text number them.
REQUIREMENTS = {
    *(f"MUST-{number}" for number in range(1, 70)),
    *(f"SHLD-{number}" for number in range(1, 32)),
    *(f"MAY-{number}" for number in range(1, 19)),
    "REC-1",
}
# Every rule that one who only sees packets may want, decided or not.
RULES = {
    *(f"TCP-HDR-{number:03}" for number in range(1, 11)),
    *(f"TCP-FLG-{number:03}" for number in range(1, 11)),
    *(f"TCP-ECN-{number:03}" for number in range(1, 4)),
    *(f"TCP-HS-{number:03}" for number in range(1, 25)),
    *(f"TCP-SEQ-{number:03}" for number in range(1, 10)),
    *(f"TCP-ACK-{number:03}" for number in range(1, 11)),
    *(f"TCP-WIN-{number:03}" for number in range(1, 11)),
    *(f"TCP-OPT-{number:03}" for number in range(1, 23)),
    *(f"TCP-FIN-{number:03}" for number in range(1, 12)),
    *(f"TCP-TW-{number:03}" for number in range(1, 7)),
    *(f"TCP-RST-{number:03}" for number in range(1, 16)),
    *(f"TCP-KA-{number:03}" for number in range(1, 9)),
    *(f"TCP-RTX-{number:03}" for number in range(1, 9)),
    *(f"CAP-{number:03}" for number in range(1, 19)),
    *(f"UDP-{number:03}" for number in range(1, 13)),
    *(f"ICMP-{number:03}" for number in range(1, 5)),
}
CLAIMS = {*(f"S1-{number:02}" for number in range(1, 56)), *(f"S2-{number:02}" for number in range(1, 111))}
WRONG = "S1-19 S1-55 S2-01 S2-11 S2-22 S2-33 S2-34 S2-55 S2-64 S2-70 S2-80 S2-104"
LOOSE = """
    S1-02 S1-03 S1-04 S1-07 S1-08 S1-10 S1-17 S1-24 S1-25 S1-28 S1-29 S1-30 S1-35 S1-36 S1-37 S1-39 S1-43 S1-52 S1-54
    S2-03 S2-04 S2-07 S2-14 S2-20 S2-26 S2-29 S2-30 S2-31 S2-32 S2-38 S2-39 S2-49 S2-56 S2-59 S2-63 S2-67 S2-69 S2-71
    S2-72 S2-76 S2-77 S2-79 S2-84 S2-88 S2-89 S2-91
"""
OPEN = "S2-24 S2-110"


def specs() -> list[Spec]:
    """Those of the checkout, whatever is installed: the pages lead to their lines."""
    return [load_spec(str(path)) for path in sorted((ROOT / "specs").glob("*.tcpspec"))]


SPECS = specs()


def written(kind: str) -> str:
    folder = str(ROOT / "docs")
    return rules_page(SPECS, folder) if kind == "rules" else page(kind, SPECS, folder)


def requirements() -> list[Requirement]:
    return [mark for spec in SPECS for mark in spec.requirements]


def claims() -> list[Claim]:
    return [mark for spec in SPECS for mark in spec.claims]


@pytest.mark.parametrize("kind", PAGES)
def test_page_is_up_to_date(kind: str) -> None:
    again = "out of date: run 'python tests/project/test_marks.py --update'"
    assert PAGES[kind].read_text(encoding="utf-8") == written(kind), again


def test_every_requirement_once() -> None:
    assert len(REQUIREMENTS) == 119
    assert Counter(mark.id for mark in requirements()) == dict.fromkeys(REQUIREMENTS, 1)


def test_every_requirement_says_what_it_asks_and_why_nothing_carries_it() -> None:
    for mark in requirements():
        assert mark.words and mark.cites and bool(mark.by) != bool(mark.outside), mark.id
        assert not any(reference.kind == "text" for reference in mark.by), mark.id
        assert not mark.outside or mark.outside.endswith("."), mark.id


def test_what_a_spec_cites_it_carries() -> None:
    """A rule that cites a requirement would not be outside of the model."""
    outside = {mark.id for mark in requirements() if mark.outside}
    for spec in SPECS:
        cites = [rule.cites for state in spec.states for rule in state.rules]
        for declared in (spec.variables, spec.constants, spec.definitions, spec.profiles, spec.events, spec.scenarios):
            cites += [each.cites for each in declared]
        cited = {cite.place for each in cites for cite in each if cite.requirement}
        assert cited <= REQUIREMENTS
        assert not cited & outside


def test_every_rule_is_on_the_page() -> None:
    page_of_rules = PAGES["rules"].read_text(encoding="utf-8")
    found = set(re.findall(r"^\| \[?([A-Z]+(?:-[A-Z]+)?-\d{3})\b", page_of_rules, re.M))
    assert found >= RULES, sorted(RULES - found)


def test_every_claim_once() -> None:
    assert len(CLAIMS) == 165
    assert Counter(mark.id for mark in claims()) == dict.fromkeys(CLAIMS, 1)


def test_verdicts() -> None:
    for verdict, names in (("wrong", WRONG), ("loose", LOOSE), ("open", OPEN)):
        assert {mark.id for mark in claims() if mark.verdict == verdict} == set(names.split())


def test_every_claim_that_is_not_right_says_what_is() -> None:
    for mark in claims():
        assert mark.statement and mark.by, mark.id
        assert mark.verdict == "right" or mark.words.endswith("."), mark.id


# ----------------------------------------------------------------------------------------------------------- the writer

TEXT = """\
spec s "a spec" over tcp
  cites RFC9293
message SEG "segment"
  flag A
call GO "go"
rules shared "what states share"
  S-1: on SEG with A -> ON
initial state OFF "off"
  use shared
  on GO -> ON
state ON "on"
  on SEG -> OFF
  on GO stay
"""


def pages_of(tmp_path: Path, *bodies: str) -> dict[str, str]:
    found = []
    for number, body in enumerate(bodies):
        path = tmp_path / "specs" / f"s{number}.tcpspec"
        path.parent.mkdir(exist_ok=True)
        path.write_text(TEXT.replace("spec s ", f"spec s{number} ") + body, encoding="utf-8")
        found.append(load_spec(str(path)))
    return {kind: page(kind, found, str(tmp_path / "docs")) for kind in ("requirements", "claims")}


def test_rows(tmp_path: Path) -> None:
    body = """\
/// Later
requirement MUST-10 by rule S-1, state ON, group shared "it | holds" [§3.10]
requirement MUST-9 outside "<nobody> sees it" "unseen" [§3.9]
requirement MUST-2 by call GO, state OFF, state ON "second" [§3.10]
"""
    text = pages_of(tmp_path, body)["requirements"]
    file = "../specs/s0.tcpspec"
    assert "3 requirements: 2 carried by something in the specs, 1 outside" in text
    assert text.index("## RFC 9293 §3.9\n") < text.index("## RFC 9293 §3.10 Later\n")
    assert f"| [MUST-9]({file}#L16) | unseen | *outside:* &lt;nobody&gt; sees it |" in text
    carried = f"rule [S-1]({file}#L7); state [ON]({file}#L11); group [shared]({file}#L6)"
    assert f"| [MUST-10]({file}#L15) | it \\| holds | {carried} |" in text
    carried = f"call [GO]({file}#L5); states [OFF]({file}#L8), [ON]({file}#L11)"
    assert text.index(f"| [MUST-2]({file}#L17) | second | {carried} |") < text.index("[MUST-10]")


def test_claims_of_two_specs(tmp_path: Path) -> None:
    first = '/// Beginning\nclaim X-1 right "so" by state ON\nclaim X-10 wrong "no" by text "Yes."\n'
    second = 'claim X-2 open "what" by state OFF "Lost."\nclaim Y-1 right "so" by state OFF\n'
    text = pages_of(tmp_path, first, second)["claims"]
    assert "4 statements: 2 right, 1 wrong, 1 open." in text
    places = [text.index(words) for words in ("## X", "### Beginning", "[X-1]", "[X-2]", "[X-10]", "## Y", "[Y-1]")]
    assert places == sorted(places)
    assert "| no | **wrong** | Yes. | this text |" in text
    assert "| what | **open** | Lost. | state [OFF](../specs/s1.tcpspec#L8) |" in text


def test_twice(tmp_path: Path) -> None:
    with pytest.raises(RepeatedError, match="'X-1' is marked twice, in specs 's0' and 's1'"):
        pages_of(tmp_path, *['claim X-1 right "so" by state ON\n'] * 2)


def test_nothing_marked(tmp_path: Path) -> None:
    pages = pages_of(tmp_path, "")
    assert "0 requirements" in pages["requirements"] and "0 statements." in pages["claims"]


def test_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """Links lead from the file that is written; from here without one."""
    pages_of(tmp_path, 'claim X-1 right "so" by state ON\n')
    monkeypatch.chdir(tmp_path)
    (tmp_path / "out").mkdir()
    assert main(["doc", "claims", "specs/s0.tcpspec", "-o", "out/page.md"]) == 0
    assert "(../specs/s0.tcpspec#L11)" in (tmp_path / "out" / "page.md").read_text(encoding="utf-8")
    assert main(["doc", "claims", "specs/s0.tcpspec"]) == 0
    assert "(specs/s0.tcpspec#L11)" in capsys.readouterr().out
    assert main(["doc", "claims", "specs/s0.tcpspec", "specs/s0.tcpspec"]) == 2
    assert "'X-1' is marked twice" in capsys.readouterr().err


if __name__ == "__main__":
    if sys.argv[1:] != ["--update"]:
        sys.exit(__doc__)
    for each, path in PAGES.items():
        path.write_text(written(each), encoding="utf-8", newline="\n")
