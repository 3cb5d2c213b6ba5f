"""Which rules could have sent a message that nothing explains, and what was in the way of each.

Owns: running the rules of the likeliest configurations once more with a record of every guard, and comparing what they
would have sent with what was seen, field by field.
Must never hold: the name or the verdict of a finding (see ``diagnosis``), or anything of a protocol.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from tcpmodel.checking.ends.configurations import Configuration, Reception
from tcpmodel.checking.ends.endpoint import Endpoint
from tcpmodel.checking.ends.sightings import Interpreter
from tcpmodel.checking.outcome.findings import Candidate, Compared
from tcpmodel.model.types import Seq
from tcpmodel.semantics import values as v
from tcpmodel.semantics.execution import Outcome, Run, Sighting
from tcpmodel.semantics.program import CompiledChoose, CompiledRule, CompiledSend, EventKey
from tcpmodel.semantics.reasons import failing, reasons, shown
from tcpmodel.semantics.values import FALSE

MOST_CANDIDATES = 24
"""How many rules a finding lists."""

MOST_ALLOWED = 4
"""How many alternatives a finding lists."""

Sent = tuple[CompiledSend, tuple["v.Interval | None", ...]]


@dataclass(frozen=True, slots=True)
class Answer:
    """``allowed``: what would have been sent instead, the nearest first, each as one line. ``compared``: the nearest of
    them beside what was seen. ``elsewhere``: if no likely state sends such a message, the states that do."""

    allowed: tuple[str, ...]
    compared: tuple[Compared, ...]
    candidates: tuple[Candidate, ...]
    elsewhere: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Offer:
    """A message that a rule would send. ``off``: how much of it differs from what was seen."""

    rule: CompiledRule
    state: int
    text: str
    fields: tuple[Compared, ...]
    off: tuple[int, int, int]


def answer(endpoint: Endpoint, likely: list[Configuration], sighting: Sighting, interpreter: Interpreter) -> Answer:
    """What the likeliest configurations would have sent instead of the message, and why not the message itself."""
    return _Search(endpoint, likely, sighting, interpreter).answer()


class _Search:
    def __init__(
        self, endpoint: Endpoint, likely: list[Configuration], sighting: Sighting, interpreter: Interpreter
    ) -> None:
        self.program = endpoint.program
        self.senders = endpoint.abilities.senders
        self.receptions = endpoint.receptions()
        self.likely = likely
        self.sighting = sighting
        self.wanted = (sighting.message, sighting.flags)
        message = interpreter.message
        layout = self.program.layout
        self.fields = {layout.fields[message.name, item.name]: item for item in message.fields}
        self.interpreter = interpreter
        self.candidates: dict[tuple[str, int], tuple[tuple[int, ...], Candidate]] = {}
        self.offers: dict[str, _Offer] = {}

    def answer(self) -> Answer:
        for configuration in self.likely:
            for reception in self._events(configuration, {self.wanted}):
                self._look(configuration, reception)
        usual = [offer for offer in self.offers.values() if not offer.rule.unusual]
        if not usual:
            for configuration in self.likely:
                others = {what for what in self.senders[configuration.state] if what != self.wanted}
                for reception in self._events(configuration, others):
                    if reception.event[0] != "message":
                        self._look(configuration, reception, others=True)
            usual = [offer for offer in self.offers.values() if not offer.rule.unusual]
        usual.sort(key=lambda offer: offer.off)
        allowed = tuple(f"{o.text}  {_occasion(o.rule)} {_cited(o.rule)}".rstrip() for o in usual[:MOST_ALLOWED])
        ordered = [found for _, found in sorted(self.candidates.values(), key=lambda pair: pair[0])]
        elsewhere: tuple[str, ...] = ()
        if not any(self.wanted in self.senders[configuration.state] for configuration in self.likely):
            states = zip(self.program.states, self.senders, strict=True)
            elsewhere = tuple(name for name, senders in states if self.wanted in senders)
        return Answer(allowed, usual[0].fields if usual else (), tuple(ordered[:MOST_CANDIDATES]), elsewhere)

    def _events(self, configuration: Configuration, wanted: Iterable[tuple[str, int]]) -> Iterator[Reception]:
        senders = self.senders[configuration.state]
        events: dict[EventKey, None] = {}
        for what in sorted(wanted):
            events.update(dict.fromkeys(senders.get(what, ())))
        for event in events:
            if event[0] != "message":
                yield Reception(event, None, ())
        yield from (reception for reception in self.receptions if reception.event in events)

    # ------------------------------------------------------------------------------------------------- one event

    def _look(self, configuration: Configuration, what: Reception, *, others: bool = False) -> None:
        run = Run(self.program, what.event, unseen=True, trace=True, flags=what.flags)
        outcomes = run.start(configuration.state, configuration.values, what.slots)
        for outcome in outcomes:
            for sent in outcome.sent:
                if others or (sent[0].message, sent[0].flags) == self.wanted:
                    self._offer(outcome, sent, run, others, answers=what.event[0] == "message")
        if others:
            return
        for rule, given, environment in run.tried:
            if given == FALSE and rule.source.guard is not None and self._sends(rule):
                part = failing(self.program, rule.source.guard, environment)
                told = reasons(self.program, part, environment)
                self._add(rule, (2, rule.unusual, len(self.candidates)), "guard", part.text, told, "", ())

    def _sends(self, rule: CompiledRule) -> bool:
        return any(isinstance(a, CompiledSend) and (a.message, a.flags) == self.wanted for a in rule.actions)

    def _offer(self, outcome: Outcome, sent: Sent, run: Run, others: bool, *, answers: bool) -> None:
        action = sent[0]
        rule = next((rule for rule in outcome.rules if any(a is action for a in rule.actions)), outcome.rules[-1])
        text = self._template(sent)
        fields = self._compared(sent, others)
        differing = [each for each in fields if not each.agrees]
        farthest = max((abs(each.off) for each in differing if each.off is not None), default=0)
        off = (int(answers), len(differing), farthest)
        if not outcome.cost:
            known = self.offers.get(text)
            if known is None or off < known.off:
                state = self.program.states.index(rule.source.state)
                self.offers[text] = _Offer(rule, state, text, fields, off)
        if others:
            return
        condition = ""
        told: tuple[tuple[str, str], ...] = ()
        if not differing and action.where is not None and action.source.where is not None:
            condition, told = self._where(action, rule, run)
        rank = (0 if differing else 1, rule.unusual, *off)
        self._add(rule, rank, "where" if condition else "message", condition, told, text, tuple(differing))

    def _where(self, action: CompiledSend, rule: CompiledRule, run: Run) -> tuple[str, tuple[tuple[str, str], ...]]:
        """Each field can be what it is, but not all together: what the condition says of the values seen."""
        where = action.source.where
        environment = next((e.copy() for tried, _, e in run.tried if tried is rule), None)
        if where is None or environment is None:
            return "", ()
        for each in rule.actions:
            if isinstance(each, CompiledChoose):
                environment[each.slot] = each.full
        for slot, value, raw in action.fields:
            known = self.sighting.slots[slot]
            if raw is None and known is not None:
                value.narrow(environment, *known)
        part = failing(self.program, where, environment)
        return part.text, reasons(self.program, part, environment)

    def _add(
        self,
        rule: CompiledRule,
        rank: tuple[int, ...],
        problem: str,
        condition: str,
        told: tuple[tuple[str, str], ...],
        text: str,
        differing: tuple[Compared, ...],
    ) -> None:
        source = rule.source
        key = (source.id, self.program.states.index(source.state))
        if key in self.candidates and self.candidates[key][0] <= rank:
            return
        cites = tuple(str(cite) for cite in source.cites)
        found = Candidate(source.id, source.state, _occasion(rule), problem, condition, told, text, differing, cites)
        self.candidates[key] = (rank, found)

    # -------------------------------------------------------------------------------------------- field by field

    def _compared(self, sent: Sent, others: bool) -> tuple[Compared, ...]:
        action, known = sent
        found: list[Compared] = []
        for (slot, _, raw), expected in zip(action.fields, known, strict=True):
            item = self.fields[slot]
            actual = self.sighting.slots.get(slot)
            needed = self.interpreter.program.flag_bits[action.message].get(item.only_with or "", 0)
            if actual is None or actual[0] != actual[1] or (needed and not self.sighting.flags & needed):
                continue
            off = 0
            if raw is not None:
                off = self.sighting.raw.get(slot, raw) - raw
            elif expected is not None:
                off = max(actual[0] - expected[1], 0) or min(actual[0] - expected[0], 0)
            if item.default is not None and not off and actual[0] == item.default:
                continue
            told = str(raw) if raw is not None else shown(item.type, expected)
            found.append(Compared(item.name, told, shown(item.type, actual), not off, off if not others else None))
        if self.sighting.flags != action.flags and self.interpreter.message.flags:
            names = self.program.flag_bits[action.message]
            seen = ",".join(name for name, bit in names.items() if self.sighting.flags & bit)
            place = sum(1 for each in found if isinstance(self._type_of(each.name), Seq))
            found.insert(place, Compared("CTL", ",".join(action.source.flags) or "none", seen or "none", False, None))
        return tuple(found)

    def _type_of(self, name: str) -> object:
        return next(item.type for item in self.fields.values() if item.name == name)

    def _template(self, sent: Sent) -> str:
        action, known = sent
        parts: list[str] = []
        for (slot, _, raw), value in zip(action.fields, known, strict=True):
            item = self.fields[slot]
            if item.default is not None and value == (item.default, item.default):
                continue
            parts.append(f"<{item.name}={raw if raw is not None else shown(item.type, value)}>")
        if action.source.flags:
            numbers = sum(1 for slot, _, _ in action.fields if isinstance(self.fields[slot].type, Seq))
            parts.insert(numbers, f"<CTL={','.join(action.source.flags)}>")
        return "".join(parts)


def _occasion(rule: CompiledRule) -> str:
    """When the rule fires, in the words of the spec."""
    event = rule.source.event
    return "at any time" if event.kind == "own" else f"on {event}"


def _cited(rule: CompiledRule) -> str:
    cites = ", ".join(str(cite) for cite in rule.source.cites)
    return f"[{cites}]" if cites else ""
