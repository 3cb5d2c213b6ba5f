"""Runs a scenario of one end: exact values, one step after the other.

Owns: what each line of such a scenario means.
Must never hold: what an event does (see ``semantics``), or how a failure is shown (see ``report``).

Whatever an event sends has to be shown, in order: at the latest before the next event, except what may be delayed,
which may be part of a later message, and what may be left out. At the beginning and after a line ``may`` a message may
also be one that the end sends of its own accord, or one that a timer sends again without a change of state.
"""

from __future__ import annotations

import copy
from dataclasses import dataclass

from tcpmodel.analysis.failures import Failure
from tcpmodel.analysis.shifting import NO_SHIFT, Shift, Told
from tcpmodel.model import scenario as s
from tcpmodel.model import spec as m
from tcpmodel.model.types import Seq
from tcpmodel.semantics import values as v
from tcpmodel.semantics.execution import Run, Sighting
from tcpmodel.semantics.notation import MessageText, NotationError, read_message
from tcpmodel.semantics.program import EventKey
from tcpmodel.semantics.stepping import Step, StepError, Stepper

OPTIONAL = "or nothing"


@dataclass(slots=True)
class Due:
    """A message that the end has sent and that no line has shown yet.

    ``literal``: fields that are plain numbers in the rule, which no shift moves.
    """

    message: MessageText
    leave: str
    literal: frozenset[str]

    @property
    def required(self) -> bool:
        """Whether the next lines have to show it, before anything else of this end."""
        return not self.leave

    @property
    def optional(self) -> bool:
        """Whether it may never be shown."""
        return self.leave.endswith(OPTIONAL)


