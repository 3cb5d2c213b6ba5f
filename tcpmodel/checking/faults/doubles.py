"""Packets that a capture shows more than once, and how it came to that.

Owns: recognising a copy by what no sender repeats, and the words in which the report tells of copies.
Must never hold: what follows for a connection: a copy is judged like any packet, and a second one is always explained.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

from tcpmodel.checking.outcome.findings import Diagnostic
from tcpmodel.traces.records import Packet

REMEMBERED = 4096
"""Copies of a packet are looked for among so many packets before it."""

AT_ONCE = 10**6
"""Nanoseconds: copies that lie closer than this were taken at one point, on their way through one machine."""

MERGED = 4
"""More than one in so many packets has to come again later to speak for two captures; networks double fewer."""

MOST_APART = 10**9
"""Nanoseconds: what is farther apart was not doubled by a network; the clocks of two captures may differ by more."""

HOSTS = 4096
"""Copies are counted by the host that sent them, for so many hosts; then for all others together."""

Key = tuple[str, int]
Seen = tuple[int, int | None, int, int | None]
"""Number and flags of a packet, hops that it may go yet, and its time."""


Copy = Callable[[str, int, int, int | None, int, int | None], Seen | None]
"""Remembers the source, identification, number, flags, hops and time of a packet, and gives the one before it."""


class _Host:
    """What one host is seen to do: copies ``at_once``, ``apart``, and ``far`` apart; how many of them have another TTL;
    the first at once and the first that is not. ``others``: how many packets have the identification of another."""

    __slots__ = ("apart", "at_once", "far", "first", "hops", "others")

    def __init__(self) -> None:
        self.at_once = self.apart = self.far = self.hops = self.others = 0
        self.first = [0, 0]


class Doubles:
    """Takes packets and counts copies.

    A copy has the source, flags and number (or checksum, where there are no numbers) of a packet shortly before, and
    the same identification of IP, which a sender changes even when it sends the same data again (RFC 6864 section 4).
    Where IP has none, or it is 0, nothing is concluded, nor of a host that gives many packets the same one.
    """

    def __init__(self) -> None:
        self._copy: Copy = self._remembered
        self._recent: dict[Key, Seen] = {}
        self._order: deque[Key] = deque()
        self._hosts: dict[str, _Host] = {}
        self.packets = 0

    def take(self, packet: Packet) -> None:
        """Compare the next packet with those before it."""
        fields = packet.fields
        ip_id = fields.get("ip_id")
        if not ip_id:
            return
        self.packets += 1
        # Not the checksum of a numbered packet: the copy before the network card may have none yet.
        number = fields["seq"] if "seq" in fields else fields.get("checksum", -1)
        ttl = fields.get("ttl", 0)
        known = self._copy(packet.source, ip_id, number, packet.flags, ttl, packet.time)
        if known is not None:
            self._again(packet, known, (number, packet.flags, ttl, packet.time))

    def remember_in(self, copy: Copy) -> None:
        """Have ``copy`` remember what was remembered here until now."""
        for source, ip_id in self._order:
            copy(source, ip_id, *self._recent[source, ip_id])
        self._recent.clear()
        self._order.clear()
        self._copy = copy

    def _remembered(
        self, source: str, ip_id: int, number: int, flags: int | None, ttl: int, time: int | None
    ) -> Seen | None:
        """Remember a packet; what was remembered of the one before it with the same identification."""
        key = (source, ip_id)
        recent = self._recent
        known = recent.get(key)
        recent[key] = (number, flags, ttl, time)
        if known is None:
            order = self._order
            order.append(key)
            if len(order) > REMEMBERED:
                del recent[order.popleft()]
        return known

    def _again(self, packet: Packet, one: Seen, other: Seen) -> None:
        name = packet.source.rpartition(":")[0]
        host = self._hosts.get(name)
        if host is None:
            host = self._hosts.setdefault(name if len(self._hosts) < HOSTS else "", _Host())
        if one[:2] != other[:2]:
            host.others += 1
            return
        between = abs(other[3] - one[3]) if one[3] is not None and other[3] is not None else 0
        host.hops += one[2] != other[2]
        kind = between >= AT_ONCE
        if between > MOST_APART:
            host.far += 1
        elif kind:
            host.apart += 1
        else:
            host.at_once += 1
        host.first[kind] = host.first[kind] or packet.number

    def findings(self, in_lines: bool) -> list[Diagnostic]:
        """What is to be said of copies, as notes on the capture as a whole."""
        hosts = [each for each in self._hosts.values() if each.others < each.at_once + each.apart + each.far]
        at_once, apart, far = (sum(getattr(each, kind) for each in hosts) for kind in ("at_once", "apart", "far"))
        hops = sum(each.hops for each in hosts)
        changed = f", {hops:,} of them with another TTL" if hops else ""
        later = apart + far
        # Two captures show the packets of both ends twice; one end alone may say the same again.
        if later > self.packets // MERGED and sum(each.apart + each.far > 0 for each in hosts) > 1:
            words = f"packets captured again later, as where two captures were merged{changed}: {later:,}"
            place = min(each.first[1] for each in hosts if each.first[1])
            return [Diagnostic("CAP-016", "capture", "", place, in_lines, words)]
        copies = at_once + apart
        if not copies:
            return []
        words = f"packets that were doubled by the network or by the capture{changed}: {copies:,}"
        first = min(place for each in hosts for place in each.first if place)
        return [Diagnostic("CAP-010", "capture", "", first, in_lines, words)]
