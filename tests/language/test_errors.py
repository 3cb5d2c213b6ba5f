"""What is said about a wrong spec: code, place, words; all of it in one run, and nothing that is not true."""

from __future__ import annotations

import pytest
from language_samples import FULL, HEAD, errors_of, problems

from tcpmodel.language.errors import SpecError, SpecErrors, render_error
from tcpmodel.language.span import Span
from tcpmodel.model.load import parse, parse_spec

# Each body is the end of the initial state: (body, code, what the caret is under, words of the message and help)
CASES = [
    ("  on CLOSE -> BB\n", "TS010", "BB", "unknown state `BB`"),
    ("  on CLOOSE -> B\n", "TS012", "CLOOSE", "did you mean `CLOSE`?"),
    ("  on USER -> B\n", "TS012", "USER", "write: on timeout USER"),
    ("  on SEND -> B\n", "TS012", "SEND", "did you mean `SEND data`?"),
    ("  on CLOSE with SYN -> B\n", "TS013", "SYN", "it has no flags"),
    ("  on SEG with SYM -> B\n", "TS013", "SYM", "did you mean `SYN`?"),
    ("  on SEG -> B\n    send <CTL=PSH>\n", "TS013", "PSH", "is a mark"),
    ("  on SEG -> B\n    send <SQE=N>\n", "TS014", "SQE", "did you mean `SEQ`?"),
    ("  on SEG when SEG.DAAT = 0 -> B\n", "TS014", "SEG.DAAT", "did you mean `SEG.DATA`?"),
    ("  @pp on CLOSE -> B\n", "TS015", "pp", "did you mean `p`?"),
    ("  @!x on CLOSE -> B\n", "TS015", "x", "known are: p, q"),
    ("  use some\n", "TS016", "some", "the spec declares no group"),
    ("  step first\n", "TS017", "first", "the spec declares no step"),
    ("  on CLOSE when WW = 1 -> B\n", "TS011", "WW", "did you mean `W`?"),
    ("  on CLOSE when mode = pasive -> B\n", "TS011", "pasive", "did you mean `passive`?"),
    ("  on CLOSE -> B\n    WINDOW <- 1\n", "TS011", "WINDOW", "unknown variable"),
    ("  on CLOSE when W < 3 s -> B\n", "TS030", "W < 3 s", "cannot take octets and duration"),
    ("  on CLOSE when N + M = N -> B\n", "TS030", "N + M", "`+` cannot take seq(local) and seq(local)"),
    ("  on CLOSE when W -> B\n", "TS030", "W", "a condition is needed here, this is octets"),
    ("  on CLOSE when W < true -> B\n", "TS030", "W < true", "octets and condition"),
    ("  on CLOSE when mode < active -> B\n", "TS030", "mode < active", "no meaning for passive | active"),
    ("  on CLOSE when (W = 1) = (W = 2) -> B\n  on CLOSE when 1 + (W = 1) = 2 -> B\n", "TS030", "1 + (W = 1)", "`+`"),
    ("  on CLOSE -> B\n    W <- N\n", "TS030", "N", "octets is needed here, this is seq(local)"),
    ("  on CLOSE -> B\n    send <SEQ=1>\n", "TS030", "1", "seq(local) is needed here"),
    ("  on CLOSE when N < R -> B\n", "TS031", "N < R", "between seq(local) and seq(peer)"),
    ("  on SEG when SEG.SEQ < N -> B\n", "TS031", "SEG.SEQ < N", "between seq(peer) and seq(local)"),
    ("  on CLOSE -> B\n    N <- R\n", "TS031", "R", "seq(local) is needed here, this is seq(peer)"),
    ("  on CLOSE -> B\n    send <ACK=N>\n", "TS031", "N", "seq(peer) is needed here"),
    ("  on CLOSE -> B\n    send where SEG.SEQ = R\n", "TS031", "SEG.SEQ = R", "seq(local) and seq(peer)"),
    ("  on CLOSE -> B\n    bit <- 2\n", "TS032", "2", "2 is not in 0..1"),
    ("  on CLOSE -> B\n    choose x : integer\n", "TS033", "integer", "unknown type `integer`"),
    ("  on CLOSE -> B\n    choose x : seq(sender)\n", "TS033", "seq(sender)", "seq(local), seq(peer)"),
    ("  on CLOSE -> B\n    MSL <- 1 s\n", "TS034", "MSL", "is a constant"),
    ("  on SEG -> B\n    SEG.SEQ <- R\n", "TS034", "SEG.SEQ", "is a field of SEG"),
    ("  on CLOSE when SEG.DATA = 0 -> B\n", "TS035", "SEG.DATA", "no message at hand"),
    ("  on CLOSE when W is set -> B\n", "TS036", "W is set", "is never unset"),
    ("  on CLOSE -> B\n    W <- unset\n", "TS036", "W", "optional octets"),
    ("  on CLOSE -> B\n    choose W : octets\n", "TS020", "W", "already means something else"),
    ("  on CLOSE -> B\n    send <SEQ=N><SEQ=M>\n", "TS020", "SEQ", "twice"),
    ("  on OPEN, OPEN -> B\n", "TS020", "OPEN", "twice"),
    ("  R-1: on OPEN -> B\n  R-1: on CLOSE -> B\n", "TS021", "R-1", "used twice"),
    ("  otherwise drop\n", "TS042", "otherwise", "write `on EVENT`"),
    ("  on CLOSE\n    W <- 1\n", "TS043", "<-", "does not say where it leads"),
    ("  on CLOSE\n    send <SEQ=N>\n", "TS043", "CLOSE", "does not say where it leads"),
    ("  on CLOSE stay drop\n", "TS043", "drop", "two targets"),
    ("  on OPEN, SEG -> B\n", "TS044", "SEG", "is a message, not a call"),
    ("  on CLOSE -> B [§3]\n", "TS007", "§3", "cites no document"),
    ("  on CLOSE -> B [section 3]\n", "TS006", "section 3", "unknown form"),
    ('  on CLOSE -> B ["x",]\n', "TS006", "", "empty citation"),
    ("  on CLOSE -> B []\n", "TS006", "]", "empty citation"),
    # syntax: what was found, what was expected
    ("  on CLOSE ->\n", "TS001", "", "found the end of the rule"),
    ("  on CLOSE unles W = 1 -> B\n", "TS001", "unles", "did you mean `unless`?"),
    ("  on CLOSE stya\n", "TS001", "stya", "did you mean `stay`?"),
    ("  on CLOSE when W = -> B\n", "TS001", "->", "expected a value"),
    ("  on CLOSE when W == 1 -> B\n", "TS001", "=", "expected a value"),
    ('  on CLOSE -> B drawn "x\n', "TS001", '"', "a string that does not end on its line"),
    ("  on CLOSE -> B [§3\n", "TS001", "[", "a citation without its closing bracket"),
    ("  on CLOSE -> B\n    send <SEQ=N\n", "TS001", "", "`>`"),
    ("  on CLOSE -> B ;\n", "TS001", ";", "found `;`"),
    ("  on CLOSE -> B \x07\n", "TS001", "\x07", "the character U+0007"),
    ("  on CLOSE when W = 08x -> B\n", "TS001", "0", "expected a value"),
    # whole declarations
    ("stat C\n", "TS005", "stat", "did you mean `state`?"),
    ("  on CLOSE -> B\non OPEN -> B\n", "TS005", "on", "a line that begins in column 1"),
    ("state B\n", "TS020", "B", "declared twice"),
    ("var MSL : octets = 0\n", "TS020", "MSL", "declared twice"),
    ("call CLOSE\n", "TS020", "CLOSE", "declared twice"),
    ("initial state C\n", "TS041", "C", "two initial states: `A` and `C`"),
    ("define d = d\n", "TS022", "d", "d -> d"),
    ("define d = N < R\n", "TS031", "N < R", "between"),
    ("define d\n  | W = 0 => 1\n  | otherwise => 1 s\n", "TS030", "1 s", "octets is needed here"),
    ("define d\n  | otherwise => 1\n  | W = 0 => 2\n", "TS046", "otherwise", "end with one `otherwise`"),
    ("rules g\n  use g\n", "TS022", "g", "uses itself"),
    ("timer T = 5\n", "TS030", "5", "duration is needed here"),
    ("const C = W\n", "TS037", "W", "a constant does not depend on variables"),
    ("const C = 1 @p 2 @p 3\n", "TS020", "p", "two values"),
    ("rule R must over packet\n  forbid W = 0\n", "TS037", "W", "single packets"),
    ("rule R must over flow\n  forbid SEG.DATA = 0\n", "TS019", "flow", "known are: packet"),
    ("rule R must\n", "TS043", "R", "forbid"),
    ('fault F must "x"\n', "TS043", "F", "when"),
    ("fault F must when W = 0\nfault F must when W = 1\n", "TS020", "F", "declared twice"),
    (
        "rule R must over packet\n  forbid SEG.DATA = 0\nrule R must over packet\n  forbid SEG.DATA = 1\n",
        "TS020",
        "R",
        "must rule `R` is declared twice",
    ),
    ("message OTHER\nfault F must when W = 0\n", "TS018", "F", "which message"),
    ("property p exists A -> C\n", "TS010", "C", "unknown state"),
    ("source s\n  name X = C\n", "TS010", "C", "unknown state"),
    ('source s\n  tells "x" as CLOOSE\n', "TS012", "CLOOSE", "did you mean `CLOSE`?"),
    ('source s\n  tells "x" as SEG\n', "TS044", "SEG", "shows no messages"),
    ("source s\n  without nobody\n", "TS015", "nobody", "unknown profile"),
    ('source s\n  tells "x" as signal "gone"\n', "TS019", '"gone"', "declares no signal"),
    ('source s\n  tells "x" as in A | C\n', "TS010", "C", "unknown state"),
    ('source s\n  tells "x" as CLOSE, OPEN\n', "TS004", "OPEN", "write `or`"),
    ('source s\n  tells "x" as CLOSE\n  tells "X" as OPEN\n', "TS020", '"X"', "told twice"),
    ("profile r with rr\n", "TS015", "rr", "did you mean `r`?"),
    ("message X\n  field K : 0..1 = 2\n", "TS032", "K", "2 is not in 0..1"),
    ("message X\n  field K : seq(sender) = 2\n", "TS030", "K", "leave the default away"),
    ("message X\n  field K : octets = 18446744073709551616\n", "TS003", "18446744073709551616", "2^64"),
    ("message X\n  field K : octets = 1 = 2\n", "TS004", "2", "a second default"),
    ("var V : 5..1 = 3\n", "TS033", "5..1", "empty range"),
    ("var V : octets = 99999999999999999999999\n", "TS003", "99999999999999999999999", "2^64"),
    ("var V : duration = 0.0000001 s\n", "TS003", "0.0000001 s", "whole microseconds"),
]


