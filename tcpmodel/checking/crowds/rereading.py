"""A connection in which nothing explains a packet, read once more: as two, or without a packet that is to blame for it.

Owns: which of the last packets are looked at again, which are left out, and how often.
Must never hold: how a packet is explained (see ``connection``), or anything of a protocol.

An end that always begins with the same number makes a new connection look like the old one, of which a copy came late.
And the capture may have lost the beginning of a new one, whose numbers lie close to those of the old.

Where numbers were skipped, the packet behind them may be the fault, not the one that contradicts it. And what follows
from a packet that nothing explained is no fault of its own.

Where times run back, the packets do not stand in the order in which they were captured.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice, pairwise

from tcpmodel.checking.connection import Connection, NewConnection
from tcpmodel.checking.ends.diagnosis import unexplained
from tcpmodel.checking.ends.gaps import Place
from tcpmodel.checking.faults import boxes
from tcpmodel.checking.faults.damage import damaged
from tcpmodel.checking.memory.express import Recent
from tcpmodel.checking.outcome.findings import Diagnostic
from tcpmodel.semantics.execution import Sighting
from tcpmodel.traces.records import Packet

TRIES = 8
"""So often the last packets of one connection are tried, or looked at for a second numbering."""

SKIPPED = 2
"""So many packets behind skipped numbers are tried, those that came last."""

READ = 96
"""So many packets at most are read again to find out."""

VIOLATION = "violation"

OPENED = 2
"""So many packets at least come before those."""

SPOILED = 3
"""Of so many packets no more than one is taken for damaged: else the checksums are worked out after the capture."""

IN_TIME = "packets do not stand in the order of their times; in that order all of them have an explanation"

BEFORE = "by its time it was captured before this connection began"


class Rereading:
    """``recent`` holds the last packets of all connections, up to the one at hand."""

    def __init__(self, recent: Recent) -> None:
        self._recent = recent

    def since(self, connection: Connection) -> Sequence[Packet]:
        """The last packets, if they are a connection of their own that explains them all.

        They have to begin like this one, or with one that nothing explained after this one was over.
        """
        found: list[Packet] = []
        best: list[Packet] = []
        if connection.reread >= TRIES:
            return found
        connection.reread += 1
        addresses = {end.address for end in connection.ends}
        for packet in list(reversed(self._recent)):
            if {packet.source, packet.destination} != addresses or packet.flags is None:
                continue
            found.insert(0, packet)
            if packet.number <= connection.first or connection.packets - len(found) < OPENED:
                break
            doubted = packet.number in connection.doubted and len({each.source for each in found}) == len(addresses)
            if (doubted or connection.began_with(packet)) and _whole(connection, found):
                best = list(found)
        return best

    def mixed(self, connection: Connection) -> bool:
        """Do the last packets tell that both sides of a box that changes numbers were captured? Asked of what seems
        wrong; what was found once holds."""
        found = connection.diagnostics
        if any(item.message == boxes.TOLD for item in found):
            return True
        if connection.looked >= TRIES or not any(item.severity == "violation" for item in found):
            return False
        connection.looked += 1
        addresses = {end.address for end in connection.ends}
        packets = [each for each in self._recent if {each.source, each.destination} == addresses]
        if not boxes.two_numberings(packets, connection.interpreter):
            return False
        place, time = connection.first, packets[0].time
        found.append(Diagnostic("CAP-011", "capture", "", place, connection.in_lines, boxes.TOLD, (), time))
        return True

    def sorted(self, connection: Connection, side: int) -> bool:
        """Are all packets explained in the order of their times, where they do not stand in it? Then it goes on so."""
        if connection.reread >= TRIES:
            return False
        packets = self._of(connection)[-READ:]
        times = [each.time for each in packets if each.time is not None]
        if len(times) < len(packets) or all(one <= other for one, other in pairwise(times)):
            return False
        connection.reread += 1
        words = BEFORE
        if not self._alone_before(connection, packets):
            trial = _trial(connection, sorted(packets, key=lambda each: each.time or 0))
            if trial is None:
                return False
            _go_on(connection, trial)
            words = IN_TIME
        address, place, at = connection.ends[side].address, packets[-1].number, packets[-1].time
        connection.diagnostics.append(
            Diagnostic("CAP-009", "capture", address, place, connection.in_lines, words, (), at)
        )
        return True

    def undamaged(self, connection: Connection) -> bool:
        """Are all packets explained but those that were damaged on their way? Then it goes on without these.

        What is damaged may fit all the same, and is believed until something contradicts it.
        """
        packets = self._of(connection)[-READ:]
        sound = [each for each in packets if not damaged(each)]
        spoiled = len(packets) - len(sound)
        if connection.reread >= TRIES or not spoiled or damaged(packets[-1]) or SPOILED * spoiled > len(packets):
            return False
        connection.reread += 1
        trial = _trial(connection, sound)
        if trial is not None:
            _go_on(connection, trial)
        return trial is not None

    def _alone_before(self, connection: Connection, packets: Sequence[Packet]) -> bool:
        """Has the packet at hand, and not the one before it in the capture, a time before the connection began?"""
        first, last = packets[0], packets[-1]
        before = next(islice(reversed(self._recent), 1, None), last).time
        if first.number != connection.first or first.time is None or last.time is None or before is None:
            return False
        return last.time < first.time <= before

    def mended(self, connection: Connection, side: int, written: str) -> bool:
        """Is an earlier packet to blame for one of ``side`` that nothing explains? Then it goes on without that one.

        ``written``: that packet, as text.
        """
        if connection.reread >= TRIES or connection.ends[0].address == connection.ends[1].address:
            return False
        skipped = [gap.place.number for gap in connection.assumed.gaps[side].open][-SKIPPED:]
        if not skipped and not connection.trouble.unexplained:
            return False
        packets = self._of(connection)
        rest = [packet for packet in packets if packet.number > connection.blamed]
        behind = bool(connection.trouble.unexplained) and 1 < len(rest) <= READ
        whole = (
            bool(skipped)
            and 1 < len(packets) <= READ
            and len(packets) == connection.packets + 1
            and packets[0].number == connection.first
        )
        connection.reread += behind or whole
        trial = _trial(connection, rest) if behind else None
        if trial is not None:
            _go_on(connection, trial)
            return True
        if not whole:
            return False
        for number in reversed(skipped):
            found = _without(connection, packets, number)
            if found is not None:
                trial, finding, place, sighting = found
                word = "line" if connection.in_lines else "packet"
                finding.excuse = (
                    f"packets lost by the capture would explain it, but not {word} {packets[-1].number}: {written}"
                )
                connection.blame(finding, side, place, sighting)
                connection.trouble.add(place.number)
                connection.assumed.gaps[side].drop(number)
                _go_on(connection, trial)
                return True
        return False

    def _of(self, connection: Connection) -> list[Packet]:
        """Those of the last packets that belong to the connection, the one at hand as the last."""
        addresses = {end.address for end in connection.ends}
        return [
            packet
            for packet in self._recent
            if packet.number >= connection.first
            and {packet.source, packet.destination} == addresses
            and packet.flags is not None
        ]


def _go_on(connection: Connection, trial: Connection) -> None:
    connection.ends = trial.ends
    connection.numbers = trial.numbers
    connection.suspects = [None, None]


def _trial(like: Connection, packets: Sequence[Packet]) -> Connection | None:
    """A connection of these packets alone, if it explains them all."""
    trial = _alone(like, like.ends[0].address, like.ends[1].address, packets)
    wrong = trial is None or trial.trouble.unexplained or any(each.severity == VIOLATION for each in trial.diagnostics)
    return None if wrong else trial


def _without(
    like: Connection, packets: Sequence[Packet], number: int
) -> tuple[Connection, Diagnostic, Place, Sighting] | None:
    """The connection as it would be without one of its packets, and what is wrong about that one."""
    index = next((index for index, packet in enumerate(packets) if packet.number == number), None)
    if not index:
        return None
    before = _trial(like, packets[:index])
    whole = _trial(like, [packet for packet in packets if packet.number != number])
    if before is None or whole is None:
        return None
    left_out = packets[index]
    side = before.side_of(left_out)
    sighting = before.interpreter.sighting(left_out, side, before.numbers)
    finding = unexplained(before.ends[side], sighting, before.interpreter)
    return whole, finding, Place(left_out.number, left_out.time), sighting


def _whole(like: Connection, packets: Sequence[Packet]) -> bool:
    """Are these a connection from its beginning, in which nothing is wrong or missing?"""
    trial = _alone(like, packets[0].source, packets[0].destination, packets)
    return trial is not None and not trial.diagnostics and trial.is_plain()


def _alone(like: Connection, a: str, b: str, packets: Sequence[Packet]) -> Connection | None:
    """A connection of these packets alone, which ``a`` began; None if they are those of several."""
    trial = Connection(0, like.abilities, like.interpreter, None, a, b, like.in_lines)
    try:
        for packet in packets:
            trial.observe(packet, trial.side_of(packet))
    except NewConnection:
        return None
    return trial
