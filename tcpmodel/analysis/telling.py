"""A run that breaks a property, told as a scenario.

Owns: the notation of events, of what is sent and of what has changed.
Must never hold: which runs are tried, or whether one breaks anything (see ``asked``).
"""

from __future__ import annotations

from collections.abc import Sequence

from tcpmodel.analysis.exploration import Configuration
from tcpmodel.analysis.results import Witness
from tcpmodel.model import spec as m
from tcpmodel.model.types import Enum, Seq
from tcpmodel.semantics.notation import write_message
from tcpmodel.semantics.program import CompiledSend, Program
from tcpmodel.semantics.values import MODULUS, Interval


def witness_of(
    program: Program, start: Configuration, last: Configuration, declared: m.Property, profile: str = ""
) -> Witness:
    """The run that ends in ``last``, in the notation of scenarios. ``start``: with what a run begins as a rule.

    ``profile``: the one that was turned on, if one was.
    """
    steps: list[Configuration] = []
    at = last
    while at.parent is not None:
        steps.append(at)
        at = at.parent
    steps.reverse()
    let = _changes(program, start, at)
    head = f"from {program.states[at.state]}" + (f" with {profile}" if profile else "") + (f" let {let}" if let else "")
    details = [("run", head)]
    for one in steps:
        assert one.parent is not None and one.cause is not None and one.outcome is not None
        values = _changes(program, one.parent, one)
        passed = [program.states[rule.target] for rule in one.outcome.rules]
        text = f"{_event(program, one)} => {passed[-1]}" + (f" ({values})" if values else "")
        details.append(("", text))
        details += [("", f"> {_sent(program, action, known)}") for action, known in one.outcome.sent]
    rules = tuple(rule.source.id for rule in last.outcome.rules) if last.outcome is not None else ()
    line = last.outcome.rules[-1].source.span if last.outcome is not None else declared.span
    many = f"{len(steps)} event{'' if len(steps) == 1 else 's'}"
    text = f"after {many}, by {', '.join(rules)}" if rules else "from the start"
    return Witness(
        text,
        program.states[last.state],
        rules=rules,
        line=line.line,
        part=line.path,
        details=tuple(details),
    )


def _event(program: Program, at: Configuration) -> str:
    assert at.cause is not None and at.outcome is not None
    kind, name = at.cause.event
    case = at.cause.case
    if kind == "own":
        return f"may {at.outcome.rules[0].source.id}"
    if case is None:
        return name if kind == "call" else f"{kind} {name}"
    message = next(item for item in program.spec.messages if item.name == name)
    names = (*message.flags, *message.marks)
    carried = tuple(flag for flag, bit in zip(names, case.flags, strict=True) if bit)
    fields = {
        item.name: number % MODULUS if isinstance(item.type, Seq) else number
        for item, number in zip(message.fields, case.fields, strict=True)
        if (item.only_with is None or item.only_with in carried)
        and (isinstance(item.type, Seq) or number != (item.typical or item.default or 0))
    }
    return f"< {write_message(message, fields, carried, named=len(program.spec.messages) > 1)}"


def _sent(program: Program, action: CompiledSend, known: Sequence[Interval | None]) -> str:
    message = next(item for item in program.spec.messages if item.name == action.message)
    names = {program.layout.fields[message.name, item.name]: item for item in message.fields}
    fields = {
        names[slot].name: value[0] % MODULUS if isinstance(names[slot].type, Seq) else value[0]
        for (slot, _, _), value in zip(action.fields, known, strict=True)
        if value is not None
    }
    return write_message(message, fields, action.source.flags, named=len(program.spec.messages) > 1)


def _changes(program: Program, before: Configuration, after: Configuration) -> str:
    told = []
    for variable, one, two in zip(program.spec.variables, before.values, after.values, strict=True):
        if one == two:
            continue
        if two is None:
            word = "unset"
        elif isinstance(variable.type, Enum):
            word = variable.type.words[two[0]]
        else:
            word = str(two[0] % MODULUS if isinstance(variable.type, Seq) else two[0])
        told.append(f"{variable.name} = {word}")
    return ", ".join(told)
