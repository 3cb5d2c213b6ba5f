"""How a fault is planted in a conversation, and what of a capture could prove it there.

Owns: the registry of faults, changing a segment or adding one, and the arguments by which a planted fault is proven or
not: they know the conversation that was written, never the checker.
Must never hold: the faults themselves (see ``plants``), how a segment is written (see ``conversation``), or whether a
fault is found (see ``planted``).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import pairwise

from conversation import ACK, FIN, MODULUS, RST, SYN, TICK, Segment, Segments, options_of

Planted = tuple[Segments, int]
"""The conversation with the fault, and the index of the segment that breaks the rule."""

Change = Callable[[Segments, int], "Segment | None"]
Doubt = Callable[[Segments, int], str]
"""Why a capture of a planted conversation does not prove the fault at its place; "" where it does."""


def proven(planted: Segments, index: int) -> str:
    """The segment alone, or with what stands before and behind it in any capture of the conversation, is the proof."""
    return ""


def because(reason: str) -> Doubt:
    """The same reason at every place."""
    return lambda planted, index: reason


@dataclass(frozen=True, slots=True)
class Plant:
    """``ids`` are the names that are right for it, the best one first. ``at`` plants it at an index, or cannot (None).

    ``doubt`` says why the capture does not prove it where it stands. ``vantage``: where the capture is said to be made,
    "sender" for the end that is at fault.
    """

    name: str
    ids: tuple[str, ...]
    at: Callable[[Segments, int], Planted | None]
    doubt: Doubt = proven
    vantage: str = "auto"


PLANTS: list[Plant] = []


def plant(
    name: str, ids: str, doubt: Doubt = proven, vantage: str = "auto"
) -> Callable[[Callable[[Segments, int], Planted | None]], None]:
    """A fault that takes more than one segment: the function makes the whole conversation."""

    def register(at: Callable[[Segments, int], Planted | None]) -> None:
        PLANTS.append(Plant(name, tuple(ids.split()), at, doubt, vantage))

    return register


def altered(name: str, ids: str, doubt: Doubt = proven, vantage: str = "auto") -> Callable[[Change], None]:
    """The segment at the index is changed."""

    def register(change: Change) -> None:
        def at(segments: Segments, index: int) -> Planted | None:
            wrong = change(segments, index)
            return None if wrong is None else ([*segments[:index], wrong, *segments[index + 1 :]], index)

        plant(name, ids, doubt, vantage)(at)

    return register


def extra(name: str, ids: str, doubt: Doubt = proven, vantage: str = "auto") -> Callable[[Change], None]:
    """One more segment behind that at the index, of the same end unless the change says otherwise."""

    def register(change: Change) -> None:
        def at(segments: Segments, index: int) -> Planted | None:
            wrong = change(segments, index)
            return None if wrong is None else (added(segments, index, wrong), index + 1)

        plant(name, ids, doubt, vantage)(at)

    return register


def added(segments: Segments, index: int, wrong: Segment) -> Segments:
    """The conversation with one more segment behind that at the index; its end counts it as it counts the others."""
    counted = _counted(segments, wrong.side)
    mine = [segments[at].ip_id for at in counted if at > index]
    past = [segments[at].ip_id for at in counted if at <= index]
    number = mine[0] if mine else (past[-1] + 1) % 65536 if past else 7777
    wrong = replace(wrong, time=segments[index].time + TICK // 1000, ip_id=number)
    later = [
        replace(each, ip_id=(each.ip_id + 1) % 65536) if at in counted and at > index else each
        for at, each in enumerate(segments)
    ]
    return [*later[: index + 1], wrong, *later[index + 1 :]]


def _counted(segments: Segments, side: int) -> list[int]:
    """Where its segments are to which it gives the next identification: 0 stands for none, or comes after 65535."""
    found: list[int] = []
    for at, each in enumerate(segments):
        if each.side == side and (each.ip_id or (found and segments[found[-1]].ip_id == 65535)):
            found.append(at)
    return found


def put_in(segments: Segments, index: int, wrong: Segment) -> Segments:
    """As ``added``, and all that its end sends later is numbered behind the text of the new segment."""
    later = []
    for each in added(segments, index, wrong)[index + 2 :]:
        seq, ack = (wrong.length, 0) if each.side == wrong.side else (0, wrong.length if each.flags & ACK else 0)
        later.append(moved(each, seq=seq, ack=ack))
    return [*added(segments, index, wrong)[: index + 2], *later]


# ------------------------------------------------------------------------------------------------- small helpers


def moved(each: Segment, *, seq: int = 0, ack: int = 0, **other: int) -> Segment:
    """The segment with its numbers moved, and with other fields as they are given."""
    return replace(each, seq=(each.seq + seq) % MODULUS, ack=(each.ack + ack) % MODULUS, **other)  # type: ignore[arg-type]


def without(each: Segment, *kinds: int) -> bytes:
    """Its options without those of these kinds."""
    parts = [(kind, data) for kind, data in options_of(each.options) if kind not in kinds and kind > 1]
    raw = b"".join(bytes((kind, len(data) + 2)) + data for kind, data in parts)
    return raw + b"\1" * (-len(raw) % 4)


def has(each: Segment, kind: int) -> bool:
    """Whether it has an option of this kind."""
    return any(found == kind for found, _ in options_of(each.options))


def having(each: Segment, raw: bytes, *other: int) -> bytes:
    """Its options and one more, without those of the ``other`` kinds."""
    options = without(each, *other) + raw
    return options + b"\1" * (-len(options) % 4)


def third(segments: Segments, index: int) -> Segment | None:
    """The third segment of an ordinary handshake, if this is it."""
    if index != 2 or segments[0].flags != SYN or segments[1].flags != SYN | ACK or segments[2].side or segments[0].side:
        return None
    return segments[2] if segments[2].plain else None


def opening(segments: Segments, index: int, flags: int) -> Segment | None:
    """A segment with exactly these of SYN, ACK and RST."""
    each = segments[index]
    return each if each.flags & (SYN | ACK | RST) == flags else None


def plain(segments: Segments, index: int) -> Segment | None:
    """A plain acknowledgment once both ends are synchronised."""
    both = {each.side for each in segments[:index] if each.flags & SYN}
    return segments[index] if segments[index].plain and len(both) == 2 else None


def text(segments: Segments, index: int) -> Segment | None:
    """The same, with text."""
    each = plain(segments, index)
    return each if each is not None and each.length else None


def fin(segments: Segments, index: int) -> Segment | None:
    """A FIN and no other control."""
    each = segments[index]
    return each if each.flags & FIN and not each.flags & (SYN | RST) else None


def first(segments: Segments, side: int) -> int:
    """The initial number of a side."""
    return next((each.seq for each in segments if each.side == side), 0)


def top(segments: Segments, side: int) -> int:
    """How far behind its initial number the highest lies that a side used."""
    origin = first(segments, side)
    ends = ((each.end - origin) % MODULUS for each in segments if each.side == side and not each.flags & RST)
    return max((end for end in ends if end < MODULUS // 2), default=0)


def beyond(segments: Segments, side: int) -> int:
    """Some distance that leads beyond everything that ``side`` sends in the whole conversation."""
    return top(segments, side) + 70001


# --------------------------------------------------------------------------------- what proves that nothing was sent


def ended_before(planted: Segments, side: int, number: int) -> bool:
    """Does a FIN of this side, wherever it stands, show that it never used a number as high as the one before this?"""
    ends = [each.end for each in planted if each.side == side and each.flags & FIN and not each.flags & (SYN | RST)]
    return any(0 < (number - end) % MODULUS < MODULUS // 2 for end in ends)


def in_a_row(ids: list[int]) -> bool:
    """Does each identification follow the one before?"""
    return all((b - a) % 65536 == 1 for a, b in pairwise(ids))


def three_in_a_row(reason: str) -> Doubt:
    """The identifications of the segment and of the two before it of the same end follow each other."""

    def doubt(planted: Segments, index: int) -> str:
        ids = [other.ip_id for other in planted[: index + 1] if other.side == planted[index].side][-3:]
        return "" if len(ids) == 3 and in_a_row(ids) else reason

    return doubt


def counted(planted: Segments, side: int, index: int, more: int = 0) -> bool:
    """Do its identifications show that this side sent nothing but what stands here, from its SYN up to ``index``?

    ``more``: and so do as many segments that it sent later.
    """
    mine = [each.ip_id for each in planted[:index] if each.side == side]
    later = [each.ip_id for each in planted[index:] if each.side == side]
    row = mine + later[:more]
    return len(mine) > 0 and len(later) >= more and len(row) > 1 and in_a_row(row)


def unsent(planted: Segments, index: int) -> str:
    """For an acknowledgment of what its peer never sent."""
    each = planted[index]
    peer = 1 - each.side
    if ended_before(planted, peer, each.ack) or counted(planted, peer, index, 2):
        return ""
    return "the peer may have sent it, and the capture may have lost it"


def unreached(planted: Segments, index: int) -> str:
    """For a number that lies above all that its end has used."""
    each = planted[index]
    if len({other.side for other in planted[:index] if other.flags & FIN}) == 2:
        return "it may belong to a connection after this one, the beginning of which was lost"
    if ended_before(planted, each.side, each.end) or counted(planted, each.side, index + 1):
        return ""
    return "the text before it may be missing from the capture"


def followed(side_of: int, more: int, reason: str) -> Doubt:
    """The end at fault (0) or its peer (1) sends ``more`` segments afterwards with identifications in a row."""

    def doubt(planted: Segments, index: int) -> str:
        side = planted[index].side ^ side_of
        ids = [each.ip_id for each in planted[:index] if each.side == side][-1:]
        ids += [each.ip_id for each in planted[index + (side_of == 0) :] if each.side == side][:more]
        return "" if len(ids) == more + 1 and in_a_row(ids) else reason

    return doubt