@pytest.mark.parametrize(("body", "code", "under", "words"), CASES, ids=range(len(CASES)))
def test_errors(body: str, code: str, under: str, words: str) -> None:
    text = HEAD + body
    (error,) = errors_of(text)
    assert error.code == code
    assert words in f"{error.message}\n{error.help}"
    line = text.split("\n")[error.span.line - 1]
    assert line[error.span.column - 1 :].startswith(under)
    if under and code != "TS001":
        assert (error.span.end_line, error.span.end_column) == (error.span.line, error.span.column + len(under))


NO_ERRORS = [
    "  on SEG when SEG.ACK < N -> B\n    send <SEQ=SEG.ACK><ACK=SEG.SEQ><CTL=RST>\n",
    "  on CLOSE -> B\n    send <SEQ=0><ACK=0>\n",
    "  on CLOSE -> B\n    choose x : seq(local), k : octets where N < x and k < W\n    send <SEQ=x><DATA=k>\n",
    "  may -> B when F is set and F < N\n",
    "  on SEG with PSH without SYN -> B\n  on SEG with SYN when SEG without ACK, RST -> B\n",
    "  on timeout USER -> B\n  on notice NEWS stay\n",
    "  on CLOSE -> B\n    send <SEQ=N> when W = 0 unless W = 1 where SEG.DATA = 0 within 2 * MSL or nothing\n",
    "define d = SEG.SEQ < R\nstate C\n  on SEG when d -> B\n",
    "define d = N =< SEG.SEQ\nstate C\n  on CLOSE -> B\n    send where d\n",
    "define late = MSL < 3 min and 1 h > 2 us\n",
    "fault F must when SEG.SEQ < N\n",
]


