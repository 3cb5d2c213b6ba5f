"""How long connections are followed that make no sense.

Owns: counting messages that nothing explains, and when there were enough of them.
Must never hold: when a message has no explanation, or what is reported of it.

To find that nothing explains a message takes long, since everything has to be tried. So a connection is followed no
further after some of them. Those of the connection before between the same addresses count too, if they were many of
its messages; and in a capture that is full of them, a single one is enough.
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


class Patience:
    """For one input: how many of its messages nothing explains."""

    __slots__ = ("unexplained",)

    def __init__(self) -> None:
        self.unexplained = 0

    def most(self, place: int) -> int:
        """So many may be in one connection. ``place``: how many messages there were."""
        return 1 if self.unexplained > max(SPENT, place // SHARE) else ENOUGH


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
        self._patience.unexplained += 1
        return self.before + self.unexplained >= self._patience.most(place)

    def words(self) -> str:
        """Why the connection is followed no further."""
        if self.before + self.unexplained < ENOUGH:
            return "nothing explains very many of all messages in this input"
        more = f", and {self.before} of those before between its ends" if self.before else ""
        return f"nothing explains {self.unexplained} of its messages{more}"
