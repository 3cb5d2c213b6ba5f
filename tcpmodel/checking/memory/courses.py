"""How packets of one kind are explained, and what is assumed of the capture when another one comes.

Owns: noting it while a packet is taken on recorded numbers, and doing the same for a packet that is taken by memory.
Must never hold: when something has to be assumed, or what follows from it (see ``assumed``).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from tcpmodel.checking.ends.endpoint import Endpoint, Explanation
from tcpmodel.checking.ends.gaps import Place
from tcpmodel.checking.ends.sightings import Interpreter
from tcpmodel.checking.faults.assumed import Assumed, Event, Said, Supposed
from tcpmodel.checking.memory.forms import Form
from tcpmodel.semantics.recording import Number
from tcpmodel.semantics.values import Interval

_OWN = (Explanation.BEHAVIOUR, Explanation.LATE)
"""Explanations that come before any that asks how else the packet could have come here."""


class Course(NamedTuple):
    """``how`` a packet was explained; ``doubtful``: that held only if something was assumed of its sender, or not.

    The numbers that go with it are the number behind all that the sender used, then the numbers of the packet if it is
    ``numbered``, then those that were ``skipped``. ``said``: what was assumed beside that.
    """

    how: Explanation
    doubtful: bool | None
    numbered: bool = False
    skipped: bool = False
    said: tuple[str, ...] = ()

    @property
    def plain(self) -> bool:
        """Is it explained whatever came before this connection, and is nothing assumed?"""
        return self.how in _OWN and not self.said and not self.skipped

    def kept(self) -> tuple[object, ...]:
        """The same as plain values."""
        return (self.how.name, *self[1:])

    @classmethod
    def again(cls, kept: Sequence[Any]) -> Course:
        """The one of which ``kept`` was given."""
        return cls(Explanation[kept[0]], *kept[1:])

    def applies(self, assumed: Assumed, side: int) -> bool:
        """May a packet of this side be taken so?"""
        return self.doubtful is None or self.doubtful is assumed.doubtful(side)

    def follow(
        self,
        numbers: Sequence[int],
        assumed: Assumed,
        side: int,
        place: Place,
        said: Said,
        before: Callable[[], Endpoint],
        addresses: tuple[str, str],
    ) -> None:
        """Assume what is to be assumed, in the order in which ``connection`` does it."""
        left = iter(numbers[1:])
        numbered = (next(left), next(left)) if self.numbered else None
        if self.skipped:
            assumed.skipped(side, addresses[side], place, next(left), next(left))
        for each in self.said:
            if each == Supposed.UNSEEN:
                assumed.unseen(side, place, said, before)
            else:
                assumed.answered(addresses[side], place)
        assumed.seen(side, numbered)
        assumed.event(Event(side, said, numbers[0]), addresses)


def noted(how: Explanation, assumed: Supposed, numbered: Interval | None) -> tuple[Course, list[Number | int]]:
    """What was noted, and its numbers."""
    numbers = [assumed.top, *(numbered or ()), *(assumed.skip or ())]
    doubtful = assumed.supposed if assumed.asked else None
    return Course(how, doubtful, numbered is not None, assumed.skip is not None, tuple(assumed.said)), numbers


def seen(interpreter: Interpreter, assumed: Assumed, side: int, form: Form, given: Sequence[int]) -> None:
    """Note that a packet of this form with these numbers was taken, which may have been missing until now."""
    assumed.seen(side, interpreter.numbered(form.message(interpreter, given)))
