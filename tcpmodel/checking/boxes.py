"""Captures of both sides of a box that changes numbers, merged into one.

Owns: telling from the last packets of a connection that each of them is there twice, with two numberings.
Must never hold: what follows for a verdict (see ``connection``), or anything of a protocol.

The two copies of such a packet differ in nothing but their numbers, and these by the same amounts in all packets of
both directions. No end does that with what it repeats.
"""

from __future__ import annotations

from collections.abc import Iterable

from tcpmodel.checking.findings import Diagnostic
from tcpmodel.checking.sightings import Interpreter
from tcpmodel.model.spec import Spec
from tcpmodel.traces.records import Packet

TOLD = "both sides of a box that changes numbers were captured: two numberings stand side by side"

PAIRS = 3
"""So many packets at least are there with both numberings, those of both directions together."""

FAR = 1 << 20
"""Where neither IP nor TTL tells copies apart, numberings that lie closer may be those of text that goes on alike."""

_MODULUS = 1 << 32

_CHANGED = frozenset(("ttl", "checksum", "checksum_ok", "checksum_partial", "outgoing", "same_socket", "sack_high"))
"""The fields without a place in a numbering in which the two copies of a packet may differ."""

Amounts = tuple[int, int]
_Pair = tuple[str, int, bool]
"""Who sent it, by what IP identifies it (0: by nothing), and whether the copies had come over different ways."""


def two_numberings(packets: Iterable[Packet], interpreter: Interpreter) -> bool:
    """Do these packets, all between the same two ends, show that they were captured on both sides of such a box?"""
    numbers = {source: (space, needed) for source, space, needed, _ in interpreter.sources if space}
    changed = _CHANGED | set(numbers)
    waiting: dict[object, list[Packet]] = {}
    found: dict[Amounts, list[_Pair]] = {}
    count = 0
    for packet in packets:
        count += 1
        fields = packet.fields
        like = packet.source, packet.flags, frozenset((key, fields[key]) for key in fields if key not in changed)
        others = waiting.setdefault(like, [])
        flags = interpreter.flags(packet)
        for other in others:
            apart: dict[str, int] = {}
            for source, (space, needed) in numbers.items():
                if (not needed or flags & needed) and source in fields and source in other.fields:
                    apart.setdefault(space, (fields[source] - other.fields[source]) % _MODULUS)
            if len(apart) == 2 and any(apart.values()):
                ends = tuple(apart.values()) if packet.source < packet.destination else tuple(apart.values())[::-1]
                back = tuple(-each % _MODULUS for each in ends)
                amounts = min(ends, back)
                hops = fields.get("ttl") != other.fields.get("ttl")
                found.setdefault((amounts[0], amounts[1]), []).append((packet.source, fields.get("ip_id", 0), hops))
                others.remove(other)
                break
        else:
            others.append(packet)
    return any(_certain(amounts, pairs, count) for amounts, pairs in found.items())


def silence(found: list[Diagnostic], reasons: list[str], spec: Spec) -> None:
    """Take out what was found of the ends, unless one message alone shows it: whose numbering is which is unknown."""
    reasons.append(TOLD)
    alone = {rule.id for rule in spec.packet_rules if rule.scope == "packet" or rule.needs == ("one",)}
    found[:] = [item for item in found if item.severity == "capture" or item.code in alone]


def _certain(amounts: Amounts, pairs: list[_Pair], count: int) -> bool:
    """Are these packets with both numberings, which differ by these amounts, many enough among so many packets?"""
    if len(pairs) < PAIRS or 4 * len(pairs) < count or len({source for source, _, _ in pairs}) < 2:
        return False
    far = max(min(each, _MODULUS - each) for each in amounts) >= FAR
    named = all(ip_id for _, ip_id, _ in pairs) and len(set(pairs)) == len(pairs)
    return far or named or all(hops for _, _, hops in pairs)
