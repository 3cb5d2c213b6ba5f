"""Two captures of one connection, packet by packet.

Owns: finding the packets that both show, and what is said where they show them differently.
Must never hold: the meaning of a field, or a verdict.

A packet that only one of them shows was lost, or went another way, and says nothing. One that both show is told by what
no box on the way has a reason to change: its identification, and all but one of its fields.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence

from tcpmodel.checking.outcome.findings import ConnectionReport, Diagnostic, Report
from tcpmodel.traces.records import Packet

MOST = 1000
"""So many packets of each direction are compared."""

MOST_TOLD = 5
"""So many packets that differ are told one by one."""

LEAST_SAME = 3
"""So many packets with the same numbers, of both ends, are one connection whatever the clocks say."""

STEADY = 10**9
"""Nanoseconds by which two clocks may drift apart meanwhile."""

_NUMBERS = ("seq", "ack", "urgent")
"""Fields that stand for the same octets wherever a packet is seen; boxes that change them do so in every packet."""

_SAME = (("seq",), ("ack",), ("length",), ("urgent",), ("payload_sum",), ("tsval", "tsecr"), ("window",), ("mss",))
"""Things of which at most one may differ between two sights of one packet."""

_REWRITTEN = ("mss", "wscale", "sackok", "window", "tsval", "tsecr", "tfo")
"""Fields that boxes on the way are known to change."""

Key = tuple[object, ...]


def compare(
    first: Sequence[Packet], second: Sequence[Packet], ends: Sequence[str], other: ConnectionReport, report: Report
) -> list[Diagnostic] | None:
    """What two captures show differently; None if nothing says that they are of one connection.

    ``ends``: the addresses of both; ``other``: the report of the second.
    """
    pairs: list[tuple[Packet, Packet]] = []
    shared = 0
    for sender in ends:
        mine = [packet for packet in first if packet.source == sender][:MOST]
        theirs = [packet for packet in second if packet.source == sender][:MOST]
        same = _pairs(mine, theirs, _content)
        shared += len(same)
        told = [pair for pair in same if _same_packet(*pair)]
        known = {id(packet) for pair in told for packet in pair}
        others = _pairs(mine, theirs, _identification)
        pairs += told + [pair for pair in others if id(pair[0]) not in known and id(pair[1]) not in known]
    if not shared:
        return None
    path = report.inputs[other.input].path
    alike = [pair for pair in pairs if _alike(*pair)]
    return _changed(alike, path) + _wrong(alike, path)


def clocks_apart(first: Sequence[Packet], second: Sequence[Packet], ends: Sequence[str]) -> int | None:
    """By how many nanoseconds the clock of the second capture is ahead, if both certainly show the same packets.

    None if they do not: then their addresses served two connections at two times.
    """
    ahead: list[int] = []
    for sender in ends:
        mine = [packet for packet in first if packet.source == sender][:MOST]
        theirs = [packet for packet in second if packet.source == sender][:MOST]
        same = _pairs(mine, theirs, _content)
        if not same or any(_differ(a, b, key) is not None for a, b in same for key in ("ip_id", "tsval", "tsecr")):
            return None
        ahead += [b.time - a.time for a, b in same if a.time is not None and b.time is not None]
    if len(ahead) < LEAST_SAME or max(ahead) - min(ahead) > STEADY:
        return None
    return sorted(ahead)[len(ahead) // 2]


def _pairs(
    mine: Sequence[Packet], theirs: Sequence[Packet], key: Callable[[Packet], Key | None]
) -> list[tuple[Packet, Packet]]:
    """The packets with the same key, if that occurs once in either."""
    ours, others = _once(mine, key), _once(theirs, key)
    return [(packet, others[value]) for value, packet in ours.items() if value in others]


def _same_packet(a: Packet, b: Packet) -> bool:
    """Are two packets with the same content one? Some stacks leave the identification 0 until a connection is made."""
    if "ip_id" not in a.fields or a.fields["ip_id"] != b.fields.get("ip_id"):
        return False
    return a.fields["ip_id"] != 0 or a.fields.get("tsval") == b.fields.get("tsval")


def _alike(a: Packet, b: Packet) -> bool:
    """Identifications come again: but for one thing that was changed, two packets have to be the same."""
    off = int(a.flags != b.flags)
    for keys in _SAME:
        off += any(_differ(a, b, key) is not None for key in keys)
    return off <= 1


def _once(packets: Sequence[Packet], key: Callable[[Packet], Key | None]) -> dict[Key, Packet]:
    keyed = [(value, packet) for packet in packets if (value := key(packet)) is not None]
    counts = Counter(value for value, _ in keyed)
    return {value: packet for value, packet in keyed if counts[value] == 1}


def _content(packet: Packet) -> Key | None:
    fields = packet.fields
    if "seq" not in fields or packet.flags is None:
        return None
    return (packet.flags, *(fields.get(key) for key in ("seq", "ack", "length", "window")))


def _identification(packet: Packet) -> Key | None:
    return ("id", packet.fields["ip_id"]) if packet.fields.get("ip_id") else None


def _differ(a: Packet, b: Packet, key: str) -> tuple[int, int] | None:
    mine, theirs = a.fields.get(key), b.fields.get(key)
    return None if mine is None or theirs is None or mine == theirs else (mine, theirs)


def _changed(pairs: Sequence[tuple[Packet, Packet]], path: str) -> list[Diagnostic]:
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


def _wrong(pairs: Sequence[tuple[Packet, Packet]], path: str) -> list[Diagnostic]:
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
