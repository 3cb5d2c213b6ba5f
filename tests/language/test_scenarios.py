"""Scenarios: what the lines of both forms become, and what is said about wrong ones."""

from __future__ import annotations

import pytest
from language_samples import HEAD, errors_of

from tcpmodel.model.load import parse, parse_spec
from tcpmodel.model.scenario import (
    CheckLine,
    ChooseLine,
    EventLine,
    MessageLine,
    SaidMessage,
    Scenario,
    SentLine,
    SignalLine,
    StatesLine,
)

SPEC = HEAD.replace("state B\n", "state B\n  O-1: may -> A\n    choose n : octets where n < 3\n")


def scenario(text: str) -> Scenario:
    (found,) = parse_spec(SPEC + text, "x").scenarios
    return found


def test_two_ends() -> None:
    found = scenario(
        '/// said\nscenario "Figure 6: a \\"handshake\\"" with p, p without q\n'
        "  // nothing\n"
        "  A: let N = 4294967294, mode = active\n"
        "  1.  A                                              B\n"
        "  2.  B       --> <SEQ=100><CTL=SYN,PSH>         --> A // words\n"
        "      B       <-- <SEQ=7><ACK=101><CTL=SYN,ACK>  ...\n"
        "      ...         <SEQ=101>                      <-- A\n"
        "  3.  B       --> <SEQ=0x10><CTL=none>           ...\n"
        "      ...         <SEQ=16><CTL=>                 -->\n"
        "  A: timeout USER => A\n"
        "  B: SEND data\n"
        "    (R = 5, F = unset)\n"
        "  B: > nothing\n"
    )
    assert (found.title, found.kind, found.rejects, found.doc) == (
        'Figure 6: a "handshake"',
        "two-ended",
        False,
        "said",
    )
    assert found.profiles == ("p", "p", "no-q")
    assert found.start == ("A", "B")
    assert found.lets == (("A", "N", 4294967294), ("A", "mode", "active"))
    lines = found.lines
    assert isinstance(lines[0], StatesLine) and (lines[0].left, lines[0].right, lines[0].label) == ("A", "B", "1")
    messages = [line for line in lines if isinstance(line, MessageLine)]
    assert [(m.sender, m.sent, m.arrives, m.left, m.right) for m in messages] == [
        ("A", True, True, "B", "A"),
        ("B", False, True, "B", ""),
        ("B", True, False, "", "A"),
        ("A", True, False, "B", ""),
        ("A", False, True, "", ""),
    ]
    assert messages[0].message == SaidMessage("SEG", (("SEQ", 100),), ("SYN",), ("PSH",), "<SEQ=100><CTL=SYN,PSH>")
    assert messages[0].text == "2. B --> <SEQ=100><CTL=SYN,PSH> --> A"
    assert messages[1].message.fields == (("SEQ", 7), ("ACK", 101))
    assert messages[3].message.fields == (("SEQ", 16),) and messages[3].message.flags == ()
    timeout, call = (line for line in lines if isinstance(line, EventLine))
    assert (timeout.end, timeout.said, timeout.event.kind, timeout.state) == ("A", "timeout USER", "timer", "A")
    assert (call.end, call.said, call.values) == ("B", "SEND data", (("R", 5), ("F", None)))
    assert isinstance(lines[-1], SentLine) and (lines[-1].end, lines[-1].message) == ("B", None)
    assert (lines[-1].span.line, lines[-1].span.column) == (len(SPEC.split("\n")) + 13, 3)


