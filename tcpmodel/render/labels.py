"""The words on an arrow, made from a rule.

Owns: how an event, a guard and what is sent are said in a few words.
Must never hold: the name of a protocol, a state or a field.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from tcpmodel.model.spec import And, Expr, HasFlags, Not, Rule, Send, Spec

Label = tuple[str, str]

GUARD_WIDTH = 26
"""Characters of a guard beside an event; what does not fit is left out and marked with an ellipsis."""
ACTION_WIDTH = 40
"""Characters of an action; a longer one ends in an ellipsis."""


def drawn_label(rule: Rule) -> Label:
    """The label that the spec gives the rule in a figure, split at the first `` / ``."""
    event, _, action = (rule.drawn or "").partition(" / ")
    return event.strip(), action.strip()


def derived_label(spec: Spec, rule: Rule) -> Label:
    """(event, action) in words: what happens, under which short condition, and what the endpoint sends."""
    conditions = list(_conjuncts(rule.guard))
    event = rule.event
    if event.kind == "message":
        # What must be absent is left out: a label names what is there.
        present = dict.fromkeys(flag for test in _flag_tests(conditions, event.name) for flag in test.present)
        only = len(spec.messages) == 1
        subject = ",".join(present) if only and present else " ".join([event.name, ",".join(present)]).strip()
        words = f"rcv {subject}"
        conditions = [one for one in conditions if not (isinstance(one, HasFlags) and one.message == event.name)]
    elif event.kind == "own":
        words = "may"
    else:
        words = str(event)
    if guard := _short([_text(one) for one in conditions]):
        words += f" [{guard}]"
    return words, _action(spec, rule)


def condense(labels: Iterable[Label], most: int) -> tuple[Label, ...]:
    """Labels without repetition, and at most ``most`` of them: what is left out is counted in the last one."""
    distinct = list(dict.fromkeys(labels))
    if len(distinct) <= most:
        return tuple(distinct)
    return (*distinct[: most - 1], (f"+{len(distinct) - most + 1} more", ""))


def shadowed(rule: Rule, earlier: Iterable[Rule]) -> bool:
    """Whether one of the earlier rules of the same state always takes the event before this rule can.

    A plain comparison of the written conditions: false does not promise that the rule can fire.
    """
    wanted = _atoms(rule)
    return any(not one.continues and one.event == rule.event and _atoms(one) <= wanted for one in earlier)


def _atoms(rule: Rule) -> frozenset[tuple[str, str]]:
    atoms: set[tuple[str, str]] = set()
    for condition in _conjuncts(rule.guard):
        if isinstance(condition, HasFlags):
            atoms |= {("with", flag) for flag in condition.present} | {("without", flag) for flag in condition.absent}
        else:
            atoms.add(("", _text(condition)))
    return frozenset(atoms)


def _conjuncts(guard: Expr | None) -> Iterable[Expr]:
    if isinstance(guard, And):
        for operand in guard.operands:
            yield from _conjuncts(operand)
    elif guard is not None:
        yield guard


def _short(conditions: Sequence[str]) -> str:
    """As many of the conditions as fit, joined; an ellipsis tells that some are missing."""
    for count in range(len(conditions), 0, -1):
        text = " and ".join(conditions[:count])
        if len(text) <= GUARD_WIDTH:
            return text if count == len(conditions) else text + " \u2026"
    return conditions[0][: GUARD_WIDTH - 1].rstrip() + "\u2026" if conditions else ""


def _flag_tests(conditions: Iterable[Expr], message: str) -> Iterable[HasFlags]:
    return (one for one in conditions if isinstance(one, HasFlags) and one.message == message)


def _text(condition: Expr) -> str:
    text = " ".join(condition.text.split())
    if isinstance(condition, Not) and not text.startswith("not "):
        return f"not {' '.join(condition.operand.text.split())}"
    return text


def _action(spec: Spec, rule: Rule) -> str:
    sends = dict.fromkeys(_send(spec, action) for action in rule.actions if isinstance(action, Send))
    text = ", ".join(sends)
    return text if len(text) <= ACTION_WIDTH else text[: ACTION_WIDTH - 1].rstrip(" ,") + "\u2026"


def _send(spec: Spec, send: Send) -> str:
    flags = ",".join(send.flags)
    words = "snd " + (flags if flags and len(spec.messages) == 1 else " ".join([send.message, flags]).strip())
    return f"({words})" if send.optional or send.when is not None else words
