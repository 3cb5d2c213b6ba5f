"""Connections that follow each other between the same two addresses and ports, in several inputs.

Owns: which of them is which in every input, and names that tell them apart while views are held against each other.
Must never hold: how views are judged, or what a line or a packet means.

Only what is certain is told apart: every input tells of the same number of them, one after the other, and they begin
at the same intervals. Otherwise nothing is said of how they belong together.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import fields, replace

from tcpmodel.checking.logs.kept import Views, whole
from tcpmodel.checking.logs.telling import Line
from tcpmodel.checking.outcome.findings import ConnectionReport, Diagnostic, Report
from tcpmodel.traces.records import Packet, StateRecord

MARK = "\x1f"
"""Stands in the name of an end before the number of its life; no reader gives such a name."""

_MARKED = re.compile(MARK + r"\d+")

CLOSE = 1_500_000_000
"""Nanoseconds by which intervals between two beginnings may differ: some clocks show whole seconds only."""

Life = Sequence[Packet] | Sequence[Line]


def tell_apart(views: Views, report: Report) -> None:
    """Mark the names of ends that have several lives, in reports, packets and lines; ``as_before`` takes it back."""
    found: dict[tuple[str, str], dict[int, list[int]]] = {}
    for index, one in enumerate(report.connections):
        if one.input >= 0 and whole(one.a) and whole(one.b):
            ends = (min(one.a, one.b), max(one.a, one.b))
            found.setdefault(ends, {}).setdefault(one.input, []).append(index)
    lines: dict[tuple[int, str, str, str], list[Line]] | None = None
    for ends, inputs in found.items():
        counts = {len(indexes) for indexes in inputs.values()}
        if len(inputs) < 2 or len(counts) > 1 or counts == {1}:
            continue
        lines = _indexed(views) if lines is None else lines
        lives = {at: _lives(views, lines, ends, [report.connections[each] for each in inputs[at]]) for at in inputs}
        if all(lives.values()) and _alike([each for each in lives.values() if each]):
            for at, indexes in inputs.items():
                for number, (index, life) in enumerate(zip(indexes, lives[at] or (), strict=True), 1):
                    one = report.connections[index]
                    _rename(views, one, life, ends, number)
                    report.connections[index] = replace(one, a=f"{one.a}{MARK}{number}", b=f"{one.b}{MARK}{number}")


def as_before(report: Report) -> None:
    """Take the marks out of all names."""
    for index, one in enumerate(report.connections):
        if MARK in one.a:
            told = tuple(_plain(item) for item in one.diagnostics)
            ends = (_MARKED.sub("", one.a), _MARKED.sub("", one.b))
            report.connections[index] = replace(one, a=ends[0], b=ends[1], diagnostics=told)


def _plain(item: Diagnostic) -> Diagnostic:
    changed: dict[str, object] = {}
    for field in fields(item):
        value = getattr(item, field.name)
        if isinstance(value, str) and MARK in value:
            changed[field.name] = _MARKED.sub("", value)
        elif isinstance(value, tuple) and any(isinstance(each, str) and MARK in each for each in value):
            changed[field.name] = tuple(_MARKED.sub("", each) if isinstance(each, str) else each for each in value)
    return replace(item, **changed) if changed else item  # type: ignore[arg-type]


def _lives(
    views: Views,
    lines: dict[tuple[int, str, str, str], list[Line]],
    ends: tuple[str, str],
    reports: Sequence[ConnectionReport],
) -> list[Life] | None:
    """What one input tells of each of these connections; None if that is not certain."""
    first = reports[0]
    if any((one.logged, one.protocol) != (first.logged, first.protocol) for one in reports):
        return None
    told: Life = views.packets_of(first)
    if first.logged:
        told = lines.get((first.input, first.protocol, *ends), [])
    if len(told) != sum(one.packets for one in reports):
        return None
    found: list[Life] = []
    at = 0
    for one in reports:
        found.append(told[at : at + one.packets])
        at += one.packets
    if any(not life or _beginning(life) != _beginning(found[0]) for life in found):
        return None
    numbers = [one.fields.get("seq") for life in found for one in life[:1] if isinstance(one, Packet)]
    return found if len(set(numbers)) == len(numbers) else None


def _indexed(views: Views) -> dict[tuple[int, str, str, str], list[Line]]:
    """The lines by their input, protocol and both ends, each in their order."""
    found: dict[tuple[int, str, str, str], list[Line]] = {}
    for (origin, protocol, _), lines in views.lines.items():
        ways = {(min(line.local, line.remote), max(line.local, line.remote)) for line in lines}
        known = [way for way in ways if whole(way[0]) and whole(way[1])]
        if len(known) == 1:
            told = [line for line in lines if isinstance(line, StateRecord)]
            found.setdefault((origin, protocol, *known[0]), []).extend(told)
    for lines in found.values():
        lines.sort(key=lambda line: line.number)
    return found


def _beginning(life: Life) -> object:
    """What has to be the same at the beginning of each: the flags of a first packet, the first state of each end."""
    first = life[0]
    if isinstance(first, Packet):
        return first.flags
    known: dict[str, str] = {}
    for line in life:
        if isinstance(line, StateRecord):
            known.setdefault(line.local.rpartition(":")[0], line.old or line.new)
    return known


def _alike(inputs: Sequence[Sequence[Life]]) -> bool:
    """Do the lives begin at the same intervals in all inputs?"""
    intervals: list[list[int]] = []
    for lives in inputs:
        begun = [life[0].time for life in lives]
        known = [time for time in begun if time is not None]
        if len(known) < len(begun):
            return False
        intervals.append([time - known[0] for time in known])
    return all(abs(a - b) <= CLOSE for other in intervals for a, b in zip(intervals[0], other, strict=True))


def _rename(views: Views, one: ConnectionReport, life: Life, ends: tuple[str, str], number: int) -> None:
    names = {end: f"{end}{MARK}{number}" for end in ends}

    def name(end: str) -> str:
        return names.get(end, end)

    a, b = sorted(names.values())
    packets = [each for each in life if isinstance(each, Packet)]
    if packets:
        views.packets.pop((one.input, one.protocol, *ends), None)
        views.packets[one.input, one.protocol, a, b] = [
            each._replace(source=name(each.source), destination=name(each.destination), at=name(each.at))
            for each in packets
        ]
    for line in life:
        if not isinstance(line, Packet):
            views.lines.pop((one.input, one.protocol, line.endpoint), None)
            marked = f"{line.endpoint}{MARK}{number}"
            views.lines.setdefault((one.input, one.protocol, marked), []).append(
                line._replace(local=name(line.local), remote=name(line.remote), endpoint=marked)
            )
