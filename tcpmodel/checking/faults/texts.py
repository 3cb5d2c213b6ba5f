"""Whether the same numbers bore other text before.

Owns: for the last places between texts of each direction, the sum of all text up to there.
Must never hold: what follows from other text; that stands in the specs.

A text that begins and ends where others began or ended, also several of them, has to have their sum. Where one begins
or ends in between, nothing is known. The sums of a run of texts count from where the run began.
"""

from __future__ import annotations

from collections.abc import Callable

from tcpmodel.traces.records import OTHER_TEXT, Packet

REMEMBERED = 8192
"""So many places between texts are remembered, those that were set last."""

_MODULUS = 0xFFFF
_LAST = 0xFFFFFFFF

Key = tuple[str, str, int, int]
"""Source and destination, hops that the packet may go yet, and the number of the octet behind the place."""

Before = tuple[int, int, int]
"""The run, the time when it began in nanoseconds, and the sum of the text up to a place in it."""

Told = Callable[[str, str, int, int, int, int, int], int | None]
"""Remembers a text by source, destination, hops, number, octets, sum and time (ns); the time when the run of texts
began in which the same numbers bore other text, which is then remembered on, or None."""

Place = Callable[[str, str, int, int, int, int, int], None]
"""Remembers a place between texts: its key, and what is known of it."""


class Texts:
    """Takes packets and marks those that bear other text than was seen under their numbers before.

    A text of one octet is not looked at: what asks whether the other end is there may carry one that means nothing.
    Nor is one that may have been damaged on its way.
    """

    def __init__(self) -> None:
        self._told: Told = self._remembered
        self._kept: dict[Key, Before] = {}
        self._runs = 0

    def take(self, packet: Packet) -> Packet:
        """The next packet, with what is found by comparing its text with that before it."""
        fields = packet.fields
        total = fields.get("payload_sum")
        if total is None or packet.time is None or not (fields.get("checksum_ok") or "checksum_partial" in fields):
            return packet
        length = fields.get("length", 0)
        if length < 2 or "seq" not in fields:
            return packet
        ttl = fields.get("ttl", 0)
        since = self._told(packet.source, packet.destination, ttl, fields["seq"], length, total, packet.time)
        return packet if since is None else packet._replace(fields=fields | {OTHER_TEXT: since // 1000})

    def remember_in(self, told: Told, place: Place) -> None:
        """Have ``told`` remember texts, and ``place`` what was remembered here until now."""
        for (source, destination, ttl, number), before in self._kept.items():
            place(source, destination, ttl, number, *before)
        self._kept.clear()
        self._told = told

    def _remembered(
        self, source: str, destination: str, ttl: int, number: int, length: int, total: int, time: int
    ) -> int | None:
        kept = self._kept
        total = (total << 8 if number & 1 else total) % _MODULUS
        first: Key = (source, destination, ttl, number)
        behind: Key = (source, destination, ttl, number + length & _LAST)
        one, other = kept.get(first), kept.get(behind)
        if one is not None and other is not None and one[0] == other[0] and (other[2] - one[2] - total) % _MODULUS:
            return one[1]
        if one is None and other is not None:
            self._put(first, (other[0], other[1], (other[2] - total) % _MODULUS))
        elif one is None:
            self._runs += 1
            self._put(first, (self._runs, time, 0))
            self._put(behind, (self._runs, time, total))
        else:
            self._put(behind, (one[0], one[1], (one[2] + total) % _MODULUS))
        return None

    def _put(self, key: Key, before: Before) -> None:
        kept = self._kept
        if key not in kept and len(kept) >= REMEMBERED:
            del kept[next(iter(kept))]
        kept[key] = before
