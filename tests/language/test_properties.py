"""Properties about behaviour: what they become, and what is said about wrong ones."""

from __future__ import annotations

import pytest
from language_samples import HEAD, errors_of

from tcpmodel.language.builder import Builder
from tcpmodel.language.tables import GRAMMAR
from tcpmodel.model.load import parse, parse_spec
from tcpmodel.model.spec import After, And, Arithmetic, Compare, FlagSet, HasFlags, IsSet, Not, Property, VarRef
from tcpmodel.model.walk import walk


def prop(text: str) -> Property:
    (found,) = parse_spec(HEAD + text, "x").properties
    return found


def test_always() -> None:
    found = prop('/// doc\nproperty P-16 "order" ["where"] always N =< M in A, B under p, no-q fails "it may"\n')
    assert (found.name, found.kind, found.title, found.doc) == ("P-16", "always", "order", "doc")
    assert isinstance(found.expr, Compare) and found.expr.text == "N =< M"
    assert (found.states, found.profiles, found.expect_failure) == (("A", "B"), ("p", "no-q"), "it may")
    assert found.cites[0].place == "where" and found.condition is None
    plain = prop("property P-1 always W >= 0 when bit = 1 unless F is set\n")
    assert (plain.states, plain.profiles, plain.expect_failure) == ((), (), "")
    assert isinstance(plain.condition, And) and plain.condition.text == "bit = 1 and not F is set"


def test_each_step() -> None:
    found = prop(
        "define edge = R + W\n"
        "property P-19 each step N =< N' and (edge < edge' or F' is unset) in A unless mode' = mode\n"
    )
    assert found.kind == "each-step" and found.states == ("A",) and found.expr is not None
    afters = [part for part in walk(found.expr) if isinstance(part, After)]
    assert [part.text for part in afters] == ["N'", "edge'", "F' is set"]
    assert [type(part.operand).__name__ for part in afters] == ["VarRef", "DefinitionRef", "IsSet"]
    assert afters[0].type == afters[0].operand.type
    assert isinstance(found.condition, Not)
    assert any(isinstance(part, After) for part in walk(found.condition))


def test_never_step() -> None:
    found = prop("property P-8 never B -> A when mode = active\n")
    assert (found.kind, found.states) == ("never-step", ("B", "A")) and found.condition is not None
    assert prop("property P-8 never B -> A\n").kind == "never-pair"
    assert prop("property P-8 never A -> A when N != N'\n").states == ("A", "A")


def test_what_is_sent() -> None:
    found = prop(
        "property P-12 on SEG with RST unless SEG.SEQ = R never sends with RST or with SYN, ACK without PSH in A\n"
    )
    assert (found.kind, found.states) == ("never-sends", ("A",))
    assert [event.name for event in found.events] == ["SEG"]
    assert found.flags == (FlagSet(("RST",), ()), FlagSet(("SYN", "ACK"), ("PSH",)))
    assert isinstance(found.condition, And)
    first, second = found.condition.operands
    assert isinstance(first, HasFlags) and first.present == ("RST",) and isinstance(second, Not)
    found = prop("property P-14 on OPEN, CLOSE sends nothing\n")
    assert (found.kind, found.flags, [str(event) for event in found.events]) == ("sends-nothing", (), ["OPEN", "CLOSE"])
    assert prop("property P-14 on timeout USER sends nothing in B\n").events[0].kind == "timer"
    found = prop("property P-15 in A, B sends only with ACK or without SYN\n")
    assert (found.kind, found.states, found.events) == ("sends-only", ("A", "B"), ())
    assert found.flags == (FlagSet(("ACK",), ()), FlagSet((), ("SYN",)))


def test_what_is_signalled() -> None:
    found = prop('property P-22 "told" always signals in A into B\n')
    assert (found.kind, found.states, found.into, found.words, found.events) == (
        "always-signals",
        ("A",),
        ("B",),
        "",
        (),
    )
    found = prop('property P-22 on SEG with RST when N = M always signals "reset" in A fails "no"\n')
    assert (found.words, found.title, found.expect_failure) == ("reset", "", "no")
    assert found.condition is not None and found.condition.text == "SEG with RST and N = M"
    assert prop('property P-22 on CLOSE never signals "x"\n').kind == "never-signals"
    found = prop("property P-21 on timeout USER always sends with SYN or without ACK into B\n")
    assert (found.kind, found.flags) == ("always-sends", (FlagSet(("SYN",), ()), FlagSet((), ("ACK",))))
    assert prop("property P-21 on OPEN always sends\n").flags == ()
    assert prop("property P-17 on OPEN each step N' = N in A\n").events[0].name == "OPEN"


def test_about_the_graph() -> None:
    assert prop("property P-1 check reachable, deterministic\n").checks == ("reachable", "deterministic")
    found = prop("property P-3 from every state one event leads to A\n")
    assert (found.kind, found.states) == ("one-event", ("A",))
    found = prop("property P-5 one move for each event in A, B under p\n")
    assert (found.kind, found.states, found.profiles) == ("one-move", ("A", "B"), ("p",))
    found = prop("property P-7 moves only A -> B | A, B -> A | B\n")
    assert found.moves == (("A", "B"), ("A", "A"), ("B", "A"), ("B", "B"))
    found = prop("property P-21 on OPEN, CLOSE only in B\n")
    assert (found.kind, found.states, [event.name for event in found.events]) == ("only-in", ("B",), ["OPEN", "CLOSE"])


