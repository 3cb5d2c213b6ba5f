"""A connection in which nothing explains a packet, read once more: as two, one after the other or side by side.

Owns: which of the last packets are looked at again, and how often.
Must never hold: how a packet is explained (see ``connection``), or anything of a protocol.

An end that always begins with the same number makes a new connection look like the old one, of which a copy came late.
And the capture may have lost the beginning of a new one, whose numbers lie close to those of the old.
"""

from __future__ import annotations

from collections.abc import Sequence

from tcpmodel.checking import boxes
from tcpmodel.checking.connection import Connection, NewConnection
from tcpmodel.checking.express import Recent
from tcpmodel.checking.findings import Diagnostic
from tcpmodel.traces.records import Packet

TRIES = 8
"""So often the last packets of one connection are tried, or looked at for a second numbering."""

OPENED = 2
"""So many packets at least come before those."""


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


def _whole(like: Connection, packets: Sequence[Packet]) -> bool:
    """Are these a connection from its beginning, in which nothing is wrong or missing?"""
    a, b = packets[0].source, packets[0].destination
    trial = Connection(0, like.abilities, like.interpreter, None, a, b, like.in_lines)
    try:
        for packet in packets:
            trial.observe(packet, trial.side_of(packet))
    except NewConnection:
        return False
    return not trial.diagnostics and trial.is_plain()
