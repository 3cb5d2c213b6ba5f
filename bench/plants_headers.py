"""Faults in the header and the options of one segment."""

from __future__ import annotations

from dataclasses import replace

from conversation import ACK, FIN, MODULUS, RST, SYN, Segment, Segments, options_of
from planting import (
    Planted,
    altered,
    beyond,
    followed,
    has,
    having,
    opening,
    plain,
    plant,
    text,
    without,
)

MSS, SCALE, SACK_OK = b"\2\4\5\xb4", b"\3\3\7", b"\4\2"
STAMP, BLOCK = 8, 5


@altered("MSS in the middle", "TCP-OPT-001")
def _(segments: Segments, index: int) -> Segment | None:
    each = plain(segments, index)
    return each and replace(each, options=having(each, MSS, BLOCK))


@altered("window scale in the middle", "TCP-OPT-002")
def _(segments: Segments, index: int) -> Segment | None:
    each = plain(segments, index)
    return each and replace(each, options=having(each, SCALE, BLOCK))


@altered("SACK-permitted in the middle", "TCP-OPT-005")
def _(segments: Segments, index: int) -> Segment | None:
    each = plain(segments, index)
    return each and replace(each, options=having(each, SACK_OK, BLOCK))


def _refused(segments: Segments, index: int, kind: int) -> tuple[Segments, Segment] | None:
    """The conversation as if the opener had not offered an option and nobody used it, and the SYN,ACK as it is."""
    answer = opening(segments, index, SYN | ACK)
    if answer is None or index != 1 or not has(answer, kind):
        return None
    bare = [replace(each, options=without(each, kind)) for each in segments]
    if kind == 3:
        bare = [each if each.flags & SYN else replace(each, window=60000) for each in bare]
    return bare, answer


for _name, _ids, _kind in (
    ("window scale in a SYN,ACK that nobody asked for", "TCP-OPT-003", 3),
    ("timestamps in a SYN,ACK that nobody asked for", "TCP-OPT-010", STAMP),
):

    def _unasked(segments: Segments, index: int, kind: int = _kind) -> Planted | None:
        made = _refused(segments, index, kind)
        return None if made is None else ([made[0][0], made[1], *made[0][2:]], index)

    plant(_name, _ids)(_unasked)


@plant("SACK blocks that nobody permitted", "TCP-OPT-006")
def _(segments: Segments, index: int) -> Planted | None:
    each = plain(segments, index)
    sent = [other for other in segments[:index] if each is not None and other.side != each.side and other.length]
    if each is None or not sent:
        return None
    bare = [replace(other, options=without(other, 4, BLOCK)) for other in segments]
    edges = sent[-1].seq.to_bytes(4, "big") + sent[-1].end.to_bytes(4, "big")
    bare[index] = replace(bare[index], options=having(bare[index], b"\5\12" + edges))
    return bare, index


@altered("a shift of more than 14", "TCP-OPT-004")
def _(segments: Segments, index: int) -> Segment | None:
    each = segments[index]
    return replace(each, options=having(each, b"\3\3\17", 3)) if each.flags & SYN else None


def _agreed(segments: Segments) -> bool:
    return {other.side for other in segments if other.flags & SYN and has(other, STAMP)} == {0, 1}


@altered("text without the timestamps that were agreed on", "TCP-OPT-011")
def _(segments: Segments, index: int) -> Segment | None:
    each = text(segments, index)
    return replace(each, options=without(each, STAMP)) if each and has(each, STAMP) and _agreed(segments) else None


