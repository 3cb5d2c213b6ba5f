"""What a good spec becomes: names, types, groups, ids, events and expressions."""

from __future__ import annotations

import pytest
from language_samples import HEAD, full, rules

from tcpmodel.model import spec
from tcpmodel.model.load import parse_spec
from tcpmodel.model.types import BOOL, DURATION, LOCAL, OCTETS, PEER, Enum, Range, Seq

FULL = full()


def rule(id_: str, state: str) -> spec.Rule:
    return next(rule for rule in FULL.state(state).rules if rule.id == id_)


def test_heading() -> None:
    assert (FULL.name, FULL.title, FULL.over) == ("demo", "A demonstration", "tcp")
    assert FULL.documents == ("RFC9293", "RFC5961", "RFC1122")
    assert FULL.steps == ("first", "second", "fifth")
    assert FULL.doc == "# Every form of the language, once\nSecond line."
    assert FULL.initial.name == "CLOSED" and FULL.initial.title == "no connection state at all"
    assert [state.name for state in FULL.states if state.final] == ["TIME-WAIT"]
    assert len(FULL.digest) == 64 and FULL.path == "full.tcpspec"


def test_profiles() -> None:
    found = [(p.name, p.default, p.turns_on, p.turns_off, p.doc) for p in FULL.profiles]
    assert found == [
        ("rfc5961", True, (), (), "The default."),
        ("rfc793", False, (), ("rfc5961",), ""),
        ("linux", False, ("rfc5961",), (), ""),
    ]


def test_constants() -> None:
    msl, twice = FULL.constants
    assert [(name, getattr(value, "value", None)) for name, value in msl.values] == [
        ("", 120_000_000),
        ("linux", 30_000_000),
    ]
    assert msl.type == twice.type == DURATION


def test_variables() -> None:
    found = {v.name: v for v in FULL.variables}
    assert found["SND.UNA"].type == LOCAL and found["IRS"].type == PEER and found["S"].type == Range(0, 1)
    assert found["ISS"].title == "numbers" and str(found["SND.NXT"].cites[0]) == "RFC9293 §3.3.1"
    assert found["FIN.SEQ"].optional and found["FIN.SEQ"].initial is None
    assert found["RCV.WND"].free and getattr(found["RCV.WND"].initial, "value", 0) == 65535
    assert found["opened"].type == Enum(("passive", "active"))
    assert getattr(found["opened"].initial, "value", None) == 0


def test_message() -> None:
    (seg,) = FULL.messages
    assert seg.flags == ("SYN", "ACK", "FIN", "RST") and seg.marks == ("PSH", "URG")
    assert [(f.name, f.source, f.only_with) for f in seg.fields] == [
        ("SEQ", "seq", None),
        ("ACK", "ack", "ACK"),
        ("WND", "window", None),
        ("DATA", "length", None),
    ]
    assert [f.default for f in seg.fields] == [None, None, 7, None]
    assert seg.fields[0].type == Seq("sender") and seg.fields[3].title == "octets of text"


def test_events() -> None:
    found = [(e.kind, e.name, e.observed) for e in FULL.events]
    assert found[0] == ("message", "SEG", True)
    assert ("call", "OPEN passive", False) in found and ("notice", "SOFT-ERROR", False) in found
    timer = next(e for e in FULL.events if e.name == "TIME-WAIT")
    assert timer.duration is not None and timer.duration.type == DURATION
    assert str(timer) == "timeout TIME-WAIT" and timer.title == ""


def test_definitions() -> None:
    found = {d.name: d for d in FULL.definitions}
    acceptable = found["acceptable"]
    assert acceptable.type == BOOL and isinstance(acceptable.body, spec.Cases)
    assert acceptable.doc == "Does any octet lie in the window?"
    assert [guard.text for guard, _ in acceptable.body.cases][-1] == "otherwise"
    assert isinstance(acceptable.body.cases[0][0], spec.And)
    assert found["SEG.LEN"].type == OCTETS and found["SEG.END"].type == PEER
    assert str(acceptable.cites[0]) == "RFC9293 §3.10.7.4 first"


