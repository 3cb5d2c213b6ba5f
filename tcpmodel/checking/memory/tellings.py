"""What is said of packets that break a rule, as text with places for numbers.

So a packet of a kind that is known need not be judged again to be told.

Owns: finding that text once for each way in which such packets are taken, and which numbers belong into it.
Must never hold: when a rule is broken, or what is said of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple

from tcpmodel.checking.ends.observer import Observer
from tcpmodel.checking.ends.sightings import Numbers
from tcpmodel.checking.memory.compiled import Way
from tcpmodel.checking.memory.decisions import chain_of
from tcpmodel.checking.memory.forms import Form, Near
from tcpmodel.checking.memory.kinds import Kind
from tcpmodel.checking.memory.plans import plan_of
from tcpmodel.checking.outcome.findings import Diagnostic
from tcpmodel.checking.outcome.patterns import A, B, with_numbers
from tcpmodel.semantics.recording import Number, Recorder, Unrecordable
from tcpmodel.traces.records import Packet

if TYPE_CHECKING:
    from tcpmodel.checking.memory.watchmemo import Known, Values, WatchMemo

MOST_NUMBERS = 16
"""A text with more numbers is not kept."""

TOLD = ("violation",)
"""Findings of these severities are told by who follows a connection: others may depend on them."""


class Told(NamedTuple):
    """A finding: which text, number and time of its packet, and the numbers in the text."""

    text: int
    place: int
    time: int
    numbers: Sequence[int]


class Tellings:
    """The texts of one judge. Of each finding, ``A`` and ``B`` stand for the addresses of both ends."""

    def __init__(self, watch: WatchMemo) -> None:
        self._watch = watch
        self._texts: list[Diagnostic] = []
        self._plans: dict[int, tuple[Way, Any]] = {}
        watch.teach = self.learn

    def of(self, way: Way) -> Any:
        """What the compiled lane has to know to tell of a packet of this way: the number of the text and the plan that
        gives its numbers; None if there is nothing to tell, False if that is not known."""
        if not way.about:
            return None
        if way.aside is None:
            return False
        known = self._plans.get(id(way))
        if known is None or known[0] is not way:
            part = way.aside.part()
            words = plan_of(chain_of([part]), [part], 0)
            plan = (None, None, words, 0, 0, 0, way.aside.own, (None,))
            known = self._plans[id(way)] = (way, (len(self._texts), plan) if words else False)
            self._texts.append(way.aside.target)
        return known[1]

    def finding(self, told: Told, a: str, b: str) -> Diagnostic:
        """What is told of a packet of a connection between these ends."""
        return with_numbers(self._texts[told.text], a, b, told.place, told.time, told.numbers)

    def text(self, number: int) -> Diagnostic:
        """The finding of this number, with places for its numbers and ends."""
        return replace(self._texts[number])

    def learn(
        self,
        known: Known,
        numbers: Values,
        inputs: Values,
        way: Way,
        kind: Kind,
        packet: Packet,
        side: int,
        near: Near,
        form: Form,
    ) -> None:
        """A packet was taken in a way of which something is told; ``numbers`` are the notes as they were before."""
        if way.aside is not None or None in near or packet.time is None or packet.at:
            return
        values = [*numbers, *inputs, 0, 0]  # at last, the first numbers of both ends

        def said(recorded: list[Any]) -> Diagnostic | None:
            watch = self._watch
            trial = Observer(watch.program)
            seen, sighting, places = watch.placed(trial, known, recorded[:-2], len(numbers), packet, near, form)
            found = trial.told_of(way.about, seen, sighting, side, places)
            if len(found) != 1 or found[0].severity in TOLD:
                return None
            of = Numbers()
            of.first = recorded[-2:]
            found[0].endpoint = (A, B)[side]
            found[0].observed = watch.interpreter.write(sighting)
            found[0].relative = watch.interpreter.relative(sighting, side, of)
            return found[0]

        try:
            recorder = Recorder(values)
            recorder.shown = []
            text = said([recorder.number(index) for index in range(len(values))])
        except (Unrecordable, TypeError):  # a number in a form of its own is not followed
            return
        plain = said(values)
        if text is None or plain is None or len(recorder.shown) > MOST_NUMBERS:
            return
        worth = [recorder.values[base] for base in recorder.shown]
        if with_numbers(text, A, B, 0, None, worth) != plain:
            return
        way.aside = Way.of(recorder, text, [Number(recorder, base, 0) for base in recorder.shown], len(values))
        kind.renew()
