"""Captures of both sides of a box that changes numbers, merged into one.

Owns: telling from the last packets of a connection that each of them is there twice, with two numberings.
Must never hold: what follows for a verdict (see ``connection``), or anything of a protocol.

The two copies of such a packet differ in nothing but their numbers, and these by the same amounts in all packets of
both directions. So do those of clocks, if the box changes these, too. No end does that with what it repeats.
Connections that follow each other may do so, but then the first numbering ends where the second begins.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from tcpmodel.checking.ends.sightings import Interpreter
from tcpmodel.checking.outcome.findings import Diagnostic
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

_CLOCKS = ("tsval", "tsecr")
"""Numbers of the sender's clock and of the peer's, which such a box may change by amounts of their own."""

Amounts = tuple[int, ...]


class _Copy(NamedTuple):
    """Where a packet stands, and its numbers of both ends."""

    place: int
    numbers: tuple[int, ...]


class _Pair(NamedTuple):
    """Who sent it, by what IP identifies it (0: by nothing), whether its copies came over different ways, and both."""

    source: str
    ip_id: int
    hops: bool
    first: _Copy
    second: _Copy


def two_numberings(packets: Iterable[Packet], interpreter: Interpreter) -> bool:
    """Do these packets, all between the same two ends, show that they were captured on both sides of such a box?"""
    numbers = {source: (space, needed) for source, space, needed, _ in interpreter.sources if space}
    changed = _CHANGED.union(numbers, _CLOCKS)
    waiting: dict[object, list[tuple[int, Packet]]] = {}
    found: dict[Amounts, list[_Pair]] = {}
    count = 0
    for count, packet in enumerate(packets, 1):
        fields = packet.fields
        clocked = _CLOCKS[0] in fields
        like = (
            packet.source,
            packet.flags,
            clocked,
            frozenset((key, fields[key]) for key in fields if key not in changed),
        )
        others = waiting.setdefault(like, [])
        flags = interpreter.flags(packet)
        for place, other in others:
            both: dict[str, tuple[int, int]] = {}
            for source, (space, needed) in numbers.items():
                if (not needed or flags & needed) and source in fields and source in other.fields:
                    both.setdefault(space, (other.fields[source], fields[source]))
            turn = 1 if packet.source < packet.destination else -1
            ends = tuple(both.values())[::turn]
            apart = tuple((now - before) % _MODULUS for before, now in ends)
            if len(apart) == 2 and any(apart):
                clocks = tuple((fields[key] - other.fields[key]) % _MODULUS for key in _CLOCKS if clocked)[::turn]
                amounts = min(apart + clocks, tuple(-each % _MODULUS for each in apart + clocks))
                hops = fields.get("ttl") != other.fields.get("ttl")
                first, second = (tuple(each[which] for each in ends) for which in (0, 1))
                pair = _Pair(packet.source, fields.get("ip_id", 0), hops, _Copy(place, first), _Copy(count, second))
                found.setdefault(amounts, []).append(pair)
                others.remove((place, other))
                break
        else:
            others.append((count, packet))
    return any(_certain(amounts, pairs, count) for amounts, pairs in found.items())


def silence(found: list[Diagnostic], reasons: list[str], spec: Spec) -> None:
    """Take out what was found of the ends, unless one message alone shows it: whose numbering is which is unknown."""
    reasons.append(TOLD)
    alone = {rule.id for rule in spec.packet_rules if rule.scope == "packet" or rule.needs == ("one",)}
    found[:] = [item for item in found if item.severity == "capture" or item.code in alone]


def _certain(amounts: Amounts, pairs: list[_Pair], count: int) -> bool:
    """Are these packets with both numberings, which differ by these amounts, many enough among so many packets?

    ``amounts``: those of the numbers of both ends, then of their clocks.
    """
    if not _enough(pairs, count):
        return False
    sizes = [min(each, _MODULUS - each) for each in amounts[:2]]
    if max(sizes) >= FAR and _beside(pairs, sizes.index(max(sizes))):
        return True
    named = [pair for pair in pairs if pair.ip_id]
    unlike = {(*pair[:3], pair.first.numbers, pair.second.numbers) for pair in named}
    apart = len({each[:3] for each in unlike}) == len(unlike)
    return (apart and _enough(named, count)) or all(pair.hops for pair in pairs)


def _enough(pairs: list[_Pair], count: int) -> bool:
    return len(pairs) >= PAIRS and 4 * len(pairs) >= count and len({pair.source for pair in pairs}) == 2


def _beside(pairs: list[_Pair], end: int) -> bool:
    """Does what has one numbering go on behind something with the other one? Connections that follow each other do not.

    ``end``: the one whose numbers lie farther apart.
    """
    for pair in pairs:
        own, other = pair.first.numbers[end], pair.second.numbers[end]
        for later in pairs:
            if later.source == pair.source and pair.second.place < later.first.place:
                number = later.first.numbers[end]
                if _far(number, own) < _far(number, other):
                    return True
    return False


def _far(one: int, other: int) -> int:
    apart = (one - other) % _MODULUS
    return min(apart, _MODULUS - apart)