class OneEnd:
    """Runs one scenario; ``run`` may be called again with other shifts.

    The first run must be the one without a shift: it notes what the spec left open, so that the others choose the same.
    """

    def __init__(self, stepper: Stepper, scenario: s.Scenario) -> None:
        self.stepper = stepper
        self.spec = stepper.spec
        self.scenario = scenario
        self.fields = {each.name: {item.name: item for item in each.fields} for each in self.spec.messages}
        self.messages = {each.name: each for each in self.spec.messages}
        self.kinds = {variable.name: variable.type for variable in self.spec.variables}
        self.opened: dict[int, Told] = {}
        lets = {name: value for _, name, value in scenario.lets}
        self.start = stepper.told_values(stepper.values(scenario.start[0], lets))
        self.fixed = copy.copy(stepper.program)
        self.fixed.free = []
        self._reset(NO_SHIFT)

    def _reset(self, shift: Shift) -> None:
        self.shift = shift
        self.state = self.scenario.start[0]
        self.values: Told = shift.told(self.spec, self.start)
        self.due: list[Due] = []
        self.signals: list[str] | None = None
        self.choose: Told = {}
        self.free = True

    def run(self, shift: Shift = NO_SHIFT) -> Failure | None:
        """What fails first, or None."""
        self._reset(shift)
        for index, line in enumerate(self.scenario.lines):
            failure = self._line(index, line)
            if failure is not None:
                return failure
        return self._shown(self.scenario.lines[-1], end=True)

    def _fail(self, line: s.Line, expected: str, actual: str) -> Failure:
        return Failure(line, expected, actual, self.state, shift=self.shift)

    def _line(self, index: int, line: s.Line) -> Failure | None:
        if isinstance(line, s.EventLine):
            return self._event(index, line)
        if isinstance(line, s.SentLine):
            return self._sent(line)
        if isinstance(line, s.CheckLine):
            return self._check(line, line.state, line.values)
        if isinstance(line, s.SignalLine):
            return self._signal(line)
        if isinstance(line, s.ChooseLine):
            self.choose.update(self.shift.told(self.spec, dict(line.values)))
        return None

    # ---------------------------------------------------------------------------------------------------- events

    def _event(self, index: int, line: s.EventLine) -> Failure | None:
        failure = self._shown(line, end=False)
        if failure is not None:
            return failure
        self.free = line.event.kind == "own" and not line.rule
        if self.free:
            self.signals = None
            return self._check(line, line.state, line.values)
        event = line.said if line.message is None else str(self._arrival(line.message))
        chosen, self.choose = self.choose, {}
        choose = {**self.shift.told(self.spec, self.opened.get(index, {})), **chosen}
        try:
            done = self.stepper.apply(self.state, self.values, event, choose)
        except (StepError, NotationError) as error:
            return self._fail(line, line.text, str(error))
        if not done.outcomes:
            return self._fail(line, line.text, "it is not possible now")
        step = done.outcomes[0]
        idle = [name for name in chosen if name not in (*_opened(step), *_chosen(step))]
        if idle:
            return self._fail(line, f"choose {idle[0]} = {chosen[idle[0]]}", f"this event does not choose {idle[0]}")
        if self.shift == NO_SHIFT:
            self.opened[index] = {name: step.variables[name] for name in _opened(step)}
        self.state, self.values, self.signals = step.next, step.variables, list(step.signals)
        self.due += [self._due(step, text, leave) for text, leave in zip(step.sent, step.leave, strict=True)]
        return self._check(line, line.state, line.values)

    def _arrival(self, said: s.SaidMessage) -> MessageText:
        fields = {
            name: self.shift.field(self.fields[said.message][name].type, number, ours=False)
            for name, number in said.fields
        }
        return self._text(said, fields)

    def _text(self, said: s.SaidMessage, fields: dict[str, int]) -> MessageText:
        flags, marks = frozenset(said.flags), frozenset(said.marks)
        control = (*said.flags, *said.marks)
        return MessageText(self.messages[said.message], fields, flags, marks, control, named=len(self.messages) > 1)

    def _due(self, step: Step, text: str, leave: str) -> Due:
        name = text.split(" ", 1)[0] if len(self.messages) > 1 else next(iter(self.messages))
        message = read_message(self.spec, text.removeprefix(name).strip(), self.messages[name])
        literal = {
            field
            for rule in step.rules
            for action in rule.actions
            if isinstance(action, m.Send) and frozenset(action.flags) == message.flags
            for field, value in action.fields
            if isinstance(value, m.Literal)
        }
        return Due(message, leave, frozenset(literal))

    def _check(self, line: s.Line, state: str, values: s.Values) -> Failure | None:
        if state and state != self.state:
            return self._fail(line, f"=> {state}", f"=> {self.state}")
        for name, value in self.shift.told(self.spec, dict(values)).items():
            if self.values[name] != value:
                return self._fail(line, f"{name} = {_word(value)}", f"{name} = {_word(self.values[name])}")
        return None

    def _signal(self, line: s.SignalLine) -> Failure | None:
        told = self.signals or []
        if line.words is None:
            return self._fail(line, "no signal", _signals(told)) if told else None
        if line.words not in told:
            return self._fail(line, _signals([line.words]), _signals(told))
        self.signals = told[told.index(line.words) + 1 :]
        return None

    # ------------------------------------------------------------------------------------------- what was sent

    def _sent(self, line: s.SentLine) -> Failure | None:
        if line.message is None:
            pending = [each for each in self.due if not each.optional]
            self.due = pending
            return self._fail(line, "> nothing", _sends(pending)) if pending else None
        for index, due in enumerate(self.due):
            if self._same(line.message, due):
                del self.due[: index + 1]
                return None
            if due.required:
                return self._fail(line, f"> {self._expected(line.message)}", _sends(self.due))
        if self.free and self._of_its_own(line.message):
            return None
        return self._fail(line, f"> {self._expected(line.message)}", _sends(self.due))

    def _shown(self, line: s.Line, *, end: bool) -> Failure | None:
        """Before the next event, and at the end, everything has been shown that has to be."""
        left = [due for due in self.due if due.required or (end and not due.optional)]
        if left:
            return self._fail(line, "every message that is sent has a line of its own", _sends(left))
        return None

    def _same(self, said: s.SaidMessage, due: Due) -> bool:
        sent = due.message
        if said.message != sent.message.name or frozenset(said.flags) != sent.flags:
            return False
        wanted = dict(said.fields)
        for name, item in self.fields[said.message].items():
            is_ = sent.fields.get(name, item.default)
            if is_ is None:
                continue
            should = wanted.get(name, item.default)
            if should is not None and name not in due.literal:
                should = self.shift.field(item.type, should, ours=True)
            if is_ != should:
                return False
        return True

    def _expected(self, said: s.SaidMessage) -> str:
        if self.shift == NO_SHIFT:
            return said.text
        fields = {
            name: self.shift.field(self.fields[said.message][name].type, number, ours=True)
            for name, number in said.fields
        }
        return str(self._text(said, fields))

    def _of_its_own(self, said: s.SaidMessage) -> bool:
        """Take a message that the end may send without an event that the scenario shows."""
        program = self.fixed
        start = program.states.index(self.state)
        known = self.stepper.values(self.state, self.values)
        keys = sorted((key for key in program.rules[start] if key[0] in {"own", "timer"}), key=_own_first)
        for key in keys:
            run = Run(program, key, self._sighting(said, known))
            for outcome in run.start(start, list(known)):
                if outcome.matched and (key[0] == "own" or outcome.state == start):
                    exact = [(each[0], each[0]) if each is not None else None for each in outcome.values]
                    if any(each is not None and each[0] <= -v.INFINITY for each in exact):
                        continue
                    self.state = program.states[outcome.state]
                    self.values = self.stepper.told_values(exact)
                    self.due = [due for due in self.due if due.required]
                    return True
        return False

    def _sighting(self, said: s.SaidMessage, known: list[v.Interval | None]) -> Sighting:
        return sighting(self.stepper, said, self.shift, known, ours=True)


