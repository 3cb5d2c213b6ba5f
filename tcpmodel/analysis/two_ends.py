"""Runs a scenario of two ends: each end is followed as an observer follows it, with sets of what may be true.

Owns: what each line of such a scenario means.
Must never hold: what an event does (see ``semantics``), or how a failure is shown (see ``report``).

A message that leaves must be an answer to what has arrived, or something that the sender can do now: of its own accord,
or because of a call, a timer or a notice that the scenario does not show. What arrives is processed at once, and may be
kept if it is of no use then. What an end still has to send when the scenario ends need not be shown. ``...`` before an
arrival may also be an old duplicate.
"""

from __future__ import annotations

import copy
from collections.abc import Iterable
from dataclasses import dataclass, replace

from tcpmodel.analysis.failures import Failure
from tcpmodel.analysis.one_end import sighting
from tcpmodel.analysis.shifting import NO_SHIFT, Shift
from tcpmodel.model import scenario as s
from tcpmodel.model import spec as m
from tcpmodel.model.types import Enum
from tcpmodel.semantics import values as v
from tcpmodel.semantics.execution import Outcome, Run, Slots
from tcpmodel.semantics.program import EventKey, Program
from tcpmodel.semantics.stepping import StepError, Stepper

MOST_HYPOTHESES = 2000
"""More ways to explain a scenario than this are not followed; the likelier ones come first."""

MOST_SHOWN = 4
"""So many forms of messages that an end may send are named at most."""


@dataclass(frozen=True, slots=True)
class Hypothesis:
    """One way in which an end may have come here.

    ``answered``: messages of later lines that it has sent already, by index. ``owed``: the event whose answer no line
    shows, as text, with the state and the values before it. ``quiet``: the last event made it send nothing.
    ``signals``: of the last event.
    """

    state: int
    values: tuple[v.Interval | None, ...]
    answered: frozenset[int] = frozenset()
    owed: tuple[int, tuple[v.Interval | None, ...], str] | None = None
    quiet: bool = True
    signals: tuple[str, ...] = ()


