"""How long connections are followed that make no sense.

Owns: counting messages that nothing explains, and when there were enough of them.
Must never hold: when a message has no explanation, or what is reported of it.

To find that nothing explains a message takes long, since everything has to be tried. So a connection is followed no
further after some of them. Those of the connection before between the same addresses count too, if they were many of
its messages; and in a capture that is full of them, a single one is enough, and is not even looked into.
"""

from __future__ import annotations

ENOUGH = 32
"""After so many messages that nothing explains, a connection is followed no further."""

SENSIBLE = 8
"""A connection with so many messages for each that nothing explains begins anew without blame."""

SPENT = 256
"""So many of one capture at least make it one without sense, ..."""

SHARE = 4
"""... if they are one in so many of its messages."""


RECOVERED = 16
"""Once one in so many only is without explanation, an input makes sense again."""


class LeftAlone(Exception):
    """A message is not looked into, since too many others make no sense."""


class Patience:
    """For one input: how many of its messages nothing explains. ``lost``: so from the beginning."""

    __slots__ = ("_lost", "unexplained")

    def __init__(self, *, lost: bool = False) -> None:
        self.unexplained = 0
        self._lost = lost

    def lost(self, place: int) -> bool:
        """Does the input make no sense? ``place``: how many messages there were."""
        return self._lost and self.unexplained * RECOVERED >= place

    def add(self, place: int) -> None:
        """Count a message that nothing explains."""
        lost = self.lost(place)
        self.unexplained += 1
        self._lost = lost or self.unexplained > max(SPENT, place // SHARE)


class Trouble:
    """For one connection: how many of its messages nothing explains, and of those between its ends ``before``."""

    __slots__ = ("_patience", "before", "unexplained")

    def __init__(self, patience: Patience, before: int = 0, unexplained: int = 0) -> None:
        self._patience = patience
        self.before = before
        self.unexplained = unexplained

    def again(self, packets: int) -> Trouble:
        """That of the next connection between the same ends, when this one had so many messages."""
        sensible = packets >= SENSIBLE * (self.unexplained + 1)
        return Trouble(self._patience, 0 if sensible else self.before + self.unexplained)

    def add(self, place: int) -> bool:
        """Count a message that nothing explains, the ``place``-th; True if those are enough."""
        self.unexplained += 1
        self._patience.add(place)
        return self.before + self.unexplained >= (1 if self.lost(place) else ENOUGH)

    def lost(self, place: int) -> bool:
        """Is the input one in which a message that is no plain behaviour is worth no search, at the ``place``-th?"""
        return self._patience.lost(place)

    def words(self) -> str:
        """Why the connection is followed no further."""
        if self.before + self.unexplained < ENOUGH:
            return "nothing explains very many of all messages in this input"
        more = f", and {self.before} of those before between its ends" if self.before else ""
        return f"nothing explains {self.unexplained} of its messages{more}"
