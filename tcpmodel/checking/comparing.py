"""Two captures of one connection, packet by packet.

Owns: finding the packets that both show, and what is said where they show them differently.
Must never hold: the meaning of a field, or a verdict.

A packet that only one of them shows was lost, or went another way, and says nothing. One that both show is told by what
no box on the way has a reason to change: its identification, or the clock that its sender put into it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence

from tcpmodel.checking.findings import ConnectionReport, Diagnostic, Report
from tcpmodel.traces.records import Packet

MOST = 1000
"""So many packets of each direction are compared."""

MOST_TOLD = 5
"""So many packets that differ are told one by one."""

_NUMBERS = ("seq", "ack", "urgent")
"""Fields that stand for the same octets wherever a packet is seen; boxes that change them do so in every packet."""

_REWRITTEN = ("mss", "wscale", "sackok", "window", "tsval", "tsecr", "tfo")
"""Fields that boxes on the way are known to change."""

Key = tuple[object, ...]


def compare(
    first: Sequence[Packet], second: Sequence[Packet], one: ConnectionReport, other: ConnectionReport, report: Report
) -> list[Diagnostic] | None:
    """What two captures show differently; None if nothing says that they are of one connection."""
    pairs: list[tuple[Packet, Packet]] = []
    for sender in (one.a, one.b):
        mine = [packet for packet in first if packet.source == sender][:MOST]
        theirs = [packet for packet in second if packet.source == sender][:MOST]
        pairs += _pairs(mine, theirs)
    if not pairs:
        return None
    same = sum(all(_differ(a, b, key) is None for key in _NUMBERS) and a.flags == b.flags for a, b in pairs)
    if not same:
        return None
    return _changed(pairs, one, report.inputs[other.input].path) + _wrong(pairs, one, report.inputs[other.input].path)


def _pairs(mine: Sequence[Packet], theirs: Sequence[Packet]) -> list[tuple[Packet, Packet]]:
    """The packets that both show; each is told by a key that occurs once in either."""
    found: dict[int, tuple[Packet, Packet]] = {}
    for key in (_content, _identification, _clock):
        ours, others = _once(mine, key), _once(theirs, key)
        used = {id(pair[1]) for pair in found.values()}
        for value, packet in ours.items():
            other = others.get(value)
            if other is not None and id(packet) not in found and id(other) not in used:
                found[id(packet)] = (packet, other)
    return list(found.values())


def _once(packets: Sequence[Packet], key: Callable[[Packet], Key | None]) -> dict[Key, Packet]:
    keyed = [(value, packet) for packet in packets if (value := key(packet)) is not None]
    counts = Counter(value for value, _ in keyed)
    return {value: packet for value, packet in keyed if counts[value] == 1}


def _content(packet: Packet) -> Key | None:
    fields = packet.fields
    if "seq" not in fields or packet.flags is None:
        return None
    return (packet.flags, *(fields.get(key) for key in ("seq", "ack", "length", "window", "ip_id", "tsval")))


def _identification(packet: Packet) -> Key | None:
    return ("id", packet.fields["ip_id"]) if packet.fields.get("ip_id") else None


def _clock(packet: Packet) -> Key | None:
    fields = packet.fields
    return ("clock", fields["tsval"], fields.get("length")) if "tsval" in fields else None


def _differ(a: Packet, b: Packet, key: str) -> tuple[int, int] | None:
    mine, theirs = a.fields.get(key), b.fields.get(key)
    return None if mine is None or theirs is None or mine == theirs else (mine, theirs)


def _changed(pairs: Sequence[tuple[Packet, Packet]], one: ConnectionReport, path: str) -> list[Diagnostic]:
    """One note for each field that a box on the way may have changed, with the first packet that shows it."""
    found: list[Diagnostic] = []
    for key in _REWRITTEN:
        differing = [(a, values) for a, b in pairs if (values := _differ(a, b, key)) is not None]
        gone = [a for a, b in pairs if key != "window" and (key in a.fields) != (key in b.fields)]
        if not differing and not gone:
            continue
        if differing:
            packet, (here, there) = differing[0]
            words = f"{key} is {here} here and {there} in {path}"
        else:
            packet, words = gone[0], f"only one of this capture and {path} shows {key}"
        count = len(differing) + len(gone)
        words += f" ({count} packets)" if count > 1 else ""
        found.append(Diagnostic("CAP-011", "capture", packet.source, packet.number, False, words, (), packet.time))
    return found


def _wrong(pairs: Sequence[tuple[Packet, Packet]], one: ConnectionReport, path: str) -> list[Diagnostic]:
    """Packets of which both cannot be true, unless something on the way changed them."""
    found: list[Diagnostic] = []
    for a, b in pairs:
        if _differ(a, b, "length") is not None:
            continue  # merged or cut by a network card
        words = [f"{key} {values[0]} and {values[1]}" for key in _NUMBERS if (values := _differ(a, b, key)) is not None]
        if a.flags is not None and b.flags is not None and a.flags != b.flags:
            words.append("other flags")
        if words:
            text = f"packet {b.number} of {path} is the same packet with {', '.join(words)}"
            found.append(Diagnostic("VIEW-002", "warning", a.source, a.number, False, text, (), a.time))
    return found[:MOST_TOLD]
