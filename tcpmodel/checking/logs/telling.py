"""What the lines of a log say of the way of one endpoint: states that it reached, events that it met, signals.

Owns: turning the records of one socket into a ``Log``, by what the spec declares of their source.
Must never hold: the words of a source or what it hides: those stand in the spec. Nor how a log is followed (see
``logged``).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from tcpmodel.checking.ends.configurations import Abilities
from tcpmodel.checking.logs.eventwords import known_words
from tcpmodel.checking.logs.logged import Entry, Log, Meaning, States
from tcpmodel.checking.logs.state_words import Words
from tcpmodel.model import spec as m
from tcpmodel.traces.records import Event, StateRecord

Line = StateRecord | Event


class Teller:
    """Reads the logs of one source. ``abilities`` are of the program that follows them."""

    def __init__(self, abilities: Abilities, source: m.Source) -> None:
        self.abilities = abilities
        self.source = source
        program = abilities.program
        self.initial = program.initial
        self.index = {name: number for number, name in enumerate(program.states)}
        self.state_of = Words(source, program.states).state
        self.reads = {(old, new): states for old, new, states in source.reads}
        self.hidden = frozenset(self.index[name] for name in source.hides)
        self.resting = frozenset(at for at, rests in enumerate(abilities.resting) if rests)
        self.events, self.signals = known_words(program.spec)
        self.tells = dict(source.tells)

    def meanings(self, event: Event) -> tuple[Meaning, ...] | None:
        """What the word of an event may stand for; None if nobody said, and the spec has no event of that name."""
        word = event.name.upper()
        readings = self.tells.get(word)
        if readings is not None:
            return tuple(
                Meaning(
                    reading.event,
                    reading.signal,
                    frozenset(self.index[name] for name in reading.states) if reading.states else None,
                )
                for reading in readings
            )
        if event.kind == "signal":
            text = self.signals.get(word)
            return (Meaning(signal=text),) if text is not None else None
        key = self.events.get((event.kind, word))
        return (Meaning(event=key),) if key is not None else None

    def log(self, lines: Sequence[Line]) -> Log | None:
        """The lines as a log; None if they are of more than one life, or do not follow each other."""
        story = _Story(self)
        for line in lines:
            if isinstance(line, Event):
                story.event(line)
            elif not story.state(line):
                return None
        return story.log()


class _Story:
    """The entries of one log so far. ``meant``: where the end is after the last change; None before the first."""

    def __init__(self, teller: Teller) -> None:
        self.teller = teller
        self.entries: list[Entry] = []
        self.before: States | None = None
        self.meant: States | None = None
        self.told_all = teller.source.shows_calls
        self.over = False

    def event(self, line: Event) -> None:
        meanings = self.teller.meanings(line)
        if meanings is None:
            # It may be anything, even a call.
            self.told_all = self.told_all and line.kind != "call"
            return
        if Meaning() in meanings and not self.teller.source.shows_calls:
            return  # it may stand for nothing, so nothing follows from it
        then = self.entries[-1].then if self.entries else None
        entry = Entry(line.number, line.time, f"{line.kind} {line.name}", meanings, then, line.kind)
        if self._repeated(entry):
            self.entries.pop()
        self.entries.append(entry)

    def _repeated(self, entry: Entry) -> bool:
        """Do the last two entries say what this one says? Then the first and the last of many say as much as all."""
        if self.teller.source.shows_calls or len(self.entries) < 2:
            return False
        alike = (entry.words, entry.meanings, entry.then, entry.kind)
        return all((one.words, one.meanings, one.then, one.kind) == alike for one in self.entries[-2:])

    def state(self, line: StateRecord) -> bool:
        """Take a change of state or a sample; False if the log is not to be used."""
        teller = self.teller
        if not line.old:
            return self._sample(line)
        old, new = teller.state_of(line.old), teller.state_of(line.new)
        if old is None or new is None or (self.over and old != new):
            return False
        if old == new and teller.source.self_records:
            return True
        index = teller.index
        states = frozenset(index[name] for name in teller.reads.get((old, new), (new,)))
        if self.meant is None:
            self._first(old, new)
        elif index[old] not in self.meant:
            return False
        self.entries.append(
            Entry(line.number, line.time, f"{old} -> {new}", (Meaning(states=states),), states | teller.hidden)
        )
        self.meant = states
        self.over = index[new] == teller.initial
        return True

    def _first(self, old: str, new: str) -> None:
        teller = self.teller
        if (old, new) in teller.source.births:
            self.before = teller.hidden | {teller.initial, teller.index[old], teller.index[new]}
        elif teller.index[old] == teller.initial:
            self.before = teller.hidden | {teller.index[old]}
        else:
            return
        if all(entry.kind for entry in self.entries):
            self.entries = [replace(entry, then=self.before) for entry in self.entries]

    def _sample(self, line: StateRecord) -> bool:
        teller = self.teller
        name = teller.state_of(line.new)
        if line.new and name is None:
            return False
        if name is not None:
            states = frozenset({teller.index[name]})
        else:
            states = frozenset(teller.index[each] for each in teller.source.absent) or frozenset({teller.initial})
        if teller.source.samples and self.entries and self.entries[-1].meanings == (Meaning(states=states),):
            return True  # nothing new, and listings are long
        then = self.entries[-1].then if self.entries and self.meant is not None else None
        if then is not None and not states <= then:
            then = None
        words = f"in {name}" if name else "not there"
        self.entries.append(Entry(line.number, line.time, words, (Meaning(states=states),), then))
        return True

    def log(self) -> Log | None:
        if not self.entries:
            return None
        # The log may have ended before the endpoint did; one that has come to rest may rest elsewhere.
        last = len(self.entries)
        while last and self.entries[last - 1].kind:
            last -= 1
        if self.meant is not None:
            for at in range(max(last - 1, 0), len(self.entries)):
                then = self.entries[at].then
                rest = then | self.teller.resting if self.over and then is not None else None
                self.entries[at] = replace(self.entries[at], then=rest)
        return Log(tuple(self.entries), self.before, self.told_all)
