"""Packets that a capture shows more than once, and how it came to that.

Owns: recognising a copy by what no sender repeats, and the words in which the report tells of copies.
Must never hold: what follows for a connection: a copy is judged like any packet, and a second one is always explained.
"""

from __future__ import annotations

from collections import deque

from tcpmodel.checking.findings import Diagnostic
from tcpmodel.traces.records import Packet

REMEMBERED = 4096
"""Copies of a packet are looked for among so many packets before it."""

AT_ONCE = 10**6
"""Nanoseconds: copies that lie closer than this were taken at one point, on their way through one machine."""

MERGED = 4
"""More than one in so many packets has to come again later to speak for two captures; networks double fewer."""

MOST_APART = 10**9
"""Nanoseconds: what is farther apart was not doubled by a network; the clocks of two captures may differ by more."""

Key = tuple[str, int, int, int | None]


class Doubles:
    """Takes packets and counts copies.

    A copy has the source, flags and number (or checksum, where there are no numbers) of a packet shortly before, and
    the same identification of IP, which a sender changes even when it sends the same data again (RFC 6864 section 4).
    Where IP has none, or it is 0, nothing is concluded.
    """

    def __init__(self) -> None:
        self._recent: dict[Key, tuple[int, int | None]] = {}
        self._order: deque[Key] = deque()
        self.packets = 0
        self.at_once = 0
        self.apart = 0
        self.far = 0
        self.hops = 0
        self._first = [0, 0]

    def take(self, packet: Packet) -> None:
        """Compare the next packet with those before it."""
        fields = packet.fields
        ip_id = fields.get("ip_id")
        if not ip_id:
            return
        self.packets += 1
        # Not the checksum of a numbered packet: the copy before the network card may have none yet.
        number = fields["seq"] if "seq" in fields else fields.get("checksum", -1)
        key = (packet.source, ip_id, number, packet.flags)
        recent = self._recent
        known = recent.get(key)
        here = (fields.get("ttl", 0), packet.time)
        if known is not None:
            self._copy(packet.number, known, here)
            recent[key] = here
            return
        recent[key] = here
        order = self._order
        order.append(key)
        if len(order) > REMEMBERED:
            del recent[order.popleft()]

    def _copy(self, number: int, one: tuple[int, int | None], other: tuple[int, int | None]) -> None:
        between = abs(other[1] - one[1]) if one[1] is not None and other[1] is not None else 0
        self.hops += one[0] != other[0]
        kind = between >= AT_ONCE
        if between > MOST_APART:
            self.far += 1
        elif kind:
            self.apart += 1
        else:
            self.at_once += 1
        self._first[kind] = self._first[kind] or number

    def findings(self, in_lines: bool) -> list[Diagnostic]:
        """What is to be said of copies, as notes on the capture as a whole."""
        changed = f", {self.hops:,} of them with another TTL" if self.hops else ""
        later = self.apart + self.far
        if later > self.packets // MERGED:
            words = f"packets captured again later, as where two captures were merged{changed}: {later:,}"
            return [Diagnostic("CAP-016", "capture", "", self._first[1], in_lines, words)]
        copies = self.at_once + self.apart
        if not copies:
            return []
        words = f"packets that were doubled by the network or by the capture{changed}: {copies:,}"
        first = min(filter(None, self._first))
        return [Diagnostic("CAP-010", "capture", "", first, in_lines, words)]
