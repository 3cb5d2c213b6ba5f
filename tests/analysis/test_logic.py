"""What is called impossible is impossible: the logic of conditions never contradicts their evaluation."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tcpmodel.analysis.classes import Arrival, Case
from tcpmodel.analysis.logic import Logic, negated
from tcpmodel.model.load import parse_spec
from tcpmodel.model.spec import Expr
from tcpmodel.semantics.program import Program
from tcpmodel.semantics.values import FALSE, MODULUS, TRUE

SPEC = """\
spec s "s"
var A : octets = 0
var B : octets = 0
var L : seq(local)
var M : seq(local)
var O : optional octets
var W : red | green | blue = red
message MSG "m"
  flag F, G
  field ACK : seq(receiver)
  field N : octets from n
define SHORT
  | MSG with F => MSG.N < 2
  | otherwise => MSG.N < A
initial state S "s"
"""
ATOMS = [
    "A < B", "B =< A", "A = B", "A = 0", "A > 2", "2 < B", "B != 3", "L < M", "M =< L", "L = MSG.ACK", "MSG.ACK < M",
    "L < MSG.ACK =< M", "O is set", "O is unset", "O < 2", "O = A", "W = red", "W != green", "MSG with F",
    "MSG with F without G", "MSG.N = 1", "MSG.N < A", "SHORT", "true", "false",
]  # fmt: skip
CONDITIONS = st.recursive(
    st.sampled_from(ATOMS),
    lambda inner: st.one_of(
        st.builds("({} and {})".format, inner, inner),
        st.builds("({} or {})".format, inner, inner),
        st.builds("(not {})".format, inner),
    ),
    max_leaves=5,
)


def compiled(*conditions: str) -> tuple[Program, list[Expr]]:
    rules = "".join(f"  R{index}: on MSG when {text} drop\n" for index, text in enumerate(conditions))
    from tcpmodel.language.parser import parse_text
    from tcpmodel.model.resolve import resolve

    # Not ``parse_spec``: it refuses conditions that repeat each other.
    spec = resolve(parse_text(SPEC + rules)[0], "s", "")[0]
    assert spec is not None
    guards = [rule.guard for rule in spec.states[0].rules]
    return Program(spec, {}), [guard for guard in guards if guard is not None]


CASES = st.builds(
    lambda numbers, sequence, optional, word, ack, amount, flags: Case(
        (*numbers, *sequence, optional, word), (ack, amount), flags
    ),
    st.tuples(st.integers(0, 4), st.integers(0, 4)),
    st.tuples(st.integers(MODULUS - 2, MODULUS + 2), st.integers(MODULUS - 2, MODULUS + 2)),
    st.none() | st.integers(0, 3),
    st.integers(0, 2),
    st.integers(MODULUS - 3, MODULUS + 3) | st.just(MODULUS // 2),
    st.integers(0, 4),
    st.tuples(st.integers(0, 1), st.integers(0, 1)),
)


@given(st.lists(CONDITIONS, min_size=1, max_size=3), CASES)
def test_whatever_happens_was_called_possible(conditions: list[str], case: Case) -> None:
    program, guards = compiled(*conditions)
    message = program.spec.messages[0]
    tests = [program.compiler.guard(guard) for guard in guards]
    environment = Arrival(program, message).environment(case)
    logic = Logic(program.spec, guards)
    formulas = []
    for guard, test in zip(guards, tests, strict=True):
        answer = test.test(environment)
        assert answer in (TRUE, FALSE)
        formulas.append(logic.formula(guard) if answer == TRUE else negated(logic.formula(guard)))
    assert logic.possible(formulas) is True


def impossible(*conditions: str) -> bool:
    program, guards = compiled(*conditions)
    logic = Logic(program.spec, guards)
    return logic.possible([logic.formula(guard) for guard in guards]) is False


def test_contradictions_are_found() -> None:
    assert impossible("A < B", "B < A")
    assert impossible("A < B", "not A =< B")
    assert impossible("L < M", "M =< L")
    assert impossible("A = 0", "A > 0")
    assert impossible("W = red", "W = blue")
    assert impossible("W != red", "W != blue", "W != green")
    assert impossible("O is unset", "O < 2")
    assert impossible("MSG with F", "MSG without F,G")
    assert impossible("MSG with F", "SHORT", "MSG.N = 2")
    assert impossible("A < 0")


def test_no_contradiction_is_made_up() -> None:
    assert not impossible("A =< B", "B =< A")
    assert not impossible("not O < 2", "not O >= 2"), "of an unset variable nothing holds"
    assert not impossible("not L < M", "not M =< L"), "numbers half the circle apart"
    assert not impossible("MSG without F", "SHORT", "MSG.N = 2")


def test_parse_is_not_needed_for_more(root: object) -> None:
    """The text of the spec above is one that users may write."""
    assert parse_spec(SPEC + "  on MSG drop\n", "s").name == "s"
