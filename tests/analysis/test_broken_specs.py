"""Each kind of mistake in a spec is found by the check that is there for it, with a witness that shows it."""

from __future__ import annotations

import pytest

from tcpmodel.analysis.results import Verification, Witness
from tcpmodel.model.load import load_spec

from .conftest import Prove, failing, section

HEAD = """\
spec broken "a door"
var COUNT : octets = 0
var LAST : optional octets
var LOCK : open | shut = open
message KNOCK "knock"
  flag LOUD
  field FORCE : octets from force
call OPEN, CLOSE
"""
IDLE = """
initial state IDLE "idle"
  on OPEN -> BUSY
    COUNT <- 1
  on CLOSE stay
  on KNOCK drop
"""
BUSY = """
state BUSY "busy"
  on OPEN stay
  on CLOSE -> IDLE
  on KNOCK drop
"""


def only(result: Verification, name: str, check: str) -> Witness:
    """The one witness of the one check that fails in a section."""
    found = failing(result, name)
    assert list(found) == [check]
    (witness,) = found[check].witnesses
    return witness


def test_sound_spec(prove: Prove) -> None:
    result = prove(HEAD + IDLE + BUSY)
    assert result.failing == 0 and result.holding >= 10


def test_unreachable_state(prove: Prove) -> None:
    lost = '\nstate LOST "lost"\n  on OPEN, CLOSE -> IDLE\n  on KNOCK drop\n'
    result = prove(HEAD + IDLE + BUSY + lost)
    witness = only(result, "default", "reachable")
    assert witness.state == "LOST" and "no rule leads to it" in witness.text
    assert only(result, "all", "states-used").state == "LOST"


def test_unreachable_cycle(prove: Prove) -> None:
    lost = (
        '\nstate A "a"\n  on OPEN, CLOSE -> B\n  on KNOCK drop\nstate B "b"\n  on OPEN, CLOSE -> A\n  on KNOCK drop\n'
    )
    found = failing(prove(HEAD + IDLE + BUSY + lost), "default")
    assert list(found) == ["reachable"]
    assert [(w.state, w.text.split(": ")[1]) for w in found["reachable"].witnesses] == [
        ("A", "only B lead to it, unreachable as well"),
        ("B", "only A lead to it, unreachable as well"),
    ]


def test_state_behind_a_rule_that_cannot_fire(prove: Prove) -> None:
    busy = BUSY.replace("  on KNOCK drop", "  on KNOCK when COUNT < 3 and COUNT > 5 -> LOST\n  on KNOCK drop")
    lost = '\nstate LOST "lost"\n  on OPEN, CLOSE -> IDLE\n  on KNOCK drop\n'
    result = prove(HEAD + IDLE + busy + lost)
    assert only(result, "default", "reachable").state == "LOST"
    assert list(failing(result, "all")) == ["rules-used", "states-used"]


def test_deadlock(prove: Prove) -> None:
    busy = BUSY.replace("on CLOSE -> IDLE", "on CLOSE -> STUCK")
    stuck = '\nstate STUCK "stuck"\n  on OPEN, CLOSE stay\n    signal "error"\n  on KNOCK drop\n'
    found = failing(prove(HEAD + IDLE + busy + stuck), "default")
    assert list(found) == ["closable", "deadlock-free"]
    (witness,) = found["deadlock-free"].witnesses
    assert witness.state == "STUCK"
    assert [(step.state, step.event, step.target) for step in witness.path] == [
        ("IDLE", "OPEN", "BUSY"),
        ("BUSY", "CLOSE", "STUCK"),
    ]


def test_final_state_is_no_deadlock(prove: Prove) -> None:
    busy = BUSY.replace("on CLOSE -> IDLE", "on CLOSE -> DONE")
    assert (
        prove(
            HEAD
            + IDLE
            + busy
            + '\nfinal state DONE "done"\n  on OPEN, CLOSE, KNOCK stay\n'.replace(
                "on OPEN, CLOSE, KNOCK stay", "on OPEN, CLOSE stay\n  on KNOCK drop"
            )
        ).failing
        == 0
    )


