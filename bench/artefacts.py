"""What a bad capture makes of a conversation that conforms: nobody is at fault.

Owns: the list of artefacts, each made at a place of the conversation.
Must never hold: how a segment is written (see ``conversation``), or what is said of it (see ``planted``).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from conversation import ACK, MODULUS, PSH, RST, SYN, TICK, Segment, Segments, options_of, shifted

Artefact = Callable[[Segments, int], "Segments | None"]
ARTEFACTS: dict[str, Artefact] = {}


def artefact(name: str) -> Callable[[Artefact], Artefact]:
    """Register an artefact; it gives None where it cannot be."""

    def register(make: Artefact) -> Artefact:
        ARTEFACTS[name] = make
        return make

    return register


def _more(each: Segment, *what: str) -> Segment:
    return replace(each, more=each.more | set(what))


@artefact("one packet is lost")
def _(segments: Segments, index: int) -> Segments | None:
    return segments[:index] + segments[index + 1 :]


@artefact("three packets in a row are lost")
def _(segments: Segments, index: int) -> Segments | None:
    return segments[:index] + segments[index + 3 :] or None


@artefact("every third packet is lost")
def _(segments: Segments, index: int) -> Segments | None:
    return [each for number, each in enumerate(segments) if (number + index) % 3]


@artefact("a packet twice")
def _(segments: Segments, index: int) -> Segments | None:
    return [*segments[: index + 1], segments[index], *segments[index + 1 :]]


@artefact("a packet again, five packets later")
def _(segments: Segments, index: int) -> Segments | None:
    return [
        *segments[: index + 6],
        replace(segments[index], time=segments[min(index + 5, len(segments) - 1)].time + 1000),
        *segments[index + 6 :],
    ]


@artefact("each packet twice")
def _(segments: Segments, index: int) -> Segments | None:
    return [copy for each in segments for copy in (each, each)] if not index else None


@artefact("each packet twice, forwarded with another TTL and hardware address")
def _(segments: Segments, index: int) -> Segments | None:
    if index:
        return None
    return [
        copy
        for each in segments
        for copy in (each, _more(replace(each, ttl=each.ttl - 1, time=each.time + 9000), "other hardware"))
    ]


@artefact("two packets are swapped")
def _(segments: Segments, index: int) -> Segments | None:
    if index + 1 >= len(segments):
        return None
    return [*segments[:index], segments[index + 1], segments[index], *segments[index + 2 :]]


@artefact("a packet comes four packets late")
def _(segments: Segments, index: int) -> Segments | None:
    rest = segments[:index] + segments[index + 1 :]
    return [*rest[: index + 4], segments[index], *rest[index + 4 :]]


@artefact("the capture starts late")
def _(segments: Segments, index: int) -> Segments | None:
    return segments[index:] if index else None


@artefact("the capture ends early")
def _(segments: Segments, index: int) -> Segments | None:
    return segments[: index + 1]


@artefact("one direction")
def _(segments: Segments, index: int) -> Segments | None:
    return [each for each in segments if each.side == index] if index < 2 else None


@artefact("the clock steps back")
def _(segments: Segments, index: int) -> Segments | None:
    return segments[:index] + [replace(each, time=max(0, each.time - 3 * 10**9)) for each in segments[index:]]


@artefact("checksums are left to the network card")
def _(segments: Segments, index: int) -> Segments | None:
    return (
        [replace(each, checksum="pseudo") if each.side == index else each for each in segments] if index < 2 else None
    )


@artefact("segments are cut by the card: no length in the IP header")
def _(segments: Segments, index: int) -> Segments | None:
    return [_more(each, "no length") if each.side == index else each for each in segments] if index < 2 else None


@artefact("segments are merged")
def _(segments: Segments, index: int) -> Segments | None:
    merged: Segments = []
    for each in segments:
        last = merged[-1] if merged else None
        joins = last is not None and last.plain and each.plain and last.length and each.length
        if last is not None and joins and last.side == each.side and last.end == each.seq:
            both, flags = last.length + each.length, last.flags | each.flags & PSH
            merged[-1] = replace(last, length=both, ack=each.ack, flags=flags)
            continue
        merged.append(each)
    return merged if not index and len(merged) < len(segments) else None


@artefact("packets are cut behind the headers")
def _(segments: Segments, index: int) -> Segments | None:
    return (
        [replace(each, kept=14 + 20 + 20 + (len(each.options) + 3) // 4 * 4) for each in segments]
        if not index
        else None
    )


@artefact("packets are cut in the header of TCP")
def _(segments: Segments, index: int) -> Segments | None:
    return [replace(each, kept=14 + 20 + 20) for each in segments] if not index else None


@artefact("a packet in fragments")
def _(segments: Segments, index: int) -> Segments | None:
    if segments[index].length < 16:
        return None
    return [*segments[:index], _more(segments[index], "fragments"), *segments[index + 1 :]]


@artefact("of a packet in fragments, all but the first are lost")
def _(segments: Segments, index: int) -> Segments | None:
    if segments[index].length < 16:
        return None
    return [*segments[:index], _more(segments[index], "first fragment"), *segments[index + 1 :]]


@artefact("all packets bear the same time")
def _(segments: Segments, index: int) -> Segments | None:
    return [replace(each, time=segments[0].time) for each in segments] if not index else None


@artefact("packets were seen at two interfaces, one end at each")
def _(segments: Segments, index: int) -> Segments | None:
    return [_more(each, "other interface") if each.side else each for each in segments] if not index else None


@artefact("each packet was seen at two interfaces")
def _(segments: Segments, index: int) -> Segments | None:
    if index:
        return None
    copies = [
        (each, _more(replace(each, ttl=each.ttl - 1, time=each.time + 9000), "other interface")) for each in segments
    ]
    return [copy for both in copies for copy in both]


@artefact("a tunnel in one direction")
def _(segments: Segments, index: int) -> Segments | None:
    return [_more(each, "tunnel") if each.side == index else each for each in segments] if index < 2 else None


@artefact("both ends are one host, which works out no checksum")
def _(segments: Segments, index: int) -> Segments | None:
    return [_more(replace(each, checksum="pseudo"), "loopback") for each in segments] if not index else None


@artefact("a box changes the numbers of one end, but not those of its SACK blocks")
def _(segments: Segments, index: int) -> Segments | None:
    each = segments[index]
    if not each.plain or not any(other.side != each.side and other.length for other in segments[:index]):
        return None
    edges = b"".join(((each.ack + 10**9 + more) % MODULUS).to_bytes(4, "big") for more in (1, 9))
    bare = [(kind, data) for kind, data in options_of(each.options) if kind not in (0, 1, 5)]
    raw = b"".join(bytes((kind, len(data) + 2)) + data for kind, data in bare) + b"\5\12" + edges
    wrong = replace(each, options=raw + b"\1" * (-len(raw) % 4))
    return [*segments[:index], wrong, *segments[index + 1 :]]


@artefact("the host that captures resets what it does not know")
def _(segments: Segments, index: int) -> Segments | None:
    each = segments[index]
    if not each.flags & ACK or each.flags & RST or each.side == segments[0].side:
        return None
    reset = replace(each, side=1 - each.side, seq=each.ack, ack=0, flags=RST, length=0, options=b"", window=0, ip_id=0)
    return [*segments[: index + 1], replace(reset, time=each.time + 1000), *segments[index + 1 :]]


@artefact("short frames are padded")
def _(segments: Segments, index: int) -> Segments | None:
    return [_more(each, "padding") for each in segments] if not index else None


@artefact("VLAN tags in one direction")
def _(segments: Segments, index: int) -> Segments | None:
    return [_more(each, "tag") if each.side == index else each for each in segments] if index < 2 else None


@artefact("captures of both ends are merged, with clocks apart")
def _(segments: Segments, index: int) -> Segments | None:
    if index > 2:
        return None
    offset = (0, 40_000, 2_000_000)[index]
    copies = [(each.time + (30_000 if each.side else 0), each) for each in segments]
    copies += [
        (each.time + offset + (0 if each.side else 30_000), _more(replace(each, ttl=each.ttl - 1), "other hardware"))
        for each in segments
    ]
    return [replace(each, time=time) for time, each in sorted(copies, key=lambda pair: pair[0])]


def _again(segments: Segments, by: tuple[int, int]) -> Segments | None:
    if not segments[0].flags & SYN:
        return None
    later = segments[-1].time - segments[0].time + TICK
    return segments + [replace(each, time=each.time + later) for each in shifted(segments, by)]


@artefact("the ports are used again at once")
def _(segments: Segments, index: int) -> Segments | None:
    numbers = ((10**6, 2 * 10**6), (MODULUS - 10**6, 5), (2**31 + 9, 2**31 - 9), (65537, 3 * 10**9))
    return _again(segments, numbers[index]) if index < 4 else None


@artefact("the ports are used again, and the first packets of it are lost")
def _(segments: Segments, index: int) -> Segments | None:
    numbers = ((10**9, 2 * 10**9), (MODULUS - 10**9, 10**9), (2**31 + 9, 2**31 - 9), (65537, 3 * 10**9))
    again = _again(segments, numbers[index]) if index < 4 else None
    return None if again is None else again[: len(segments)] + again[len(segments) + 1 + index % 2 :]


@artefact("a box between the ends resets")
def _(segments: Segments, index: int) -> Segments | None:
    each = segments[index]
    if not each.flags & ACK or each.flags & (SYN | RST):
        return None
    reset = replace(each, flags=RST | ACK, length=0, ttl=200, options=b"", time=each.time + 1000)
    return [*segments[: index + 1], reset, *segments[index + 1 :]]