@pytest.mark.parametrize("body", NO_ERRORS, ids=range(len(NO_ERRORS)))
def test_no_errors(body: str) -> None:
    assert errors_of(HEAD + body) == []


def test_all_errors_of_a_file_in_order() -> None:
    text = HEAD + (
        "  on CLOOSE -> B\n  on CLOSE -> -> B\n  on OPEN -> BB\n    WW <- 1\n    send <<\n    N <- R\n"
        "vra V : octets\nstate C\n  on CLOSE [\n  on OPEN -> CC\nfault F bad when W = 0\n"
    )
    found = errors_of(text)
    codes = ["TS012", "TS001", "TS010", "TS011", "TS001", "TS031", "TS005", "TS001", "TS010", "TS019"]
    assert [error.code for error in found] == codes
    assert [error.span.line for error in found] == sorted(error.span.line for error in found)


@pytest.mark.parametrize(
    "broken",
    [
        "var V W : octets\n",
        "define V = = 3\n",
        "const V = \n",
        "var V : octets = (\n",
    ],
)
def test_a_broken_declaration_is_no_unknown_name(broken: str) -> None:
    (error,) = errors_of(HEAD + "  on CLOSE when V < 3 -> B\n    V <- 1\n" + broken)
    assert error.code == "TS001"