def test_livelock(prove: Prove) -> None:
    busy = BUSY.replace("on CLOSE -> IDLE", "on CLOSE -> TICK")
    spin = (
        '\nstate TICK "tick"\n  on OPEN -> TOCK\n  on CLOSE stay\n  on KNOCK drop\n'
        '\nstate TOCK "tock"\n  on CLOSE -> TICK\n  on OPEN stay\n  on KNOCK drop\n'
    )
    found = failing(prove(HEAD + IDLE + busy + spin), "default")
    assert list(found) == ["closable", "livelock-free"]
    (witness,) = found["livelock-free"].witnesses
    assert "TICK and TOCK" in witness.text
    assert [step.target for step in witness.path] == ["BUSY", "TICK", "TOCK", "TICK"]


def test_livelock_of_one_state(prove: Prove) -> None:
    busy = BUSY.replace("on CLOSE -> IDLE", "on CLOSE -> SPIN")
    spin = '\nstate SPIN "spin"\n  on OPEN stay\n    COUNT <- COUNT + 1\n  on CLOSE stay\n  on KNOCK drop\n'
    found = failing(prove(HEAD + IDLE + busy + spin), "default")
    assert list(found) == ["closable", "livelock-free"]


def test_event_without_a_rule(prove: Prove) -> None:
    witness = only(prove(HEAD + IDLE + BUSY.replace("  on OPEN stay\n", "")), "default", "events-handled")
    assert (witness.state, witness.event, witness.text) == ("BUSY", "OPEN", "BUSY says nothing about OPEN")
    witness = only(prove(HEAD + IDLE + BUSY.replace("  on KNOCK drop\n", "")), "default", "events-handled")
    assert (witness.state, witness.event) == ("BUSY", "KNOCK")


def test_timer_needs_no_rule(prove: Prove) -> None:
    busy = BUSY + "  on timeout T -> IDLE\n"
    assert prove(HEAD + "timer T = 1 s\n" + IDLE + busy).failing == 0


@pytest.mark.parametrize(
    ("rules", "values"),
    [
        ("on KNOCK when KNOCK.FORCE < 7 drop", {"KNOCK.FORCE": "7"}),
        ("on KNOCK with LOUD drop", {"KNOCK flags": "none"}),
        ("on KNOCK when KNOCK.FORCE < COUNT drop\n  on KNOCK when COUNT < KNOCK.FORCE stay", {"COUNT": "0"}),
        ("on KNOCK when LAST is set drop", {"LAST": "unset"}),
        ("on KNOCK when LOCK = shut drop", {"LOCK": "open"}),
    ],
)
def test_case_without_a_rule(prove: Prove, rules: str, values: dict[str, str]) -> None:
    witness = only(prove(HEAD + IDLE + BUSY.replace("on KNOCK drop", rules)), "default", "classes-handled")
    assert (witness.state, witness.event) == ("BUSY", "KNOCK")
    assert dict(witness.values).items() >= values.items()


@pytest.mark.parametrize(
    "rules",
    [
        "on KNOCK when KNOCK.FORCE < COUNT drop\n  on KNOCK when COUNT =< KNOCK.FORCE stay",
        "on KNOCK with LOUD drop\n  on KNOCK without LOUD stay",
        "on KNOCK when COUNT = 0 drop\n  on KNOCK when COUNT > 0 stay",
        "on KNOCK when LOCK = shut drop\n  on KNOCK when LOCK = open stay",
        "on KNOCK when LAST is unset drop\n  on KNOCK when LAST =< 4 stay\n  on KNOCK when 4 < LAST drop",
    ],
)
def test_conditions_that_cover_everything(prove: Prove, rules: str) -> None:
    result = prove(HEAD + IDLE + BUSY.replace("on KNOCK drop", rules))
    assert result.failing == 0
    handled = next(c for c in section(result, "default").checks if c.name == "classes-handled")
    assert handled.notes == (), "proved, not only tried"


