"""Faults in numbers, acknowledgments, windows and FINs, planted in a connection that is open."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

from conversation import ACK, FIN, MODULUS, PSH, RST, SYN, TICK, Segment, Segments
from planting import (
    Planted,
    altered,
    beyond,
    extra,
    fin,
    first,
    has,
    having,
    moved,
    plain,
    plant,
    text,
    three_in_a_row,
    unreached,
    unsent,
)

# ------------------------------------------------------------------------------------------------- acknowledgments


@altered("acknowledges text that was never sent", "TCP-ACK-001 TCP-FIN-003 TCP-HS-003", unsent)
def _(segments: Segments, index: int) -> Segment | None:
    each = plain(segments, index)
    return each and moved(each, ack=beyond(segments, 1 - each.side))


@extra("one more acknowledgment, of text that was never sent", "TCP-ACK-001 TCP-FIN-003 TCP-HS-003", unsent)
def _(segments: Segments, index: int) -> Segment | None:
    each = plain(segments, index)
    return each and moved(each, ack=beyond(segments, 1 - each.side), length=0)


@altered("acknowledges one octet more than was sent", "TCP-ACK-001 TCP-FIN-003 TCP-HS-003", unsent)
def _(segments: Segments, index: int) -> Segment | None:
    each = plain(segments, index)
    if each is None:
        return None
    ends = [other.end for other in segments if other.side != each.side and not other.flags & RST]
    sent = [other.end for other in segments[:index] if other.side != each.side and not other.flags & RST]
    farthest = max(((end - ends[0]) % MODULUS for end in ends), default=0)
    last = bool(sent) and (sent[-1] - ends[0]) % MODULUS == farthest and sent[-1] == each.ack
    return moved(each, ack=1) if last else None


@altered("acknowledges what lies behind the FIN", "TCP-FIN-003 TCP-ACK-001")
def _(segments: Segments, index: int) -> Segment | None:
    each = segments[index]
    fins = [other.end for other in segments[:index] if other.side != each.side and fin([other], 0)]
    return moved(each, ack=1) if fins and each.plain and each.ack == fins[-1] else None


@extra("acknowledges numbers from before the peer's first", "TCP-ACK-001 TCP-ACK-009 TCP-UNEXPLAINED")
def _(segments: Segments, index: int) -> Segment | None:
    each = plain(segments, index)
    return each and moved(each, ack=-(10**6), length=0)


def _same_before(segments: Segments, side: int) -> int:
    """How many empty segments at the end of what this side sent say the same as its last."""
    mine = [each for each in segments if each.side == side]
    count = 0
    for each in reversed(mine):
        if each.flags != ACK or each.length or (each.seq, each.ack) != (mine[-1].seq, mine[-1].ack):
            break
        count += 1
    return count


@plant("an exchange of empty acknowledgments without end", "TCP-ACK-008")
def _(segments: Segments, index: int) -> Planted | None:
    last = [next((each for each in reversed(segments) if each.side == side), None) for side in (0, 1)]
    if index != len(segments) - 1 or any(each is None or each.flags != ACK or each.length for each in last):
        return None
    storm, counts = list(segments), [_same_before(segments, 0), _same_before(segments, 1)]
    for number in range(40):
        side = (segments[-1].side + 1 + number) % 2
        each = last[side]
        assert each is not None
        storm.append(replace(each, time=segments[-1].time + (number + 1) * TICK // 100, ip_id=0))
        counts[side] += 1
        if counts[side] == 11 and counts[1 - side] >= 11:
            return [*storm, *(replace(other, time=storm[-1].time + TICK // 100) for other in storm[-2:])], len(
                storm
            ) - 1
    return None


# -------------------------------------------------------------------------------------------------- after the FIN


@extra("text after the FIN", "TCP-FIN-001")
def _(segments: Segments, index: int) -> Segment | None:
    each = fin(segments, index)
    return each and moved(each, seq=each.length + 1, flags=ACK | PSH, length=4)


@extra("text over the FIN", "TCP-FIN-001")
def _(segments: Segments, index: int) -> Segment | None:
    each = fin(segments, index)
    return each and replace(each, flags=ACK | PSH, length=each.length + 9)


@plant("text beyond a FIN that comes later", "TCP-FIN-001 TCP-FIN-002 TCP-UNEXPLAINED")
def _(segments: Segments, index: int) -> Planted | None:
    # Which of the two is wrong, nobody can tell; what stands second does not fit the first.
    each = fin(segments, index)
    if each is None or any(other.flags & FIN and other.side == each.side for other in segments[:index]):
        return None
    early = moved(each, seq=each.length, flags=ACK | PSH, length=9, time=each.time - TICK // 1000)
    mine = [*segments[:index], early, *segments[index:]]
    return [
        replace(other, ip_id=(other.ip_id + 1) % 65536)
        if at > index and other.side == each.side and other.ip_id
        else other
        for at, other in enumerate(mine)
    ], index + 1


@extra("a second FIN behind the first", "TCP-FIN-002")
def _(segments: Segments, index: int) -> Segment | None:
    each = fin(segments, index)
    return each and moved(each, seq=each.length + 7, length=0)


@extra("a second FIN before the first", "TCP-FIN-002")
def _(segments: Segments, index: int) -> Segment | None:
    each = fin(segments, index)
    if each is None:
        return None
    start = next(other.end for other in segments if other.side == each.side)
    room = (each.seq + each.length - start) % MODULUS
    return moved(each, seq=each.length - 3, length=0) if 3 < room < MODULUS // 2 else None


# ----------------------------------------------------------------------------------------------- numbers and windows


@extra("an acknowledgment numbered far ahead", "TCP-SEQ-007 TCP-UNEXPLAINED", unreached)
def _(segments: Segments, index: int) -> Segment | None:
    each = plain(segments, index)
    return each and moved(each, seq=10**6, length=0)


@extra("an acknowledgment numbered before the first", "TCP-SEQ-007 TCP-UNEXPLAINED")
def _(segments: Segments, index: int) -> Segment | None:
    each = plain(segments, index)
    return each and moved(each, seq=-(10**6), length=0)


@extra("text numbered before the first", "TCP-SEQ-007 TCP-UNEXPLAINED")
def _(segments: Segments, index: int) -> Segment | None:
    each = plain(segments, index)
    return each and moved(each, seq=-(10**6), length=4)


@extra(
    "text far beyond any window",
    "TCP-SEQ-003 TCP-SEQ-001 TCP-SEQ-007 TCP-UNEXPLAINED TCP-FIN-001",
    unreached,
)
def _(segments: Segments, index: int) -> Segment | None:
    each = plain(segments, index)
    return each and moved(each, seq=2 * 10**9, length=4)


def _shifts(segments: Segments) -> tuple[int, int] | None:
    found = []
    for side in (0, 1):
        syn = next((each for each in segments if each.side == side and each.flags & SYN), None)
        if syn is None or not has(syn, 3):
            return None
        at = syn.options.index(b"\3\3")
        found.append(syn.options[at + 2])
    return found[0], found[1]


def _acknowledged(planted: Segments, index: int) -> str:
    each = planted[index]
    mine = [other for other in planted if other.side != each.side]
    later = [other for other in planted[index + 1 :] if other.side != each.side]
    for before, other in pairwise(mine):
        if other in later and other.flags & ACK and (other.ack - each.end) % MODULUS < MODULUS // 2:
            following = (other.ip_id - before.ip_id) % 65536 == 1 and before not in later
            return "" if following else "the capture may have lost what opened the window"
    return "nothing shows what was told of the window meanwhile"


@plant("text into a closed window", "TCP-SEQ-001", _acknowledged)
def _(segments: Segments, index: int) -> Planted | None:
    each = text(segments, index)
    if each is None or each.length < 2:
        return None
    before = [at for at, other in enumerate(segments[:index]) if other.side != each.side]
    if not before or not text(segments, before[-1]) or segments[before[-1]].end != each.ack:
        return None
    if any((other.end - each.end) % MODULUS < MODULUS // 2 for other in segments[:index] if other.side == each.side):
        return None
    closed = list(segments)
    closed[before[-1]] = replace(segments[before[-1]], window=0)
    return closed, index


@altered("takes back a part of the window", "TCP-WIN-001")
def _(segments: Segments, index: int) -> Segment | None:
    each, shifts = plain(segments, index), _shifts(segments)
    before = [other for other in segments[:index] if other.side == (each.side if each else 2) and other.flags & ACK]
    if each is None or shifts is None or not before:
        return None
    last, shift = before[-1], shifts[each.side]
    grown = (
        each.ack - max(before, key=lambda other: (other.ack - first(segments, 1 - each.side)) % MODULUS).ack
    ) % MODULUS
    edge = (last.ack + (last.window << (0 if last.flags & SYN else shift)) - each.ack) % MODULUS
    room = (edge - 4096) >> shift
    return replace(each, window=room) if 0 < grown < MODULUS // 2 and 0 < room < 65536 else None


@extra("the same numbers with other text", "TCP-SEQ-004")
def _(segments: Segments, index: int) -> Segment | None:
    each = plain(segments, index)
    return replace(each, content=77) if each is not None and each.length > 1 else None


@extra("a keep-alive while text waits", "TCP-KA-002", vantage="sender")
def _(segments: Segments, index: int) -> Segment | None:
    each = text(segments, index)
    if (
        each is None
        or each.length < 2
        or any(
            (other.end - each.end - 1) % MODULUS < MODULUS // 2 for other in segments[:index] if other.side == each.side
        )
    ):
        return None
    return moved(each, seq=each.length - 1, length=0, flags=ACK)


# ---------------------------------------------------------------------------------------------------------- timestamps


@altered(
    "its clock runs backwards", "TCP-OPT-012", three_in_a_row("the segments may have been captured in another order")
)
def _(segments: Segments, index: int) -> Segment | None:
    each = plain(segments, index)
    if each is None or not has(each, 8):
        return None
    at = each.options.index(b"\x08\x0a")
    stamp = int.from_bytes(each.options[at + 2 : at + 6], "big")
    data = ((stamp - 5000) % MODULUS).to_bytes(4, "big") + each.options[at + 6 : at + 10]
    return replace(each, options=having(each, b"\x08\x0a" + data, 8))