def test_ids() -> None:
    assert [r.id for r in FULL.state("CLOSED").rules] == [
        "CLOSED.OPEN-passive.1",
        "CLOSED.OPEN-active.1",
        "CLOSED.SEG.1",
        "CLOSED.SEG.2",
        "CLOSED.SEG.3",
        "CLOSED.SEG.4",
    ]
    assert rule("TIME-WAIT.timeout-USER.1", "TIME-WAIT").event.kind == "timer"
    assert rule("TIME-WAIT.own.1", "TIME-WAIT").event.kind == "own"


def test_a_group_stands_in_each_state() -> None:
    for state in ("SYN-SENT", "TIME-WAIT"):
        one = rule("SYN-01", state)
        assert (one.state, one.target, one.group, one.step, one.drops) == (state, state, "check-sequence", 0, True)
    assert rule("TIME-WAIT.SEG.2", "TIME-WAIT").step == 2
    assert rule("CLOSED.SEG.1", "CLOSED").step == -1


def test_otherwise_takes_the_event_before_it() -> None:
    last = FULL.state("CLOSED").rules[-1]
    assert (last.event.name, last.guard, last.drops) == ("SEG", None, True)


def test_guard() -> None:
    both = rule("CLOSED.SEG.2", "CLOSED").guard
    assert isinstance(both, spec.HasFlags) and (both.present, both.absent) == (("ACK",), ("SYN",))
    guard = rule("SYN-01", "SYN-SENT").guard
    assert isinstance(guard, spec.And) and guard.text == "SEG with RST and not acceptable"
    assert [type(part) for part in guard.operands] == [spec.HasFlags, spec.Not]
    chain = rule("SYN-SENT.SEG.2", "SYN-SENT").guard
    assert isinstance(chain, spec.And) and chain.text == "SND.UNA < SEG.ACK =< SND.NXT"
    assert [getattr(part, "op", "") for part in chain.operands] == ["<", "=<"]


def test_profiles_and_drawing() -> None:
    one = rule("TIME-WAIT.SEG.2", "TIME-WAIT")
    assert one.profiles == (("rfc5961", True), ("rfc793", False)) and one.continues
    assert FULL.initial.rules[0].drawn == "passive OPEN / create TCB" and one.drawn is None
    assert FULL.initial.rules[2].doc == "documented"


def test_actions() -> None:
    choose, more, send, assign, unset = rule("TIME-WAIT.own.1", "TIME-WAIT").actions
    assert isinstance(choose, spec.Choose) and choose.where is None and choose.type == LOCAL
    assert isinstance(more, spec.Choose) and more.where is not None and more.type == OCTETS
    assert isinstance(send, spec.Send)
    assert send.flags == ("FIN", "ACK") and [name for name, _ in send.fields] == ["SEQ", "ACK", "DATA"]
    assert send.text == "<SEQ=s><ACK=RCV.NXT><CTL=FIN,ACK><DATA=n>"
    assert send.when is not None and send.when.text == "n > 0" and send.optional
    assert isinstance(send.when, spec.Compare) and send.when.op == "<" and send.when.left.text == "0"
    assert send.where is not None and send.where.text == "SEG.END =< SND.NXT"
    assert getattr(send.within, "value", 0) == 500_000
    assert isinstance(assign, spec.Assign) and assign.value is not None and assign.value.type == LOCAL
    assert isinstance(unset, spec.Assign) and unset.unset and unset.value is None
    (signal,) = rule("TIME-WAIT.SEND.1", "TIME-WAIT").actions
    assert isinstance(signal, spec.Signal) and signal.text == "error: connection closing" and signal.when is not None


def test_a_sent_message_is_numbered_the_other_way_round() -> None:
    """What arrives is numbered by the peer, what is sent by this end; the definition serves both."""
    send = rule("TIME-WAIT.own.1", "TIME-WAIT").actions[2]
    assert isinstance(send, spec.Send) and isinstance(send.where, spec.Compare)
    assert isinstance(send.where.left, spec.DefinitionRef) and send.where.left.type == LOCAL
    answer = rule("CLOSED.SEG.2", "CLOSED").actions[0]
    assert isinstance(answer, spec.Send) and answer.fields[0][1].type == LOCAL
    zero = rule("CLOSED.SEG.3", "CLOSED").actions[0]
    assert isinstance(zero, spec.Send) and isinstance(zero.fields[0][1], spec.Literal)
    assert zero.fields[0][1].type == LOCAL


