"""A first message that answers something which its peer never sent.

Owns: following the same end as if what that message acknowledges were not known. If that explains what it sends later,
and what the message says does not, the message is the fault.
Must never hold: what is reported of it (see ``connection``), or anything of a protocol.
"""

from __future__ import annotations

from tcpmodel.checking.ends.endpoint import Endpoint
from tcpmodel.checking.ends.gaps import Place
from tcpmodel.checking.ends.sightings import Interpreter
from tcpmodel.semantics.execution import Sighting

MOST = 48
"""So many later messages can decide; then the benefit of the doubt stays."""


class Suspect:
    """``before``: the end right after the message, if it had said what fits. ``clean``: the same end by now."""

    def __init__(self, place: Place, sighting: Sighting, meant: Sighting, clean: Endpoint) -> None:
        self.place = place
        self.sighting = sighting
        self.meant = meant
        self.before = clean.copy()
        self.clean = clean
        self._left = MOST

    def goes_on(self, sighting: Sighting) -> bool:
        """Does a later message of the end, which what it said explains, fit what it should have said as well?"""
        self._left -= 1
        return self._left > 0 and (self.proves(sighting) or self.clean.seen_late(sighting))

    def proves(self, sighting: Sighting) -> bool:
        """Is a later message of the end explained by what it should have said?"""
        after = self.clean.by_behaviour(sighting)
        if after:
            self.clean.settle(after)
        return bool(after)


def suspect(end: Endpoint, place: Place, sighting: Sighting, interpreter: Interpreter) -> Suspect | None:
    """What a first message of ``end`` would be if it answered something that was seen; None if it would not fit."""
    meant = interpreter.without_answer(sighting)
    clean = end.copy()
    after = clean.by_behaviour(meant)
    if not after:
        return None
    clean.settle(after)
    return Suspect(place, sighting, meant, clean)