def test_a_broken_state_is_no_unknown_state() -> None:
    assert [e.code for e in errors_of(HEAD + "  on CLOSE -> C\nstate C D\n")] == ["TS001"]
    assert [e.code for e in errors_of("spec x\ninitial state A B\nstate C\n")] == ["TS001"]
    assert [e.code for e in errors_of("spec\ninitial state A\n")] == ["TS001"]


def test_a_broken_field_is_no_unknown_field() -> None:
    text = "spec x\nmessage M\n  flag A B\n  field N octets\n  field K : octets\ninitial state S\n"
    text += "  on M with B when M.N = 0 and M.K = 1 stay\n"
    assert [(e.code, e.span.line) for e in errors_of(text)] == [("TS001", 3), ("TS001", 4)]


def test_an_error_in_a_group_is_said_once() -> None:
    text = HEAD + "  use g\nstate C\n  use g\nrules g\n  on OPEN, CLOSE when WW = 0 -> B [not this]\n"
    assert sorted(e.code for e in errors_of(text)) == ["TS006", "TS011"]


def test_words_and_lines_of_an_error() -> None:
    text = "spec x\ninitial state A\n\ton SEG -> B\n"
    with pytest.raises(SpecErrors) as caught:
        parse_spec(text, "dir/x.tcpspec")
    assert str(caught.value) == (
        "dir/x.tcpspec:3:5: error[TS012]: unknown event `SEG`\n"
        "    3 |  on SEG -> B\n"
        "      |     ^^^\n"
        "  help: the spec declares no event\n"
        "\n"
        "dir/x.tcpspec:3:12: error[TS010]: unknown state `B`\n"
        "    3 |  on SEG -> B\n"
        "      |            ^\n"
        "  help: known are: A"
    )


def test_long_lines_are_cut_around_the_caret() -> None:
    line = "x" * 1000 + "HERE" + "y" * 1000
    shown = render_error(SpecError("TS001", "m", Span(1, 1001, 1, 1005)), "p", [line]).split("\n")
    assert len(shown[1]) < 200
    at = shown[2].index("^")
    assert shown[1][at : at + 4] == "HERE" and shown[2].count("^") == 4


def test_nothing_that_a_terminal_acts_upon() -> None:
    with pytest.raises(SpecErrors) as caught:
        parse_spec("spec x\n\x1b[31mstate\x9b\u202e\x00 A\n", "a\x1bb")
    assert all(char.isprintable() or char == "\n" for char in str(caught.value))


def test_warnings_do_not_stop_a_spec() -> None:
    loaded = parse(FULL.read_text(encoding="utf-8"), "full.tcpspec")
    assert {warning.severity for warning in loaded.warnings} == {"warning"}
    assert {warning.code for warning in loaded.warnings} == {"TS062", "TS064", "TS066"}


def test_warnings_are_shown_with_errors_only_if_certain() -> None:
    """What seems unused may be used in the part that could not be read."""
    found = problems(HEAD + "define d = 1\n")
    assert "TS062" in {problem.code for problem in found}
    found = problems(HEAD + "  on CLOSE when d\ndefine d = 1\n")
    assert {problem.severity for problem in found} == {"error"}