def sighting(
    stepper: Stepper, said: s.SaidMessage, shift: Shift, known: list[v.Interval | None], *, ours: bool
) -> Sighting:
    """A message of a scenario as the semantics takes it, its numbers placed next to those known.

    ``ours``: the end that knows these values sends it; otherwise it arrives there.
    """
    program, spec = stepper.program, stepper.spec
    message = next(each for each in spec.messages if each.name == said.message)
    bits = program.flag_bits[message.name]
    flags = sum(bits[name] for name in said.flags)
    written = dict(said.fields)
    fields: dict[str, v.Interval] = {}
    raw: dict[int, int] = {}
    for item in message.fields:
        number = written.get(item.name, item.default if item.default is not None else item.typical)
        if isinstance(item.type, Seq):
            if item.name not in written or (item.only_with is not None and item.only_with not in said.flags):
                continue
            number = written[item.name]
            raw[program.layout.fields[message.name, item.name]] = number
            space = "local" if (item.type.space == "sender") == ours else "peer"
            number = _place(spec, shift.field(item.type, number, ours=ours), space, known)
        elif number is None:
            number = 0
        fields[item.name] = (number, number)
    slots = dict(program.message_slots(message.name, flags, fields, frozenset(said.marks)))
    return Sighting(message.name, flags, slots, raw)


def _place(spec: m.Spec, number: int, space: str, known: list[v.Interval | None]) -> int:
    """The number as it stands to the known number of its numbering that is nearest to it."""
    near = [
        each[0]
        for variable, each in zip(spec.variables, known, strict=True)
        if each is not None and each[0] == each[1] and isinstance(variable.type, Seq) and variable.type.space == space
    ]
    return v.unwrap(number, min(near, key=lambda each: abs(v.distance(each, number)), default=number))


def _own_first(key: EventKey) -> bool:
    return key[0] != "own"


def _opened(step: Step) -> list[str]:
    """Variables for which the rules of a step let the endpoint choose."""
    return [
        action.variable
        for rule in step.rules
        for action in rule.actions
        if isinstance(action, m.Assign) and action.value is None and not action.unset
    ]


def _chosen(step: Step) -> list[str]:
    """What the rules of a step choose for themselves."""
    return [action.name for rule in step.rules for action in rule.actions if isinstance(action, m.Choose)]


def _sends(due: list[Due]) -> str:
    return ", ".join(f"> {each.message}" + (f" ({each.leave})" if each.leave else "") for each in due) or "> nothing"


def _signals(told: list[str]) -> str:
    return ", ".join(f'signal "{text}"' for text in told) or "no signal"


def _word(value: int | str | None) -> str:
    return "unset" if value is None else str(value)
