"""Scenarios as tests of a spec: what each line means, what a failure tells, and that slips of the model are noticed."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest
from shipped import tcp_text

from tcpmodel.analysis.results import Check, Section, Verification
from tcpmodel.analysis.scenarios import SECTION, run_scenario, scenario_checks
from tcpmodel.analysis.shifting import Shift, numbers_of, shifts
from tcpmodel.model.load import load_spec, parse_spec
from tcpmodel.model.spec import Spec
from tcpmodel.report.style import Style
from tcpmodel.report.verify_json import document
from tcpmodel.report.verify_text import lines
from tcpmodel.semantics.stepping import Stepper

ENDS = """
  1. ESTABLISHED ESTABLISHED
  A: let ISS = 100, SND.NXT = 101, IRS = 300, RCV.NXT = 301
  B: let ISS = 300, SND.NXT = 301, IRS = 100, RCV.NXT = 101
"""

GOOD = {
    "text may be acknowledged by the answer": """from ESTABLISHED
  < <SEQ=301><ACK=101><CTL=ACK><DATA=5>
  choose n = 7
  SEND
  > <SEQ=101><ACK=306><CTL=ACK><DATA=7>""",
    "a challenge may be left out": """from ESTABLISHED
  < <SEQ=400><CTL=RST> => ESTABLISHED
  < <SEQ=401><CTL=RST> => ESTABLISHED""",
    "what is sent of its own accord": """from ESTABLISHED
  > <SEQ=101><ACK=301><CTL=ACK><DATA=9>
  => ESTABLISHED (SND.NXT = 110)
  > <SEQ=101><ACK=301><CTL=ACK><DATA=4>
  => ESTABLISHED (SND.NXT = 110)""",
    "a timer that the scenario does not show": """from SYN-RECEIVED
  > <SEQ=100><ACK=301><CTL=SYN,ACK>
  => SYN-RECEIVED""",
    "the window of a message that is sent is free": """from ESTABLISHED
  > <SEQ=101><ACK=301><CTL=ACK><WND=17>""",
    "a rule by its name": """from CLOSE-WAIT
  let SND.WND = 0, SND.BUF = 3
  CLOSE => CLOSE-WAIT
  choose s = 101, n = 3
  may CLW-C04f => LAST-ACK
  > <SEQ=101><ACK=302><CTL=FIN,ACK><DATA=3>""",
    "a CLOSE that the scenario does not show": f"""{ENDS}
  2. FIN-WAIT-1 --> <SEQ=101><ACK=301><CTL=FIN,ACK> ...""",
    "a CLOSE that it shows": f"""{ENDS}
  A: CLOSE => FIN-WAIT-1 (FIN.SEQ = 101)
  2. --> <SEQ=101><ACK=301><CTL=FIN,ACK> --> CLOSE-WAIT
  B: signal "connection closing" """,
    "answers may come late, and what was kept counts": f"""{ENDS}
  2. --> <SEQ=101><ACK=301><CTL=ACK><DATA=10> ...
  3. --> <SEQ=111><ACK=301><CTL=ACK><DATA=10> -->
  4. ... <SEQ=101><ACK=301><CTL=ACK><DATA=10> -->
  5. <-- <SEQ=301><ACK=101><CTL=ACK> <--
  6. <-- <SEQ=301><ACK=111><CTL=ACK> <--
  7. <-- <SEQ=301><ACK=121><CTL=ACK> <--""",
    "a figure may end before the answer": """
  1. CLOSED CLOSED
  2. SYN-SENT --> <SEQ=5><CTL=SYN> --> CLOSED""",
}

BAD = {
    "an answer that is not shown": (
        """from ESTABLISHED
  < <SEQ=301><ACK=500><CTL=ACK> => ESTABLISHED
  STATUS""",
        "STATUS",
        "> <SEQ=101><ACK=301><CTL=ACK>",
    ),
    "an answer at the end that is not shown": (
        """from ESTABLISHED
  < <SEQ=301><ACK=101><CTL=ACK><DATA=5> => ESTABLISHED""",
        "< <SEQ=301><ACK=101><CTL=ACK><DATA=5> => ESTABLISHED",
        "> <SEQ=101><ACK=306><CTL=ACK> (within",
    ),
    "nothing was sent, says the scenario": (
        """from CLOSED
  < <SEQ=1><CTL=SYN> => CLOSED
  > nothing""",
        "> nothing",
        "> <SEQ=0><ACK=2><CTL=RST,ACK>",
    ),
    "another number": (
        """from CLOSED
  < <SEQ=1><CTL=SYN> => CLOSED
  > <SEQ=0><ACK=1><CTL=RST,ACK>""",
        "> <SEQ=0><ACK=1><CTL=RST,ACK>",
        "> <SEQ=0><ACK=2><CTL=RST,ACK>",
    ),
    "another state": ("from LISTEN\n  CLOSE => LISTEN", "CLOSE => LISTEN", "=> CLOSED"),
    "another value": (
        "from ESTABLISHED\n  STATUS => ESTABLISHED (SND.UNA = 100)",
        "STATUS => ESTABLISHED (SND.UNA = 100)",
        "SND.UNA = 101",
    ),
    "a choice of nothing": (
        "from LISTEN\n  choose ISS = 5\n  STATUS => LISTEN",
        "STATUS => LISTEN",
        "does not choose ISS",
    ),
    "another signal": (
        'from CLOSED\n  STATUS\n  signal "nothing"',
        'signal "nothing"',
        'signal "error: connection does not exist"',
    ),
    "no signal": ("from CLOSED\n  STATUS\n  signal nothing", "signal nothing", 'signal "error: connection'),
    "a choice that is not allowed": (
        "from ESTABLISHED\n  choose n = 0\n  SEND",
        "SEND",
        "chooses n where n > 0",
    ),
    "a message that no rule sends": (
        "from ESTABLISHED\n  > <SEQ=101><ACK=302><CTL=ACK>",
        "> <SEQ=101><ACK=302><CTL=ACK>",
        "> nothing",
    ),
    "a sender that cannot": (
        f"{ENDS}\n  2. --> <SEQ=101><ACK=302><CTL=ACK> -->",
        "2. --> <SEQ=101><ACK=302><CTL=ACK> -->",
        "SND.NXT = 101",
    ),
    "a receiver elsewhere": (
        f"{ENDS}\n  2. --> <SEQ=101><ACK=301><CTL=FIN,ACK> --> LAST-ACK",
        "2. --> <SEQ=101><ACK=301><CTL=FIN,ACK> --> LAST-ACK",
        "B: CLOSE-WAIT",
    ),
    "an answer to something else": (
        """
  1. CLOSED CLOSED
  2. SYN-SENT --> <SEQ=5><CTL=SYN> --> CLOSED
  3. <-- <SEQ=0><ACK=7><CTL=RST,ACK> <--""",
        "3. <-- <SEQ=0><ACK=7><CTL=RST,ACK> <--",
        "<SEQ=0><ACK=6><CTL=RST,ACK>, in CLOSED, for <SEQ=5><CTL=SYN>",
    ),
}


def tcp_with(root: Path, body: str) -> Spec:
    """The shipped model of TCP with these scenarios instead of its own."""
    path = root / "specs" / "tcp.tcpspec"
    spec = parse_spec(tcp_text(root) + body, str(path))
    return replace(spec, scenarios=tuple(each for each in spec.scenarios if not each.span.path))


@pytest.fixture(scope="module")
def verdicts(root: Path) -> dict[str, Check]:
    body = "\n".join(
        f'\nscenario "{title}" {text}\n'
        for title, text in [*GOOD.items(), *((title, text) for title, (text, _, _) in BAD.items())]
    )
    return {check.name: check for check in scenario_checks(tcp_with(root, body))}


@pytest.mark.parametrize("title", GOOD)
def test_runs(verdicts: dict[str, Check], title: str) -> None:
    assert verdicts[title].holds, verdicts[title].witnesses


@pytest.mark.parametrize("title", BAD)
def test_fails_at_the_line_and_says_why(verdicts: dict[str, Check], title: str) -> None:
    _, line, actual = BAD[title]
    check = verdicts[title]
    assert not check.holds
    (witness,) = check.witnesses
    assert witness.text == line
    assert actual in dict(witness.details)["actual"]


def test_what_must_be_refused_and_is_not(root: Path) -> None:
    body = """