def test_one_end() -> None:
    found = scenario(
        'reject scenario "one"\n  ["where"] from A (let N = 1)\n'
        "  let F = unset\n"
        "  < <SEQ=100><CTL=SYN>  => B (R = 101, mode = passive)\n"
        "  < SEG <SEQ=5>\n"
        "  > SEG <SEQ=300><ACK=101><CTL=SYN,ACK>\n"
        "  > nothing\n"
        "  OPEN => B\n"
        '  signal "error"\n'
        "  signal nothing\n"
        "  choose N = 500, n = 2\n"
        "  may\n"
        "  may O-1\n"
        "  notice NEWS\n"
        "  => A\n"
        "  (W = 3)\n"
        '  CLOSE  ! "why not"\n'
    )
    assert (found.kind, found.rejects, found.start) == ("one-ended", True, ("A",))
    assert found.lets == (("", "N", 1), ("", "F", None))
    assert found.cites[0].place == "where"
    first, second, sent, nothing, opened, told, silent, choose, may, named, notice, check, refused = found.lines
    assert isinstance(first, EventLine) and first.message is not None
    assert (first.said, first.state, first.values) == ("<SEQ=100><CTL=SYN>", "B", (("R", 101), ("mode", "passive")))
    assert isinstance(second, EventLine) and second.said == "SEG <SEQ=5>"
    assert isinstance(sent, SentLine) and sent.message is not None and sent.message.flags == ("SYN", "ACK")
    assert isinstance(nothing, SentLine) and nothing.message is None
    assert isinstance(opened, EventLine) and (opened.event.kind, opened.said) == ("call", "OPEN")
    assert isinstance(told, SignalLine) and told.words == "error"
    assert isinstance(silent, SignalLine) and silent.words is None
    assert isinstance(choose, ChooseLine) and choose.values == (("N", 500), ("n", 2))
    assert isinstance(may, EventLine) and (may.event.kind, may.said, may.rule) == ("own", "may", "")
    assert isinstance(named, EventLine) and (named.said, named.rule) == ("may O-1", "O-1")
    assert isinstance(notice, EventLine) and notice.said == "notice NEWS"
    assert isinstance(check, CheckLine) and (check.state, check.values) == ("A", (("W", 3),))
    assert [line.refused for line in found.lines] == [""] * 12 + ["why not"]
    assert isinstance(refused, EventLine)


