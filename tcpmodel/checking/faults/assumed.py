"""What is assumed of a capture that shows one connection: packets that it lost, and answers to what it does not show.

Owns: which assumptions are open, what came after each of them, when one stands, and what is told of it then.
Must never hold: when something has to be assumed, how it is refuted (see ``connection``), or anything of a protocol.

Nothing in it decides how a packet is explained but ``doubtful`` and ``refutable``: what else an explanation asks of it
has to be part of what ``memo`` remembers.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from tcpmodel.checking.ends.endpoint import Endpoint
from tcpmodel.checking.ends.gaps import Gaps, Place
from tcpmodel.checking.outcome.findings import Diagnostic
from tcpmodel.semantics.execution import Sighting
from tcpmodel.semantics.recording import Unrecordable
from tcpmodel.semantics.values import INFINITY, Interval

REMEMBERED = 48
"""How many later events can refute that packets were lost; then the assumption stands."""

ASSUMPTIONS = 4
"""How many such assumptions are kept open for one endpoint."""

GAPS = 32
"""How many gaps of one endpoint wait for what may come late; then those seen first are given up."""

Said = Callable[[], Sighting]
"""Gives a message, once it is asked for."""


@dataclass(slots=True)
class Event:
    """A packet that ``side`` sent: what it says, and the number after the last that its sender has used."""

    side: int
    said: Said
    top: int


class Assumption:
    """ "It received something that was not seen", and all that is needed to take it back.

    ``before`` gives the endpoint as it was, never to be changed; ``since``: how many events came before this one.
    """

    __slots__ = ("_before", "_looked", "_said", "_swapped", "place", "since")

    def __init__(self, place: Place, said: Said, before: Callable[[], Endpoint], since: int) -> None:
        self.place = place
        self._said = said
        self._before = before
        self.since = self._looked = since
        self._swapped = False

    @property
    def sighting(self) -> Sighting:
        """The message that made it necessary."""
        return self._said()

    @property
    def before(self) -> Endpoint:
        """The end as it was before that message."""
        return self._before()

    def explained_by(self, sighting: Sighting) -> bool:
        """Is nothing to be assumed if the end had received this message before? From now on it has."""
        received = self.before.copy()
        received.receive(sighting)
        self._before = lambda: received
        return bool(received.by_behaviour(self.sighting))

    def swapped(self, side: int, later: Sequence[Event]) -> bool:
        """Does what the end received later explain the message? Then no packet was lost, two were swapped."""
        if self._swapped:
            return True
        fresh = later[self._looked - self.since :]
        self._looked = self.since + len(later)
        if any(event.side != side for event in fresh):
            trial = self.before.copy()
            for event in later:
                if event.side != side:
                    trial.receive(event.said(), event.top)
            self._swapped = bool(trial.by_behaviour(self.sighting))
        return self._swapped


class Assumed:
    """What is assumed of both ends. ``lost`` counts what is missing for certain; ``told`` takes what is said of it."""

    __slots__ = ("_before", "_events", "_in_lines", "_told", "gaps", "lost", "open")

    def __init__(self, in_lines: bool, told: Callable[[Diagnostic], None]) -> None:
        self.lost = 0
        self.gaps = (Gaps(), Gaps())
        self.open: tuple[list[Assumption], list[Assumption]] = ([], [])
        self._in_lines = in_lines
        self._told = told
        self._events: list[Event] = []
        self._before = 0

    def watching(self) -> bool:
        """Is any assumption open?"""
        return bool(self.open[0] or self.open[1])

    def busy(self) -> bool:
        """Does it need to know of further packets?"""
        one, other = self.open
        mine, theirs = self.gaps
        return bool(one or other or mine.open or theirs.open)

    def doubtful(self, side: int) -> bool:
        """Is something assumed of what this side received?"""
        return bool(self.open[side])

    def lossless(self) -> bool:
        """Does nothing show that packets are missing?"""
        if self.lost or self.gaps[0] or self.gaps[1]:
            return False
        return all(each.swapped(side, self.later(each)) for side in (0, 1) for each in self.open[side])

    def later(self, assumption: Assumption) -> list[Event]:
        """What came after it."""
        return self._events[assumption.since - self._before :]

    def refutable(self, side: int) -> list[Assumption]:
        """Those that another message of this side may refute, the oldest first."""
        return self.open[side]

    # --------------------------------------------------------------------------------------------------- assuming

    def skipped(self, side: int, address: str, place: Place, low: int, high: int) -> None:
        """Numbers of this side, [low, high), were not seen."""
        self.gaps[side].note(place, low, high)
        self._close(side, address, GAPS)

    def unseen(self, side: int, place: Place, said: Said, before: Callable[[], Endpoint]) -> None:
        """This side received something that was not seen."""
        if len(self.open[side]) >= ASSUMPTIONS:
            self.lost += 1
        else:
            self.open[side].append(Assumption(place, said, before, self._before + len(self._events) + 1))

    def answered(self, address: str, place: Place) -> None:
        """The end there answers for certain what was not seen."""
        self.lost += 1
        self._tell("CAP-006", address, place, f"{address} answers a packet that the capture does not show")

    def seen(self, side: int, numbered: Interval | None) -> None:
        """A message of this side was explained, which may have these numbers."""
        if numbered is not None and self.gaps[side]:
            self.gaps[side].fill(*numbered)

    def event(self, event: Event, addresses: tuple[str, str]) -> None:
        """A packet was taken; what is assumed longest may stand by now."""
        if not self.watching():
            return
        self._events.append(event)
        for side in (0, 1):
            kept = self.open[side]
            while kept and self._before + len(self._events) - kept[0].since > REMEMBERED:
                self._stands(kept.pop(0), side, addresses[side])
        self._forget()

    def settle(self, addresses: tuple[str, str]) -> None:
        """Nothing more is to come: all that is assumed stands."""
        for side in (0, 1):
            for assumption in self.open[side]:
                self._stands(assumption, side, addresses[side])
            self.open[side].clear()
            self._close(side, addresses[side], 0)
        self._forget()

    def _close(self, side: int, address: str, left: int) -> None:
        found = self.gaps[side].findings(address, self._in_lines, left)
        self.lost += len(found)
        for each in found:
            self._told(each)

    def _forget(self) -> None:
        oldest = min([kept[0].since for kept in self.open if kept], default=None)
        end = self._before + len(self._events)
        start = end if oldest is None else min(oldest, end)
        if start > self._before:
            del self._events[: start - self._before]
            self._before = start

    def _stands(self, assumption: Assumption, side: int, address: str) -> None:
        if assumption.swapped(side, self.later(assumption)):
            words = "packets were captured in another order than they were received"
            self._tell("CAP-009", address, assumption.place, words)
        else:
            self.answered(address, assumption.place)

    def _tell(self, code: str, address: str, place: Place, words: str) -> None:
        self._told(Diagnostic(code, "capture", address, place.number, self._in_lines, words, (), place.time))


class Supposed(Assumed):
    """Stands for what is assumed of a connection while one packet is taken on recorded numbers.

    ``asked``: did it matter whether something is assumed of its sender? ``skip`` and ``said``: what was assumed then;
    ``top`` is that of its event.
    """

    __slots__ = ("asked", "said", "skip", "supposed", "top")

    UNSEEN = "unseen"
    ANSWERED = "answered"

    def __init__(self, doubtful: bool) -> None:
        super().__init__(False, lambda _found: None)
        self.supposed = doubtful
        self.asked = False
        self.said: list[str] = []
        self.skip: Interval | None = None
        self.top = INFINITY

    def doubtful(self, side: int) -> bool:
        """As was given."""
        self.asked = True
        return self.supposed

    def refutable(self, side: int) -> list[Assumption]:
        """None of those that are open can be asked here."""
        if self.doubtful(side):
            raise Unrecordable
        return []

    def skipped(self, side: int, address: str, place: Place, low: int, high: int) -> None:
        """Note it."""
        self.skip = (low, high)

    def unseen(self, side: int, place: Place, said: Said, before: Callable[[], Endpoint]) -> None:
        """Note it."""
        self.said.append(self.UNSEEN)

    def answered(self, address: str, place: Place) -> None:
        """Note it."""
        self.said.append(self.ANSWERED)

    def event(self, event: Event, addresses: tuple[str, str]) -> None:
        """Note it."""
        self.top = event.top