def test_citations() -> None:
    cites = rule("CLOSED.SEG.3", "CLOSED").cites
    assert [(c.document, c.place, c.requirement) for c in cites] == [
        ("RFC9293", "MUST-11", True),
        ("RFC9293", "erratum 8710", False),
        ("", "free label", False),
        ("RFC1122", "§4.2.2.13", False),
    ]


def test_what_is_not_of_the_machine() -> None:
    (fault,), (judged,), (source,) = FULL.faults, FULL.packet_rules, FULL.sources
    assert (fault.id, fault.severity, fault.message, fault.when.text) == (
        "TCP-ACK-001",
        "normative",
        "SEG",
        "RCV.NXT < SEG.ACK",
    )
    assert (judged.severity, judged.scope, judged.blames, judged.needs) == (
        "normative",
        "packet",
        "sender",
        ("segment",),
    )
    assert [(c and c.text, words) for c, words in judged.excepts] == [
        ("SEG.DATA = 0", "jumbogram"),
        (None, "cannot be decided"),
    ]
    assert [str(cite) for cite in judged.cites] == ["RFC9293 §3.1", "RFC1122"]
    assert source.names == (("CLOSE", "CLOSED"), ("SYN-SENT", "SYN-SENT")) and source.hides == ("TIME-WAIT",)
    assert source.reads == (("SYN-SENT", "CLOSED", ("SYN-SENT", "TIME-WAIT", "CLOSED")),)
    assert source.births == (("LISTEN", "SYN-SENT"),) and source.self_records
    opened = (
        spec.Reading(("call", "OPEN active"), None, ()),
        spec.Reading(("call", "OPEN passive"), None, ("LISTEN", "SYN-SENT")),
    )
    given_up = (spec.Reading(("timer", "USER"), "error: connection closing", ()), spec.Reading(None, None, ()))
    assert source.tells == (("CONNECT", opened), ("OPEN", opened), ("TICK", given_up)) and source.shows_calls
    assert [(p.name, p.kind, p.states, p.title) for p in FULL.properties[:3]] == [
        ("closable", "reachable-from-all", ("CLOSED",), "always"),
        ("no-shortcut", "never-pair", ("LISTEN", "CLOSED"), ""),
        ("p", "pair", ("CLOSED", "LISTEN"), ""),
    ]


# ----------------------------------------------------------------------------------------------------- small pieces


@pytest.mark.parametrize(
    ("condition", "tree"),
    [
        ("W + 1 * 2 = 3", "Compare(Arithmetic(W Arithmetic(1 2)) 3)"),
        ("(W + 1) * 2 = 3", "Compare(Arithmetic(Arithmetic(W 1) 2) 3)"),
        ("W - 1 - 2 = 3", "Compare(Arithmetic(Arithmetic(W 1) 2) 3)"),
        ("not W = 1 and W = 2 or W = 3", "Or(And(Not(Compare(W 1)) Compare(W 2)) Compare(W 3))"),
        ("W = 1 or W = 2 and W = 3", "Or(Compare(W 1) And(Compare(W 2) Compare(W 3)))"),
        ("not (W = 1 or W = 2)", "Not(Or(Compare(W 1) Compare(W 2)))"),
        ("not not W = 1", "Not(Not(Compare(W 1)))"),
        ("W > 1", "Compare(1 W)"),
        ("1 < W >= 2", "And(Compare(1 W) Compare(2 W))"),
        ("max(W, 1) mod 2 = 0x1F", "Compare(Arithmetic(Arithmetic(W 1) 2) 31)"),
        ("N < M + 1", "Compare(N Arithmetic(M 1))"),
        ("M - N < W", "Compare(Arithmetic(M N) W)"),
        ("mode = active", "Compare(mode 1)"),
        ("passive != mode", "Compare(0 mode)"),
        ("2 * MSL < 1.5 s", "Compare(Arithmetic(2 MSL) 1500000)"),
        ("F is unset", "Not(IsSet(F))"),
        ("true", "1"),
    ],
)
def test_expressions(condition: str, tree: str) -> None:
    (rule_,) = rules(f"  on CLOSE when {condition} -> B\n")
    assert rule_.guard is not None
    assert shown(rule_.guard) == tree
    assert rule_.guard.type == BOOL