class End:
    """One end, with all that the scenario says that it sends. ``letter`` is A or B."""

    def __init__(self, letter: str, stepper: Stepper, program: Program, scenario: s.Scenario, shift: Shift) -> None:
        self.letter, self.stepper, self.program, self.shift = letter, stepper, program, shift
        self.slots = program.layout.variables
        state = scenario.start["AB".index(letter)]
        lets = {name: value for end, name, value in scenario.lets if end == letter}
        told = shift.told(stepper.spec, stepper.told_values(stepper.values(state, lets)))
        start = Hypothesis(program.states.index(state), tuple(stepper.values(state, told)))
        self.now: list[Hypothesis] = [start]
        self.sends: dict[int, s.SaidMessage] = {
            index: line.message
            for index, line in enumerate(scenario.lines)
            if isinstance(line, s.MessageLine) and line.sender == letter and line.sent
        }
        self.fixed: dict[str, int | str | None] = {}
        self.arrived: list[s.SaidMessage] = []

    # ---------------------------------------------------------------------------------------------------- moves

    def happens(self, at: int, key: EventKey, said: s.SaidMessage | None, text: str) -> list[Hypothesis]:
        """What may be true after an event; ``at`` is its line: what the end sends stands there or later."""
        later = {index: sent for index, sent in self.sends.items() if index >= at}
        found: list[Hypothesis] = []
        for before in self.now:
            known = list(before.values)
            flags: int | None = None
            slots: Slots = ()
            if said is not None:
                arrives = sighting(self.stepper, said, self.shift, known, ours=False)
                flags, slots = arrives.flags, list(arrives.slots.items())
            alive = False
            for index, sent in later.items():
                if index in before.answered:
                    continue
                leaves = sighting(self.stepper, sent, self.shift, known, ours=True)
                run = Run(self.program, key, leaves, flags=flags)
                for outcome in run.start(before.state, list(known), slots):
                    alive = True
                    answered = before.answered | {index} if outcome.matched else before.answered
                    found.append(self._after(before, outcome, answered, quiet=not outcome.matched))
            if not alive:
                for outcome in Run(self.program, key, flags=flags).start(before.state, list(known), slots):
                    alive = True
                    found.append(self._after(before, outcome, before.answered))
            if not alive:
                owed = before.owed or (before.state, before.values, text)
                for outcome in Run(self.program, key, unseen=True, flags=flags).start(before.state, known, slots):
                    after = self._after(before, outcome, before.answered, quiet=False)
                    found.append(replace(after, owed=owed))
        return _distinct(found)

    def _after(
        self, before: Hypothesis, outcome: Outcome, answered: frozenset[int], *, quiet: bool = True
    ) -> Hypothesis:
        signals = tuple(
            action.text
            for rule in outcome.rules
            for action in rule.source.actions
            if isinstance(action, m.Signal) and action.when is None
        )
        return Hypothesis(outcome.state, tuple(outcome.values), answered, before.owed, quiet, signals)

    def leaves(self, at: int, said: s.SaidMessage) -> list[Hypothesis]:
        """What may be true after the message of line ``at`` has left; nothing if the end cannot send it."""
        found = [replace(each, answered=each.answered - {at}) for each in self.now if at in each.answered]
        if found:
            return _distinct(found)
        free = [each for each in self.now if not each.owed]
        return self._explain(said, free) or self._explain(said, self._unseen(free)) or self._kept(said, free)

    def _explain(self, said: s.SaidMessage, base: Iterable[Hypothesis]) -> list[Hypothesis]:
        found: list[Hypothesis] = []
        for before in base:
            leaves = sighting(self.stepper, said, self.shift, list(before.values), ours=True)
            for key in self.program.rules[before.state]:
                if key[0] == "message":
                    continue
                for outcome in Run(self.program, key, leaves).start(before.state, list(before.values)):
                    if outcome.matched:
                        found.append(self._after(before, outcome, before.answered, quiet=False))
        return _distinct(found)

    def _kept(self, said: s.SaidMessage, base: Iterable[Hypothesis]) -> list[Hypothesis]:
        """What may be true if the message answers something that arrived before and was kept until now."""
        found: list[Hypothesis] = []
        for before in base:
            known = list(before.values)
            leaves = sighting(self.stepper, said, self.shift, known, ours=True)
            for kept in self.arrived:
                again = sighting(self.stepper, kept, self.shift, known, ours=False)
                run = Run(self.program, ("message", kept.message), leaves, flags=again.flags)
                for outcome in run.start(before.state, list(known), list(again.slots.items())):
                    if outcome.matched:
                        found.append(self._after(before, outcome, before.answered, quiet=False))
        return _distinct(found)

    def _unseen(self, base: Iterable[Hypothesis]) -> list[Hypothesis]:
        """What may be true after one call, timer or notice that makes the end send nothing."""
        found: list[Hypothesis] = []
        for before in base:
            for key in self.program.rules[before.state]:
                if key[0] == "message":
                    continue
                for outcome in Run(self.program, key).start(before.state, list(before.values)):
                    found.append(self._after(before, outcome, before.answered))
        return _distinct(found)

    def narrowed(self, state: str, values: s.Values) -> list[Hypothesis]:
        """Those that are in this state and allow these values."""
        found = [each for each in self.now if not state or self.program.states[each.state] == state]
        types = {variable.name: variable.type for variable in self.stepper.spec.variables}
        for name, value in self.shift.told(self.stepper.spec, dict(values)).items():
            kept: list[Hypothesis] = []
            for each in found:
                known = each.values[self.slots[name]]
                if known is None or value is None:
                    if known is None and value is None:
                        kept.append(each)
                    continue
                kind = types[name]
                number = kind.words.index(str(value)) if isinstance(kind, Enum) else int(value)
                if known[0] == known[1]:
                    number = v.unwrap(number, known[0])
                met = v.meet(known, (number, number))
                if met is not None:
                    slot = self.slots[name]
                    kept.append(replace(each, values=(*each.values[:slot], met, *each.values[slot + 1 :])))
            found = kept
        return found

    # ------------------------------------------------------------------------------------------------- reports

    def states(self) -> str:
        """Where it may be, in the order of the spec."""
        found = sorted({each.state for each in self.now})
        return ", ".join(self.program.states[state] for state in found)

    def told(self, names: Iterable[str]) -> str:
        """Values of variables under the first hypothesis."""
        told: list[str] = []
        first = next(iter(self.now), None)
        for name in dict.fromkeys(names):
            known = first.values[self.slots[name]] if first is not None else None
            if known is not None and known[0] == known[1]:
                told.append(f"{name} = {known[0] % v.MODULUS}")
        return ", ".join(told)

    def can_send(self, said: s.SaidMessage) -> str:
        """What it sends instead: the answer that it owes, or the messages with these flags that its rules send."""
        owed = next((each.owed for each in self.now if each.owed is not None), None)
        if owed is not None:
            return self._answer(*owed)
        found: dict[str, None] = {}
        names: list[str] = []
        for state in {each.state for each in self.now}:
            for key, rules in self.program.rules[state].items():
                for rule in rules if key[0] != "message" else ():
                    for action in rule.source.actions:
                        if isinstance(action, m.Send) and frozenset(action.flags) == frozenset(said.flags):
                            found[action.text] = None
                            names += [expr.name for _, expr in action.fields if isinstance(expr, m.VarRef)]
        if not found:
            return f"{self.states() or 'nothing'} sends no such message of its own accord"
        shown = [*list(found)[:MOST_SHOWN], *(["..."] if len(found) > MOST_SHOWN else [])]
        return f"{' or '.join(shown)}, with {self.told(names)}"

    def _answer(self, state: int, values: tuple[v.Interval | None, ...], event: str) -> str:
        name = self.program.states[state]
        lowest = [None if each is None else 0 if each[0] <= -v.INFINITY else each[0] for each in values]
        known = [None if low is None else (low, low) for low in lowest]
        try:
            done = self.stepper.step(name, known, event, explain=False)
        except (StepError, ValueError):
            return f"an answer to {event}"
        sent = [text for step in done.outcomes for text in step.sent]
        return f"{' and '.join(sent) or 'an answer'}, in {name}, for {event}"