ONE = 'scenario "s" from A\n'
TWO = 'scenario "s"\n  A  B\n'
CASES = [
    (ONE + "  CLOOSE\n", "TS012", "CLOOSE", "did you mean `CLOSE`?"),
    (ONE + "  SEND dat\n", "TS012", "SEND dat", "did you mean `SEND data`?"),
    (ONE + "  USER\n", "TS012", "USER", "write: timeout USER"),
    (ONE + "  timeout USR\n", "TS012", "USR", "did you mean `USER`?"),
    (ONE + "  CLOSE => C\n", "TS010", "C", "unknown state"),
    (ONE + "  CLOSE (V = 1)\n", "TS011", "V", "unknown variable"),
    (ONE + "  CLOSE (W = 1, W = 2)\n", "TS020", "W", "two values"),
    (ONE + "  CLOSE (W = passive)\n", "TS030", "passive", "octets is needed"),
    (ONE + "  CLOSE (mode = passiv)\n", "TS011", "passiv", "did you mean `passive`?"),
    (ONE + "  CLOSE (mode = 1)\n", "TS030", "1", "passive | active is needed"),
    (ONE + "  CLOSE (bit = 2)\n", "TS032", "2", "0..1"),
    (ONE + "  CLOSE (N = 4294967296)\n", "TS032", "4294967296", "0..4294967295"),
    (ONE + "  CLOSE (W = 3 s)\n", "TS030", "3 s", "octets is needed"),
    (ONE + "  CLOSE (W = unset)\n", "TS036", "unset", "cannot be unset"),
    (ONE + "  choose m = 1\n", "TS011", "m", "unknown variable"),
    (ONE + "  < <SQE=1>\n", "TS014", "SQE", "did you mean `SEQ`?"),
    (ONE + "  < <SEQ=1><SEQ=2>\n", "TS020", "SEQ", "twice"),
    (ONE + "  < <SEQ=1,2>\n", "TS030", "SEQ", "one value"),
    (ONE + "  < <SEQ=one>\n", "TS030", "one", "needed"),
    (ONE + "  < <CTL=SYM>\n", "TS013", "SYM", "did you mean `SYN`?"),
    (ONE + "  < <CTL=SYN,SYN>\n", "TS020", "SYN", "twice"),
    (ONE + "  < SAG <SEQ=1>\n", "TS018", "SAG", "did you mean `SEG`?"),
    (ONE + "  may O-2\n", "TS052", "O-2", "did you mean `O-1`?"),
    (ONE + "  A: CLOSE\n", "TS050", "A", "one end"),
    (ONE + "  A --> <SEQ=1> --> B\n", "TS050", "A --> <SEQ=1> --> B", "no other side"),
    (ONE + "  CLOSE\n  let W = 1\n", "TS050", "let W = 1", "after something"),
    (ONE + "  > nothing => A\n", "TS050", "A", "line of its own"),
    (ONE + "  signal\n", "TS001", "", "expected"),
    (ONE + '  CLOSE ! "why"\n', "TS051", '"why"', "reject scenario"),
    (ONE + "  CLOSE => A => B\n", "TS004", "B", "twice"),
    (ONE, "TS050", '"s"', "without lines"),
    ("reject " + ONE + "  CLOSE\n", "TS051", '"s"', "nothing in this scenario"),
    ("reject " + ONE + '  CLOSE ! "why"\n  CLOSE\n', "TS051", '"why"', "must be the last line"),
    ("reject " + ONE + '  choose W = 1 ! "why"\n', "TS051", '"why"', "cannot be refused"),
    ('scenario "s" from C\n  CLOSE\n', "TS010", "C", "unknown state"),
    ('scenario "s" from A with x\n  CLOSE\n', "TS015", "x", "unknown profile"),
    ('scenario "s" from A from B\n  CLOSE\n', "TS004", "B", "a second from"),
    (ONE + "  CLOSE\n" + ONE + "  CLOSE\n", "TS020", '"s"', "scenario `s` is declared twice"),
    ('scenario "s"\n  A: CLOSE\n', "TS050", '"s"', "not said where this scenario begins"),
    ('scenario "s" let W = 1\n  A  B\n', "TS050", "W", "which of the two ends"),
    (TWO + "  CLOSE\n", "TS050", "CLOSE", "one word"),
    (TWO + "  C: CLOSE\n", "TS050", "C", "A is left"),
    (TWO + "  timeout USER\n", "TS050", "timeout USER", "which of the two ends"),
    (TWO + "  A: > <SEQ=1>\n", "TS050", "A: > <SEQ=1>", "from one to the other"),
    (TWO + "  A: < <SEQ=1>\n", "TS050", "A: < <SEQ=1>", "from one to the other"),
    (TWO + "  A --> <SEQ=1> <-- B\n", "TS050", "A --> <SEQ=1> <-- B", "do not fit"),
    (TWO + "  A ... <SEQ=1> ... B\n", "TS050", "A ... <SEQ=1> ... B", "do not fit"),
    (TWO + "  A -> <SEQ=1> -> B\n", "TS001", "", "`-->`"),
    (TWO + "  A --> <SEQ=1 --> B\n", "TS001", "-->", "`>`"),
    ("scenario s\n  A  B\n", "TS001", "s", 'a text in "..."'),
]


@pytest.mark.parametrize(("text", "code", "under", "words"), CASES)
def test_wrong_ones(text: str, code: str, under: str, words: str) -> None:
    (error,) = errors_of(SPEC + text)
    assert error.code == code
    assert words in f"{error.message} {error.help}"
    line = (SPEC + text).split("\n")[error.span.line - 1]
    assert not under or line[error.span.column - 1 : error.span.end_column - 1] == under


def test_a_wrong_line_does_not_hide_another() -> None:
    found = errors_of(SPEC + 'reject scenario "s" from A\n  CLOSE !\n  CLOSE => X\n  ?\n  CLOSE (V = 1)\n')
    assert [error.code for error in found] == ["TS001", "TS010", "TS001", "TS011"]


def test_a_scenario_is_no_use_of_an_event() -> None:
    """What no rule is about is still said, although a scenario lets it happen."""
    warnings = parse(SPEC + ONE + "  notice NEWS\n", "x").warnings
    assert any("NEWS" in warning.message and warning.code == "TS066" for warning in warnings)