def shown(expr: spec.Expr) -> str:
    """The tree as words: kinds of nodes, names and numbers."""
    match expr:
        case spec.Literal():
            return str(expr.value)
        case spec.VarRef() | spec.DefinitionRef():
            return expr.name
        case spec.IsSet():
            return f"IsSet({expr.name})"
        case spec.Not():
            inner = [expr.operand]
        case spec.And() | spec.Or():
            inner = list(expr.operands)
        case spec.Arithmetic() | spec.Compare():
            inner = [expr.left, expr.right]
        case _:
            raise AssertionError(expr)
    return f"{type(expr).__name__}({' '.join(shown(one) for one in inner)})"


@pytest.mark.parametrize(
    "header",
    [
        "on CLOSE when W = 0 -> B",
        "on CLOSE -> B when W = 0",
        "on CLOSE when W = 0\n    -> B",
        "on CLOSE // why\n    when W = 0 // here\n    -> B",
        "on CLOSE unless not W = 0 -> B",
    ],
)
def test_where_the_target_may_stand(header: str) -> None:
    (one,) = rules(f"  {header}\n")
    assert one.target == "B" and one.guard is not None


@pytest.mark.parametrize("header", ["R-1: @p on CLOSE -> B", "@p R-1: on CLOSE -> B"])
def test_id_and_profile_in_either_order(header: str) -> None:
    (one,) = rules(f"  {header}\n")
    assert (one.id, one.profiles) == ("R-1", (("p", True),))


def test_several_events() -> None:
    found = rules("  R-1: on OPEN, CLOSE, SEND data when W = 0 -> B\n  otherwise stay\n")
    assert [(r.id, str(r.event)) for r in found[:3]] == [("R-1", "OPEN"), ("R-1.2", "CLOSE"), ("R-1.3", "SEND data")]
    assert [r.id for r in found[3:]] == ["A.OPEN.1", "A.CLOSE.1", "A.SEND-data.1"]


def test_groups_in_groups() -> None:
    text = HEAD + "  use outer\nrules inner\n  on CLOSE when W = 0 stay\nrules outer\n  use inner\n  otherwise drop\n"
    first, second = parse_spec(text, "x").initial.rules
    assert (first.group, second.group) == ("inner", "outer")
    assert second.event.name == "CLOSE" and second.drops


def test_keywords_are_names_elsewhere() -> None:
    text = (
        "spec state\nvar final : octets = 0\ncall on, may\ninitial state stay\n"
        "  on may when final = 0 -> drop\n    final <- 1\nstate drop\n"
    )
    found = parse_spec(text, "x")
    assert [state.name for state in found.states] == ["stay", "drop"]
    assert found.initial.rules[0].target == "drop"


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_line_ends_and_byte_order_marks(newline: str, mark: str) -> None:
    text = mark + (HEAD + "  /// said\n  on CLOSE -> B\n").replace("\n", newline)
    (one,) = parse_spec(text, "x").initial.rules
    assert one.doc == "said"


def test_spans_point_at_the_source() -> None:
    text = HEAD + "  on CLOSE when W <\n      3 -> B\n"
    guard = parse_spec(text, "x").initial.rules[0].guard
    assert isinstance(guard, spec.Compare) and guard.text == "W < 3"
    lines = text.split("\n")
    assert lines[guard.span.line - 1][guard.span.column - 1 :] == "W <"
    assert lines[guard.span.end_line - 1][: guard.span.end_column - 1] == "      3"


def test_several_messages() -> None:
    text = (
        "spec two\nmessage DATA\n  field N : 0..1\nmessage REPLY\n  flag OK\n  field N : 0..1\nvar n : 0..1 = 0\n"
        "fault F must when REPLY.N = 1\nrule R must\n  forbid DATA.N = 0\n"
        "initial state A\n  on DATA when DATA.N = n stay\n    send REPLY <N=DATA.N><CTL=OK>\n"
    )
    found = parse_spec(text, "x")
    assert found.faults[0].message == "REPLY" and found.packet_rules[0].message == "DATA"
    send = found.initial.rules[0].actions[0]
    assert isinstance(send, spec.Send) and send.message == "REPLY" and send.text == "REPLY <N=DATA.N><CTL=OK>"
