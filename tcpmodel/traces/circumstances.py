"""What a capture tells of itself: how it was made, rather than what passed.

Owns: the faults and peculiarities of a capture that are seen while it is read, and how often each was met.
Must never hold: anything of a transport protocol, or how a format is read.
"""

from __future__ import annotations

from tcpmodel.traces.records import ODD, Packet, Taken

NO_LENGTH = ("CAP-002", "packets without a length in the header of IP, which the network card fills in")
FRAGMENTS = ("CAP-004", "IP fragments, left out")
REASSEMBLED = ("CAP-004", "IP fragments, put together")
OVERLAPS = ("CAP-004", "IP fragments that contradict each other, left out")
CUT = ("CAP-005", "packets cut by the capture")
DROPPED = ("CAP-006", "packets dropped before they were captured, as the capture itself says")
TUNNELS = ("CAP-013", "packets within {}")
TAGS = ("CAP-013", "packets with the VLAN tag {}")
ONE_WAY = ("CAP-013", "connections with a tunnel or VLAN tag in one direction only")
CLOCK = ("CAP-016", "packets with an earlier time than the one before")
INTERFACES = ("CAP-018", "interfaces in one capture")
PADDING = ("CAP-019", "frames with octets behind the packet, which are no part of it")

MET = ("CAP-002", "CAP-004", "CAP-005", "CAP-006", "CAP-013", "CAP-016", "CAP-018", "CAP-019")
"""Every id of something that is met while a capture is read."""

MOST = 256
"""So many different ones are told."""

MOST_WAYS = 4096
"""Of so many directions between two ends it is kept whether something is around their packets."""

PADDED, LENGTHLESS, TAGGED = 1, 2, 4
"""Bits of what is odd about a packet. The number of a VLAN stands above them."""

_WRAPPED, _PLAIN = 1, 2


class Circumstances:
    """``met``: (id, words) -> how often, and the number of the first packet.

    ``ways``: of directions between two ends, whether their packets have something around them; empty as long as none
    has. While it is empty, only packets with something odd or something around them have to be looked at.
    ``pieces``: if it is set to a dictionary, readers note in it of which frames a packet was put together, by its
    number.
    """

    def __init__(self) -> None:
        self.met: dict[tuple[str, str], tuple[int, int]] = {}
        self.ways: dict[tuple[str, str], tuple[int, int]] = {}
        self.pieces: dict[int, tuple[int, ...]] | None = None

    def add(self, what: tuple[str, str], number: int, count: int = 1) -> None:
        """Something was met at packet ``number``, ``count`` times."""
        if len(self.met) >= MOST and what not in self.met:
            return
        before, first = self.met.get(what, (0, number))
        self.met[what] = (before + count, first)

    def note(self, taken: Taken) -> None:
        """Note what is odd about packets that were taken without looking at them here."""
        found = [(taken.first_cut, CUT, taken.cut), (taken.first_padded, PADDING, taken.padded)]
        for first, what, count in sorted(found, key=lambda each: each[0]):
            if count:
                self.add(what, first, count)

    def look(self, packet: Packet, tunnels: str) -> None:
        """Note what is odd about a packet, which loses the field that says so. ``tunnels``: what is around it."""
        number = packet.number
        odd = packet.fields.pop(ODD, 0)
        if odd & PADDED:
            self.add(PADDING, number)
        if odd & LENGTHLESS:
            self.add(NO_LENGTH, number)
        if odd & TAGGED:
            self.add((TAGS[0], TAGS[1].format(odd >> 3)), number)
        wrapped = bool(tunnels) or bool(odd & TAGGED)
        way = (packet.source, packet.destination)
        if (wrapped or self.ways) and (way in self.ways or len(self.ways) < MOST_WAYS):
            before, first = self.ways.get(way, (0, number))
            self.ways[way] = (before | (_WRAPPED if wrapped else _PLAIN), first)

    def finish(self) -> None:
        """Nothing more comes."""
        for (source, destination), (kind, number) in self.ways.items():
            if kind == _WRAPPED and self.ways.get((destination, source), (0, 0))[0] == _PLAIN:
                self.add(ONE_WAY, number)
        self.ways.clear()


def odd(found: object, what: int) -> None:
    """Mark a packet, if ``found`` is one, as odd in this way."""
    if isinstance(found, Packet):
        found.fields[ODD] = found.fields.get(ODD, 0) | what
