"""Where a capture was made, as far as it says in which order an end sent.

Owns: what is asked for, what packets prove of it, and whether an end has to be taken at its order.
Must never hold: what follows from that (see ``connection``), or how a capture tells the direction of a packet.

What was captured at the host of an end shows its messages in the order in which they were sent. There nothing is seen
late, and nothing is overtaken; elsewhere both happen all the time.
"""

from __future__ import annotations

from array import array
from collections import deque
from typing import Protocol

from tcpmodel.checking.ends.endpoint import Endpoint
from tcpmodel.checking.ends.observer import BETWEEN
from tcpmodel.traces.records import Packet

WORDS = ("auto", "client", "server", "middle")
"""What may be asked for besides an address: ``client`` is at the end that sent the first message."""

SENT_HERE = "it was captured where it was sent, so it was not overtaken on its way"

REMEMBERED = 64
"""So many packets before it are compared with one that may be a copy."""

NOT_JOINED = 60
"""Octets that IP carries: a packet with no more of them is not made of several with text."""

_OF_NO_MATTER = ("ttl", "checksum", "checksum_ok", "checksum_partial", "outgoing", "same_socket")
"""Fields in which copies of one packet may differ."""

_PARTIAL, _WHOLE, _OUT, _IN = 1, 4, 16, 64
_BACK = 256
"""Its time lies before that of a packet that stands before it: they do not stand in the order in which they came."""


def _proves(signs: int, side: int) -> bool:
    """Was the capture made at the host of this side? ``signs``: what was seen of packets of both sides, as bits."""
    if signs & (_IN << side | _BACK):
        return False
    if signs & _OUT << side:
        return True
    # A sum that the sender leaves to its network card never leaves its machine, unless both ends are on one.
    other = 1 - side
    return bool(signs & _PARTIAL << side and signs & _WHOLE << other and not signs & _PARTIAL << other)


ORDERED = [(_proves(signs, 0), _proves(signs, 1)) for signs in range(2 * _BACK)]


class Standpoint:
    """What is known of the place where the packets of one connection were seen.

    ``ordered``: which sides are seen in the order in which they sent; ``between``: it was said that it lies between the
    two hosts; ``lately``: the last packets, or what ``_mark`` makes of them.
    """

    __slots__ = ("between", "lately", "ordered", "signs")

    def __init__(self, ordered: tuple[bool, bool] = (False, False), between: bool = False) -> None:
        self.ordered = ordered
        self.between = between
        self.signs = 0
        self.lately: deque[Packet | int] = deque(maxlen=REMEMBERED)

    def in_order(self, ends: tuple[Endpoint, Endpoint], packet: Packet | None, side: int) -> bool:
        """Was this certainly sent after all that this side was seen to send? Without ``packet``: if it is no copy."""
        a, b = ends
        here = self.may_be_in_order(ends, side)
        if packet is not None and packet.at:
            here = packet.at == ends[side].address and a.address != b.address
        if not here or not (a.from_start and b.from_start):
            return False
        return packet is None or not self.copied(packet)

    def may_be_in_order(self, ends: tuple[Endpoint, Endpoint], side: int) -> bool:
        """Is this side seen in its order, if both ends began here and a packet is no copy?"""
        return self.ordered[side] and not ends[0].address == ends[1].address != ""

    def copied(self, packet: Packet) -> bool:
        """Was one like it seen lately?"""
        mark = None
        for other in self.lately:
            if not isinstance(other, int):
                if _same(packet, other):
                    return True
                continue
            if mark is None:
                mark = _mark(packet)
            if mark == other:
                return True
        return False

    def packed(self) -> bytes:
        """All of it in few octets, of which ``unpacked`` makes it again. Of each packet a mark is left."""
        marks = [each if isinstance(each, int) else _mark(each) for each in self.lately]
        return array("q", (self.signs, *self.ordered, self.between, *marks)).tobytes()

    @classmethod
    def unpacked(cls, octets: bytes) -> Standpoint:
        """What was packed."""
        numbers = array("q")
        numbers.frombytes(octets)
        made = cls((bool(numbers[1]), bool(numbers[2])), bool(numbers[3]))
        made.signs = numbers[0]
        made.lately.extend(numbers[4:])
        return made


def placed(packet: Packet, stand: Standpoint | None, side: int) -> Packet:
    """The packet that ``side`` sent, with the place where it was seen as far as that is known."""
    if stand is None or packet.at:
        return packet
    if stand.between:
        return packet._replace(at=BETWEEN)
    here, there = stand.ordered[side], stand.ordered[1 - side]
    if here == there:
        return packet
    return packet._replace(at=packet.source if here else packet.destination)


class Watched(Protocol):
    """A connection, as far as it matters here."""

    ends: tuple[Endpoint, Endpoint]
    standpoint: Standpoint | None
    last_time: int | None


class Vantage:
    """What was asked for: one of ``WORDS``, or the address of a host, with or without a port."""

    def __init__(self, where: str) -> None:
        self._where = where

    def see(self, connection: Watched, packet: Packet, side: int) -> None:
        """Look at a packet before the connection takes it."""
        stand = connection.standpoint
        if self._where == "middle" and packet.at:
            return
        if self._where != "auto" and not packet.at:
            if stand is None:
                ordered = self._asked(connection)
                if any(ordered) or self._where == "middle":
                    connection.standpoint = Standpoint(ordered, self._where == "middle")
            return
        fields = packet.fields
        if stand is None:
            if not packet.at and "checksum_partial" not in fields and "outgoing" not in fields:
                return
            stand = connection.standpoint = Standpoint()
        sign = 0
        if "checksum_partial" in fields:
            # What was joined where it arrived bears such a sum, too; so small a packet was not.
            sign = _PARTIAL << side if fields.get("ip_payload", 0) <= NOT_JOINED else 0
        elif fields.get("checksum_ok"):
            sign = _WHOLE << side
        way = fields.get("outgoing")
        if way is not None:
            sign |= (_OUT if way else _IN) << side
        before = connection.last_time
        if before is not None and packet.time is not None and packet.time < before:
            sign |= _BACK
        if sign & ~stand.signs:
            stand.signs |= sign
            stand.ordered = ORDERED[stand.signs]

    def _asked(self, connection: Watched) -> tuple[bool, bool]:
        if self._where in WORDS:
            return (self._where == "client", self._where == "server")
        a, b = (_at(self._where, end.address) for end in connection.ends)
        return (a, b)


def _at(where: str, address: str) -> bool:
    return address == where or address.rpartition(":")[0].strip("[]") == where.strip("[]")


def _mark(packet: Packet) -> int:
    """A number that copies of a packet have in common with it, and hardly any other packet."""
    fields = packet.fields
    return hash(
        (packet.flags, packet.source, frozenset((key, fields[key]) for key in fields if key not in _OF_NO_MATTER))
    )


def _same(one: Packet, other: Packet) -> bool:
    if one.flags != other.flags or one.source != other.source:
        return False
    mine, theirs = ({key: each.fields[key] for key in each.fields if key not in _OF_NO_MATTER} for each in (one, other))
    return mine == theirs