def _says_little(planted: Segments, index: int) -> str:
    """A proof where it acknowledges something new, its sender had done so before, and nobody has closed."""
    each = planted[index]
    mine = [other for other in planted[:index] if other.side == each.side and other.plain]
    news = bool(mine) and all(0 < (each.ack - other.ack) % MODULUS < MODULUS // 2 for other in mine)
    closed = any(other.flags & FIN for other in planted[:index])
    last = bool(mine) and mine[-1].end == each.seq and mine[-1].ttl == each.ttl
    return "" if news and last and not closed else "keep-alives and acknowledgments of some stacks have none"


@altered("an empty segment without the timestamps that were agreed on", "TCP-OPT-011", _says_little)
def _(segments: Segments, index: int) -> Segment | None:
    each = plain(segments, index)
    if each is None or each.length or not has(each, STAMP) or not _agreed(segments):
        return None
    return replace(each, options=without(each, STAMP))


@altered("a SACK block that ends where it begins", "TCP-OPT-007")
def _(segments: Segments, index: int) -> Segment | None:
    each = plain(segments, index)
    if each is None:
        return None
    edge = each.ack.to_bytes(4, "big")
    return replace(each, options=having(each, b"\5\12" + edge + edge, BLOCK))


@altered("a SACK option of nine octets", "TCP-OPT-007")
def _(segments: Segments, index: int) -> Segment | None:
    each = plain(segments, index)
    return each and replace(each, options=having(each, b"\5\x09" + bytes(7), BLOCK))


_LATER = followed(1, 2, "the peer may have sent it, and the capture may have lost it")


@altered("a SACK block of what was never sent", "TCP-OPT-007", _LATER)
def _(segments: Segments, index: int) -> Segment | None:
    each = plain(segments, index)
    if each is None:
        return None
    right = next(other.seq for other in segments if other.side != each.side) + beyond(segments, 1 - each.side)
    edges = ((right - 9) % MODULUS).to_bytes(4, "big") + (right % MODULUS).to_bytes(4, "big")
    return replace(each, options=having(each, b"\5\12" + edges, BLOCK))


@altered("an echo of a timestamp that was never sent", "TCP-OPT-013", _LATER)
def _(segments: Segments, index: int) -> Segment | None:
    each = plain(segments, index)
    stamps = [data for kind, data in options_of(each.options) if kind == STAMP] if each is not None else []
    if each is None or not stamps or len(stamps[0]) != 8:
        return None
    echo = (int.from_bytes(stamps[0][4:], "big") + 10**9) % MODULUS
    return replace(each, options=having(each, b"\x08\x0a" + stamps[0][:4] + echo.to_bytes(4, "big"), STAMP))


@altered("a Fast Open cookie in the middle", "TCP-OPT-021")
def _(segments: Segments, index: int) -> Segment | None:
    each = plain(segments, index)
    return each and replace(each, options=having(each, b"\x22\x0a" + bytes(8), BLOCK))


@altered("a Fast Open cookie of five octets", "TCP-OPT-021")
def _(segments: Segments, index: int) -> Segment | None:
    each = segments[index]
    return replace(each, options=having(each, b"\x22\x07" + bytes(5))) if each.flags & SYN else None


@altered("one segment of many is signed", "TCP-OPT-022")
def _(segments: Segments, index: int) -> Segment | None:
    each = plain(segments, index)
    return each and replace(each, options=having(each, b"\x13\x12" + bytes(16), BLOCK))


@plant("one segment of many is not signed", "TCP-OPT-022")
def _(segments: Segments, index: int) -> Planted | None:
    each = plain(segments, index)
    if each is None or any(other.flags & RST for other in segments):
        return None
    signed = [replace(other, options=b"\x13\x12" + bytes(16) + b"\1\1") for other in segments]
    return [*signed[:index], replace(each, options=b""), *signed[index + 1 :]], index


@altered("an option without its length", "TCP-HDR-003")
def _(segments: Segments, index: int) -> Segment | None:
    each = plain(segments, index)
    return each and replace(each, options=b"\1\1\1\x1e")


@altered("an option of length one", "TCP-HDR-003")
def _(segments: Segments, index: int) -> Segment | None:
    each = plain(segments, index)
    return each and replace(each, options=b"\x1e\1\1\1")


@altered("octets behind the end of the options", "TCP-HDR-004")
def _(segments: Segments, index: int) -> Segment | None:
    each = plain(segments, index)
    return each and replace(each, options=b"\0\0\0\7")


@altered("a data offset of four words", "TCP-HDR-001")
def _(segments: Segments, index: int) -> Segment | None:
    each = plain(segments, index)
    return each and replace(each, more=frozenset({"short header"}))


@altered("a header that is longer than the segment", "TCP-HDR-001")
def _(segments: Segments, index: int) -> Segment | None:
    each = plain(segments, index)
    small = each is not None and 20 + len(each.options) + each.length < 60
    return replace(each, more=frozenset({"long header"})) if each is not None and small else None


@altered("reserved bits", "TCP-HDR-005")
def _(segments: Segments, index: int) -> Segment | None:
    each = plain(segments, index)
    return each and replace(each, more=frozenset({"reserved bits"}))


def _alone(planted: Segments, index: int) -> str:
    """Sums that are right before it and afterwards show that the network card does not work them out."""
    side = planted[index].side
    before = sum(each.side == side for each in planted[:index])
    after = sum(each.side == side for each in planted[index + 1 :])
    if before < 2 or not after:
        return "the network card may have worked the sum out after the capture"
    return ""


@altered("a wrong checksum that was acknowledged", "TCP-HDR-002", _alone)
def _(segments: Segments, index: int) -> Segment | None:
    each = plain(segments, index)
    if each is None or not each.length:
        return None
    known = any(
        other.side != each.side and other.flags & ACK and (other.ack - each.end) % MODULUS < MODULUS // 2
        for other in segments[index + 1 :]
    )
    return replace(each, checksum="wrong") if known else None