def test_call_without_a_rule_in_some_case(prove: Prove) -> None:
    result = prove(HEAD + IDLE + BUSY.replace("on CLOSE -> IDLE", "on CLOSE when COUNT = 0 -> IDLE"))
    witness = only(result, "default", "classes-handled")
    assert (witness.event, dict(witness.values)) == ("CLOSE", {"COUNT": "1"})


def test_outcome_that_is_not_determined(prove: Prove) -> None:
    """A sum with a variable that is unset has no value, so a condition on it neither holds nor fails."""
    rules = "on KNOCK when LAST + 1 < 3 drop\n  on KNOCK stay"
    witness = only(prove(HEAD + IDLE + BUSY.replace("on KNOCK drop", rules)), "default", "deterministic")
    assert (witness.state, witness.event, dict(witness.values)["LAST"]) == ("BUSY", "KNOCK", "unset")


def test_overlaps_are_told_but_allowed(prove: Prove) -> None:
    rules = "LOW: on KNOCK when COUNT < 3 drop\n  MID: on KNOCK when COUNT < 5 -> IDLE\n  on KNOCK drop"
    result = prove(HEAD + IDLE + BUSY.replace("on KNOCK drop", rules))
    assert result.failing == 0
    (overlap,) = next(c for c in section(result, "default").checks if c.name == "deterministic").overlaps
    assert overlap.rules == ("LOW", "MID") and dict(overlap.values) == {"COUNT": "0", "KNOCK flags": "none"}


@pytest.mark.parametrize(
    ("rules", "reason"),
    [
        (
            "A: on KNOCK when COUNT < 3 or KNOCK.FORCE = 0 drop\n  X: on KNOCK with LOUD when COUNT < 2 stay",
            "A always wins",
        ),
        (
            "A: on KNOCK with LOUD drop\n  B: on KNOCK without LOUD stay\n  X: on KNOCK when COUNT = 0 stay",
            "A and B always win",
        ),
        ("A: on KNOCK when COUNT =< KNOCK.FORCE drop\n  X: on KNOCK when KNOCK.FORCE > COUNT stay", "A always wins"),
        ("X: on KNOCK when COUNT < KNOCK.FORCE and KNOCK.FORCE < COUNT stay", "its condition can never hold"),
        ("X: on KNOCK when COUNT = 3 and COUNT = 4 stay", "its condition can never hold"),
        ("X: on KNOCK when LAST is unset and LAST < 4 stay", "its condition can never hold"),
    ],
)
def test_rule_that_never_fires(prove: Prove, rules: str, reason: str) -> None:
    result = prove(HEAD + IDLE + BUSY.replace("on KNOCK drop", rules + "\n  on KNOCK drop"))
    found = failing(result, "all")["rules-used"].witnesses
    assert f"X in BUSY never fires: {reason}" in [witness.text for witness in found]


@pytest.mark.parametrize(
    "rules",
    [
        # What was false may be true after an assignment.
        "on KNOCK when COUNT = 0 drop\n  on KNOCK stay then continue\n    COUNT <- 0\n  on KNOCK when COUNT < 1 stay",
        # A case that the few values tried do not contain is no proof of anything.
        "X: on KNOCK when COUNT * COUNT = 1764 stay",
    ],
)
def test_rule_that_may_fire(prove: Prove, rules: str) -> None:
    result = prove(HEAD + IDLE + BUSY.replace("on KNOCK drop", rules + "\n  on KNOCK drop"))
    assert "rules-used" not in failing(result, "all")