class TwoEnds:
    """Runs one scenario; ``run`` may be called again with other shifts (of A's numbers and of B's)."""

    def __init__(self, stepper: Stepper, scenario: s.Scenario) -> None:
        self.stepper, self.scenario = stepper, scenario
        self.program = copy.copy(stepper.program)
        self.program.free = []
        self.fields = {each.name: {item.name: item for item in each.fields} for each in stepper.spec.messages}

    def run(self, shift: Shift = NO_SHIFT) -> Failure | None:
        """What fails first, or None."""
        self.shift = shift
        self.ends = {
            letter: End(letter, self.stepper, self.program, self.scenario, moved)
            for letter, moved in (("A", shift), ("B", shift.swapped()))
        }
        for index, line in enumerate(self.scenario.lines):
            failure = self._line(index, line)
            if failure is not None:
                return failure
        return None

    def _fail(self, line: s.Line, end: End, expected: str, actual: str) -> Failure:
        return Failure(line, expected, actual, end.states(), end.letter, self.shift)

    def _line(self, index: int, line: s.Line) -> Failure | None:
        if isinstance(line, s.StatesLine):
            return self._in(line, "A", line.left) or self._in(line, "B", line.right)
        if isinstance(line, s.MessageLine):
            return self._message(index, line)
        if isinstance(line, s.EventLine):
            return self._event(index, line)
        if isinstance(line, s.CheckLine):
            return self._in(line, line.end, line.state, line.values)
        if isinstance(line, s.ChooseLine):
            self.ends[line.end].fixed.update(line.values)
        if isinstance(line, s.SentLine):
            end = self.ends[line.end]
            quiet = [each for each in end.now if each.quiet]
            if not quiet:
                return self._fail(line, end, "> nothing", "it sends something")
            end.now = quiet
        if isinstance(line, s.SignalLine):
            end = self.ends[line.end]
            heard = [each for each in end.now if (line.words in each.signals if line.words else not each.signals)]
            if not heard:
                told = sorted({text for each in end.now for text in each.signals})
                return self._fail(line, end, line.text, ", ".join(f'signal "{text}"' for text in told) or "no signal")
            end.now = heard
        return None

    def _in(self, line: s.Line, letter: str, state: str, values: s.Values = ()) -> Failure | None:
        end = self.ends[letter]
        found = end.narrowed(state, values)
        if not found:
            wanted = ", ".join([*([state] if state else []), *(f"{name} = {value}" for name, value in values)])
            told = end.told(name for name, _ in values)
            return self._fail(
                line, end, f"{letter}: {wanted}", f"{letter}: {end.states()}" + (f", {told}" * bool(told))
            )
        end.now = found
        return None

    def _message(self, index: int, line: s.MessageLine) -> Failure | None:
        sender = self.ends[line.sender]
        receiver = self.ends["B" if line.sender == "A" else "A"]
        if line.sent:
            after = sender.leaves(index, line.message)
            if not after:
                return self._fail(line, sender, line.message.text, sender.can_send(line.message))
            sender.now = after
        if line.arrives:
            key = ("message", line.message.message)
            receiver.now = receiver.happens(index, key, line.message, line.message.text)
            receiver.arrived.append(line.message)
        return self._in(line, "A", line.left) or self._in(line, "B", line.right)

    def _event(self, index: int, line: s.EventLine) -> Failure | None:
        end = self.ends[line.end]
        after: list[Hypothesis] = []
        for key in self._keys(end, line):
            after += end.happens(index, key, None, line.said)
        if line.event.kind == "own":
            after = [each for each in after if each.state >= 0]
        if not after:
            return self._fail(line, end, line.said, "it is not possible now")
        end.now = _distinct(after)
        if end.fixed:
            fixed, end.fixed = tuple(end.fixed.items()), {}
            names = [name for name, _ in fixed if name not in end.slots]
            if names:
                return self._fail(line, end, line.text, f"what is chosen for {names[0]} is told by the message sent")
            failure = self._in(line, line.end, "", fixed)
            if failure is not None:
                return failure
        return self._in(line, line.end, line.state, line.values)

    def _keys(self, end: End, line: s.EventLine) -> list[EventKey]:
        if line.event.kind != "own":
            return [(line.event.kind, line.event.name)]
        keys: dict[EventKey, None] = {}
        for each in end.now:
            for key, rules in end.program.rules[each.state].items():
                if key[0] == "own" and (not line.rule or rules[0].source.id == line.rule):
                    keys[key] = None
        return list(keys)


def _distinct(found: Iterable[Hypothesis]) -> list[Hypothesis]:
    """Each once, in order."""
    return list(dict.fromkeys(found))[:MOST_HYPOTHESES]
