"""Connections of which one packet was seen so far.

Owns: keeping that packet in little room until a second one comes, so that a flood of openings costs little.
Must never hold: what a packet means.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterator
from itertools import islice

from tcpmodel.traces.records import Packet

MOST = 1 << 19
"""So many may wait; then the older half has to go."""

Kept = bytes | tuple[int, Packet]


class Waiting:
    """First packets of connections, by their two addresses, with the numbers of the connections."""

    def __init__(self) -> None:
        self._kept: dict[str, Kept] = {}
        self._kinds: list[tuple[str, bool, tuple[str, ...]]] = []
        self._index: dict[tuple[str, bool, tuple[str, ...]], int] = {}

    def __len__(self) -> int:
        return len(self._kept)

    def keys(self) -> Iterator[tuple[str, str, str]]:
        """Protocol and addresses of each that waits."""
        for key in self._kept:
            protocol, a, b = key.split(" ", 2)
            yield protocol, a, b

    def put(self, packet: Packet, number: int) -> None:
        """Keep the first packet of the connection ``number``."""
        a, b = packet.source, packet.destination
        forward = a < b
        key = f"{packet.protocol} {a} {b}" if forward else f"{packet.protocol} {b} {a}"
        self._kept[key] = self._packed(packet, number, forward)

    def take(self, packet: Packet) -> tuple[int, Packet] | None:
        """The number and first packet of the connection that ``packet`` belongs to, if one waits."""
        a, b = packet.source, packet.destination
        key = f"{packet.protocol} {a} {b}" if a < b else f"{packet.protocol} {b} {a}"
        kept = self._kept.pop(key, None)
        return None if kept is None else self._made(key, kept)

    def oldest(self, most: int) -> Iterator[tuple[int, Packet]]:
        """Give up to ``most`` connections, oldest first; they wait no longer."""
        keys = list(islice(self._kept, most))
        for key in keys:
            yield self._made(key, self._kept.pop(key))

    def _packed(self, packet: Packet, number: int, forward: bool) -> Kept:
        fields = packet.fields
        if " " in packet.source or " " in packet.destination:
            return (number, packet)
        kind = (packet.at, forward, tuple(fields))
        index = self._index.get(kind)
        if index is None:
            index = self._index[kind] = len(self._kinds)
            self._kinds.append(kind)
        try:
            head = array("q", (number, packet.number, -1 if packet.time is None else packet.time))
            rest = array("I", (index, packet.flags or 0, packet.flags is not None, packet.time is None))
            rest.extend(fields.values())
        except (OverflowError, TypeError):
            return (number, packet)
        return head.tobytes() + rest.tobytes()

    def _made(self, key: str, kept: Kept) -> tuple[int, Packet]:
        if isinstance(kept, tuple):
            return kept
        head, rest = array("q"), array("I")
        head.frombytes(kept[:24])
        rest.frombytes(kept[24:])
        number, frame, time = head
        index, flags, known, timeless = rest[:4]
        at, forward, names = self._kinds[index]
        protocol, a, b = key.split(" ")
        fields = dict(zip(names, rest[4:], strict=True))
        packet = Packet(
            frame,
            None if timeless else time,
            protocol,
            a if forward else b,
            b if forward else a,
            flags if known else None,
            fields,
            at,
        )
        return number, packet