def test_rule_that_was_not_seen_is_told(prove: Prove) -> None:
    rules = "X: on KNOCK when COUNT * COUNT = 1764 stay\n  on KNOCK drop"
    result = prove(HEAD + IDLE + BUSY.replace("on KNOCK drop", rules))
    used = next(check for check in section(result, "all").checks if check.name == "rules-used")
    assert used.holds and len(used.notes) == 1 and "X in BUSY" in used.notes[0]


PROFILES = """\
profile brave "answers knocks"
profile calm "ignores knocks" without brave
profile idle "changes nothing"
"""


def test_profiles(prove: Prove) -> None:
    rules = (
        "@brave B: on KNOCK when COUNT = 1 -> IDLE\n  @brave @calm X: on KNOCK when COUNT = 0 stay\n"
        "  @calm C: on KNOCK stay\n  on KNOCK drop"
    )
    result = prove(HEAD + PROFILES + IDLE + BUSY.replace("on KNOCK drop", rules))
    assert [(one.name, one.on) for one in result.sections] == [
        ("default", ()),
        ("brave", ("brave",)),
        ("calm", ("calm",)),
        ("idle", ("idle",)),
        ("all", ("brave", "calm", "idle")),
    ]
    found = failing(result, "all")
    assert "idle changes no rule and no constant" in [w.text for w in found["profiles-matter"].witnesses]
    assert [w.rules[0] for w in found["rules-used"].witnesses] == ["X"]


def test_profile_that_matters_in_company(prove: Prove) -> None:
    rules = "@brave @idle on KNOCK stay\n  @calm on KNOCK -> IDLE\n  on KNOCK drop"
    knock = BUSY.replace("on KNOCK drop", rules).replace("on OPEN stay", "@brave on OPEN -> IDLE\n  on OPEN stay")
    assert prove(HEAD + PROFILES + IDLE + knock).failing == 0


def test_failure_of_one_profile_only(prove: Prove) -> None:
    rules = "@brave on KNOCK when COUNT = 0 stay\n  @!brave on KNOCK drop"
    result = prove(HEAD + 'profile brave "answers"\n' + IDLE + BUSY.replace("on KNOCK drop", rules))
    assert failing(result, "default") == {}
    assert list(failing(result, "brave")) == ["classes-handled"]


def test_state_of_another_profile(prove: Prove) -> None:
    busy = BUSY.replace("on KNOCK drop", "@brave on KNOCK -> WILD\n  on KNOCK drop")
    wild = '\nstate WILD "wild"\n  on OPEN, CLOSE -> IDLE\n  on KNOCK drop\n'
    result = prove(HEAD + 'profile brave "answers"\n' + IDLE + busy + wild)
    assert result.failing == 0
    assert section(result, "default").checks[0].notes == ("WILD is reached under other profiles only",)


@pytest.mark.parametrize(
    ("declared", "section_name", "text", "path"),
    [
        ("property p never BUSY -> IDLE", "default", "BUSY.CLOSE.1 leads from BUSY to IDLE", ["BUSY", "IDLE"]),
        ("property p exists IDLE -> IDLE", "all", "no rule leads from IDLE to IDLE", []),
        ("property p from every state reachable END", "default", "from IDLE no path leads to END", []),
    ],
)
def test_declared_property(prove: Prove, declared: str, section_name: str, text: str, path: list[str]) -> None:
    end = '\nfinal state END "end"\n  on OPEN, CLOSE stay\n  on KNOCK drop\n' if "END" in declared else ""
    result = prove(HEAD + IDLE + BUSY + end + f"\n{declared}\n")
    witness = failing(result, section_name)["property p"].witnesses[0]
    assert witness.text == text
    assert [step.target for step in witness.path] == path


@pytest.mark.parametrize("name", ["udp", "specs/examples/stop-and-wait.tcpspec"])
def test_shipped_specs(root: object, name: str) -> None:
    from tcpmodel.analysis.verify import verify

    result = verify(load_spec(f"{root}/{name}" if "/" in name else name))
    assert [(s.name, c.name) for s in result.sections for c in s.checks if not c.holds] == []