def test_kinds_of_old() -> None:
    text = 'property a from every state reachable A "title" fails "no"\nproperty b exists A -> B ["x"] under q\n'
    one, two = parse_spec(HEAD + text, "x").properties
    assert (one.kind, one.states, one.title, one.expect_failure) == ("reachable-from-all", ("A",), "title", "no")
    assert (two.kind, two.states, two.profiles) == ("pair", ("A", "B"), ("q",))


CASES = [
    ("property p always N\n", "TS030", "N", "a condition is needed"),
    ("property p always N =< R\n", "TS031", "N =< R", "seq(peer)"),
    ("property p always N =< X\n", "TS011", "X", "unknown name"),
    ("property p always SEG.SEQ = R\n", "TS035", "SEG.SEQ", "no message at hand"),
    ("property p always N =< N'\n", "TS055", "N'", "cannot be used here"),
    ("property p always F' is set\n", "TS055", "F' is set", "cannot be used here"),
    ("property p each step MSL' = MSL\n", "TS055", "", "no value after"),
    ("property p each step N' < R'\n", "TS031", "N' < R'", "seq(peer)"),
    ("state C\n  on OPEN when N' = N -> A\n", "TS055", "N'", "cannot be used here"),
    ("property p always W = 0 in C\n", "TS010", "C", "unknown state"),
    ("property p always W = 0 under x\n", "TS015", "x", "unknown profile"),
    ("property p always W = 0 under no-x\n", "TS015", "no-x", "unknown profile"),
    ('property p always W = 0 fails " "\n', "TS054", '" "', "not said why"),
    ("property p exists A -> B in A\n", "TS054", "A", "no meaning"),
    ("property p exists A -> B when W = 0\n", "TS054", "W = 0", "has no condition"),
    ("property p never A -> B when W = 0 in A\n", "TS054", "A", "no meaning"),
    ("message T\nproperty p on SEG, T sends nothing\n", "TS054", "T", "one message"),
    ("property p check reachible\n", "TS019", "reachible", "did you mean `reachable`?"),
    ("property p check reachable in A\n", "TS054", "A", "no meaning"),
    ("property p moves only A -> C\n", "TS010", "C", "unknown state"),
    ("property p always signals into C\n", "TS010", "C", "unknown state"),
    ("property p always W = 0 into A\n", "TS054", "A", "`into` has no meaning"),
    ("property p on SEG with RST only in A\n", "TS054", "SEG", "no condition"),
    ("property p on OPEN when W = 0 only in A\n", "TS054", "W = 0", "no condition"),
    ("property p on CLOOSE sends nothing\n", "TS012", "CLOOSE", "did you mean `CLOSE`?"),
    ("property p on SEG never sends with SYM\n", "TS013", "SYM", "did you mean `SYN`?"),
    ("property p on SEG with SYM sends nothing\n", "TS013", "SYM", "did you mean `SYN`?"),
    ("property p in A sends only with ACK without ACK\n", "TS020", "ACK", "asked for and excluded"),
    ("property p in A sends only with ACK in B\n", "TS004", "B", "a second"),
    ("property p sends nothing\n", "TS001", "sends nothing", "expected"),
    ("property p alwys W = 0\n", "TS001", "alwys", "did you mean `always`?"),
]


@pytest.mark.parametrize(("text", "code", "under", "words"), CASES)
def test_wrong_ones(text: str, code: str, under: str, words: str) -> None:
    (error,) = errors_of(HEAD + text)
    assert error.code == code
    assert words in f"{error.message} {error.help}"
    line = (HEAD + text).split("\n")[error.span.line - 1]
    assert not under or line[error.span.column - 1 : error.span.end_column - 1] == under


def test_a_property_is_no_use_of_an_event() -> None:
    warnings = parse(HEAD + "property p on notice NEWS sends nothing\n", "x").warnings
    assert any("NEWS" in warning.message and warning.code == "TS066" for warning in warnings)


def test_no_helper_has_the_name_of_a_rule_that_is_inlined() -> None:
    """The parser would call it, although rules that begin with an underscore have no callback."""
    names = {line.split(":")[0] for line in GRAMMAR.read_text(encoding="utf-8").splitlines() if line.startswith("_")}
    assert names and not {name for name in names if name.islower() and hasattr(Builder, name)}


def test_types_of_what_is_compared() -> None:
    found = prop("property p each step N' - N =< W\n")
    assert isinstance(found.expr, Compare) and isinstance(found.expr.left, Arithmetic)
    assert isinstance(found.expr.left.left, After) and isinstance(found.expr.left.left.operand, VarRef)
    assert not any(isinstance(part, IsSet) for part in walk(found.expr))
