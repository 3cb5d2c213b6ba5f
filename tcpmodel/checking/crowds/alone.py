"""Connections of one packet, of which there may be a flood: what is reported of those that are alike.

Owns: when the report of such a connection differs from that of another in addresses and numbers only.
Must never hold: how a packet is judged, or how reports are kept.

Which rules a packet breaks is known from what is remembered of packets (see ``memo``). What is said of them is found by
judging a packet like it that has a mark for every number that may be another one. What comes of that by filling in its
own numbers has to be what the packet itself is told.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from tcpmodel.checking.ends.endpoint import Endpoint
from tcpmodel.checking.faults.vantage import Standpoint, Vantage
from tcpmodel.checking.memory.memo import Lone, Memo
from tcpmodel.checking.outcome.findings import ConnectionReport
from tcpmodel.checking.outcome.patterns import A, B, Pattern
from tcpmodel.checking.outcome.standing import Standing
from tcpmodel.traces.records import Packet

KEPT = 4096
"""How many likenesses are remembered."""

_MARKS = (3_141_592_653, 41_017, 211)
"""Numbers that a field of a packet may have: the first of those, raised by its place, that changes nothing."""

_RAISED = 131

_PLACE = 2_718_281_828

_LATER = 10**15
"""Nanoseconds by which the time of the packet with marks differs."""


class Found(NamedTuple):
    """How to report a connection: the pattern, and what ``Pattern.of`` wants beside its number and addresses."""

    pattern: Pattern
    place: int
    time: int | None
    numbers: Sequence[int]


class _Shared(NamedTuple):
    """What is known of a way to take packets: the fields of which the numbers may be others, with a mark for each; the
    other fields; and for each choice of values of those, a pattern with the fields whose numbers it wants."""

    marks: dict[str, int]
    fixed: tuple[str, ...]
    patterns: dict[tuple[int, ...], tuple[Pattern, tuple[str, ...]] | None]


class _Seen:
    """As much of a connection as ``Vantage.see`` looks at."""

    __slots__ = ("ends", "last_time", "standpoint")

    def __init__(self, ends: tuple[Endpoint, Endpoint]) -> None:
        self.ends = ends
        self.standpoint: Standpoint | None = None
        self.last_time: int | None = None


class Alone:
    """For one spec. ``like`` finds the pattern of a packet, ``learn`` makes one."""

    def __init__(self, memo: Memo, judged: Callable[[Packet, Standpoint | None], ConnectionReport]) -> None:
        """``judged`` gives the report of a connection of one packet, step by step."""
        self._memo = memo
        self._judged = judged
        self._quiet: dict[Standing | None, Pattern] = {}
        self._told: dict[tuple[Lone, tuple[str, ...]], _Shared] = {}
        self._size = 0
        self._ends = (Endpoint(memo.abilities, ""), Endpoint(memo.abilities, ""))

    def standpoint(self, vantage: Vantage, packet: Packet) -> Standpoint | None:
        """What the packet tells of the place of the capture."""
        seen = _Seen(self._ends)
        seen.ends[0].address, seen.ends[1].address = packet.source, packet.destination
        vantage.see(seen, packet, 0)
        return seen.standpoint

    def like(self, packet: Packet, stand: Standpoint | None) -> Found | None:
        """How to report the connection of this packet, seen from there, if that is known."""
        if packet.source == packet.destination:
            return None
        lone = self._memo.alone(packet, stand)
        if lone is None:
            return None
        if lone.told is None:
            quiet = self._quiet.get(lone.standing)
            return None if quiet is None else Found(quiet, 0, None, ())
        shared = self._told.get((lone, tuple(packet.fields)))
        if shared is None:
            return None
        fields = packet.fields
        found = shared.patterns.get(tuple([fields[key] for key in shared.fixed]))
        if found is None:
            return None
        return Found(found[0], packet.number, packet.time, [fields[key] for key in found[1]])

    def learn(self, packet: Packet, stand: Standpoint | None, report: ConnectionReport) -> None:
        """Keep what was reported of a packet of which nothing was known."""
        lone = None if packet.source == packet.destination else self._memo.alone(packet, stand)
        if lone is None:
            return
        if self._size >= KEPT:
            self._quiet.clear()
            self._told.clear()
            self._size = 0
        self._size += 1
        if lone.told is None:
            if not report.diagnostics:
                self._quiet[lone.standing] = Pattern(report)
            return
        key = (lone, tuple(packet.fields))
        shared = self._told.get(key)
        if shared is None:
            shared = self._told[key] = self._shared(packet, stand, lone)
        fixed = tuple([packet.fields[key] for key in shared.fixed])
        if fixed in shared.patterns:
            return
        shared.patterns[fixed] = None
        if not report.diagnostics or any(each.place != packet.number for each in report.diagnostics):
            return
        marked = self._marked(packet, shared.marks)
        said = self._judged(marked, stand)
        names = tuple(shared.marks)
        used = Pattern(said, tuple(shared.marks.values())).used()
        names = tuple([names[place] for place in used])
        pattern = Pattern(said, [shared.marks[name] for name in names])
        numbers = [packet.fields[name] for name in names]
        again = pattern.of(1, packet.source, packet.destination, -1, 1, packet.number, packet.time, numbers)
        again.id, again.input = report.id, report.input
        if again == report:
            shared.patterns[fixed] = pattern, names

    def _shared(self, packet: Packet, stand: Standpoint | None, lone: Lone) -> _Shared:
        marks: dict[str, int] = {}
        for index, (key, value) in enumerate(packet.fields.items()):
            for mark in _MARKS:
                mark += _RAISED * index
                trial = self._marked(packet, {**marks, key: mark})
                if abs(mark - value) > _RAISED and self._memo.alone(trial, stand) == lone:
                    marks[key] = mark
                    break
        return _Shared(marks, tuple([key for key in packet.fields if key not in marks]), {})

    def _marked(self, packet: Packet, marks: dict[str, int]) -> Packet:
        time = None if packet.time is None else packet.time + _LATER
        fields = {**packet.fields, **marks}
        return packet._replace(number=_PLACE, time=time, source=A, destination=B, fields=fields)