reject scenario "allowed" from LISTEN
  CLOSE => CLOSED ! "it may not close"
reject scenario "wrong too early" from LISTEN
  STATUS => CLOSED
  CLOSE => LISTEN ! "it may not stay"
"""
    allowed, early = scenario_checks(tcp_with(root, body))
    assert not allowed.holds and "allows" in allowed.message
    assert dict(allowed.witnesses[0].details)["must be refused"] == "it may not close"
    assert not early.holds and early.witnesses[0].text == "STATUS => CLOSED"


@pytest.mark.parametrize("name", ["tcp", "udp"])
def test_shipped_scenarios(name: str) -> None:
    spec = load_spec(name)
    assert [check.name for check in scenario_checks(spec) if not check.holds] == []
    titles = [scenario.title for scenario in spec.scenarios]
    assert len(set(titles)) == len(titles)
    assert all(scenario.doc and scenario.cites for scenario in spec.scenarios)
    assert any(scenario.rejects for scenario in spec.scenarios)


def test_all_figures_are_there() -> None:
    titles = " ".join(scenario.title for scenario in load_spec("tcp").scenarios)
    assert {int(number) for number in re.findall(r"Figure (\d+):", titles)} == set(range(6, 14))


def test_numbers_are_moved_to_every_wrap() -> None:
    spec = load_spec("tcp")
    scenario = next(each for each in spec.scenarios if each.title.startswith("Figure 6: "))
    ours, theirs = numbers_of(spec, scenario, "A")
    assert (ours, theirs) == ({100, 101}, {300, 301})
    assert set(shifts((ours, theirs))) == {Shift(-100, -300), Shift(-101, -301)}


def test_comparison_without_wrap_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    """With numbers compared as plain numbers, some scenario fails once its numbers are moved, and only then."""
    spec = load_spec("tcp")
    scenario = next(each for each in spec.scenarios if each.title == "An active OPEN")

    def plain(a: tuple[int, int], b: tuple[int, int], circular: bool) -> int:
        return int(a[0] % (1 << 32) < b[0] % (1 << 32))

    monkeypatch.setattr("tcpmodel.semantics.values.less", plain)
    check = run_scenario(Stepper(spec), scenario)
    assert not check.holds
    assert any("numbers moved" in what for what, _ in check.witnesses[0].details)


MUTANTS = [
    (
        "origin",
        r"(SYR-12: .*and) opened = passive",
        r"\1 (opened = passive or ISS = SND.UNA)",
        "An active opener that falls",
    ),
    ("ACK of ISS", r"SYR-21: on SEG when SND\.UNA < ", "SYR-21: on SEG when SND.UNA =< ", "An ACK of ISS opens"),
    ("no probe", r"(on timeout PROBE when SND\.WND) > 0 stay", r"\1 =< 65535 stay", "A zero window and its probe"),
    (
        "SYN,ACK at ISS + 1",
        r"(SYR-30: .*\n    send <SEQ=ISS)>",
        r"\1 + 1>",
        "The third segment is lost and the SYN,ACK",
    ),
    (
        "reset without ACK believed",
        r"SYS-10: on SEG with RST drop",
        "SYS-10: on SEG with RST -> CLOSED",
        "A reset without",
    ),
    (
        "TIME-WAIT answers all",
        r"TMW-03: on SEG when SEG\.LEN > 0 stay",
        "TMW-03: on SEG stay",
        "What TIME-WAIT answers",
    ),
]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("pattern", "replacement", "killer"), [each[1:] for each in MUTANTS], ids=[m[0] for m in MUTANTS]
)
def test_slips_of_the_model_are_noticed(root: Path, pattern: str, replacement: str, killer: str) -> None:
    path = root / "specs" / "tcp.tcpspec"
    changed, count = re.subn(pattern, replacement, tcp_text(root))
    assert count == 1, "the rule that this test changes is not there any more"
    failing = [check.name for check in scenario_checks(parse_spec(changed, str(path))) if not check.holds]
    assert any(name.startswith(killer) for name in failing), failing


def test_report(verdicts: dict[str, Check]) -> None:
    good, bad = verdicts["a figure may end before the answer"], verdicts["another number"]
    section = Section("default", (), (Check("reachable", True, "all"),))
    result = Verification("tcp", "specs/tcp.tcpspec", (section, Section(SECTION, (), (good, bad))))
    text = "\n".join(lines(result, Style(width=80)))
    assert "1 runs, 0 are refused as they must be, 1 fails" in text
    assert "another number fails (scenario)" in text
    assert re.search(r"expected +> <SEQ=0><ACK=1><CTL=RST,ACK>\n +actual +> <SEQ=0><ACK=2><CTL=RST,ACK>", text)
    assert "1 check and 1 scenario hold, 1 fails." in text
    (shown,) = document(result)["profiles"][1]["checks"][1]["witness"]
    assert shown["details"][1] == {"what": "actual", "words": "> <SEQ=0><ACK=2><CTL=RST,ACK>"}
    verbose = "\n".join(lines(result, Style(width=80), verbose=True))
    assert "a figure may end before the answer: runs" in verbose


def test_witness_of_a_part_names_its_file() -> None:
    spec = load_spec("tcp")
    scenario = next(each for each in spec.scenarios if each.title == "LISTEN and SEND")
    wrong = replace(scenario, start=("CLOSED",))
    (witness,) = run_scenario(Stepper(spec), wrong).witnesses
    assert witness.part == "tcp/scenarios/opening.tcpspec"
