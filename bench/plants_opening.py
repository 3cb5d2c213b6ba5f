"""Faults in flags, handshakes and resets."""

from __future__ import annotations

from dataclasses import replace

from conversation import ACK, CWR, ECE, FIN, MODULUS, PSH, RST, SYN, URG, Segment, Segments
from planting import (
    Doubt,
    Planted,
    altered,
    because,
    extra,
    first,
    moved,
    opening,
    plain,
    plant,
    proven,
    put_in,
    third,
    three_in_a_row,
    without,
)

# ------------------------------------------------------------------------------------------------------------- flags

_LEGAL = because("on paper, other controls may ride on a SYN")
_ANEW = because("it may answer a SYN that the capture does not show")

for _name, _ids, _flags, _length, _doubt in (
    ("no flag at all", "TCP-FLG-001", 0, 0, proven),
    ("PSH alone", "TCP-FLG-001", PSH, 0, proven),
    ("FIN, PSH and URG", "TCP-FLG-002 TCP-FLG-006", FIN | PSH | URG, 0, proven),
    ("SYN and RST", "TCP-FLG-004", SYN | RST, 0, proven),
    ("SYN, RST and ACK", "TCP-FLG-004", SYN | RST | ACK, 0, proven),
    ("RST and FIN", "TCP-FLG-005", RST | FIN, 0, proven),
    ("RST, FIN and ACK", "TCP-FLG-005", RST | FIN | ACK, 0, proven),
    ("FIN without ACK", "TCP-FLG-006", FIN, 0, proven),
    ("text without ACK", "TCP-FLG-007 TCP-FLG-001 TCP-FLG-008", PSH, 4, proven),
    ("all flags", "TCP-FLG-004 TCP-FLG-005", 0x3F, 0, proven),
    ("SYN and FIN in the middle", "TCP-FLG-003 TCP-FLG-008 TCP-UNEXPLAINED", SYN | FIN, 0, _LEGAL),
    ("SYN,ACK and FIN in the middle", "TCP-FLG-003 TCP-UNEXPLAINED", SYN | FIN | ACK, 0, proven),
    ("SYN,ACK in the middle", "TCP-HS-006 TCP-HS-014 TCP-UNEXPLAINED", SYN | ACK, 0, _ANEW),
):

    def _flagged(segments: Segments, index: int, flags: int = _flags, length: int = _length) -> Segment | None:
        each = plain(segments, index)
        if each is None or (flags & SYN and not each.length):
            return None
        ack = each.ack if flags & ACK else 0
        return replace(each, flags=flags, ack=ack, seq=each.end, length=length, options=without(each, 5, 8))

    extra(_name, _ids, _doubt)(_flagged)


@altered("tells of congestion, of which nobody spoke", "TCP-ECN-001")
def _(segments: Segments, index: int) -> Segment | None:
    each = plain(segments, index)
    asked = any(other.flags & (ECE | CWR) for other in segments if other.flags & SYN)
    return replace(each, flags=each.flags | ECE) if each is not None and not asked else None


@altered("SYN,ACK agrees on ECN, for which nobody asked", "TCP-ECN-002")
def _(segments: Segments, index: int) -> Segment | None:
    each = opening(segments, index, SYN | ACK)
    return replace(each, flags=each.flags | ECE) if each is not None and not segments[0].flags & ECE else None


# --------------------------------------------------------------------------------------------------------- handshake


@altered("SYN,ACK acknowledges too much", "TCP-HS-002")
def _(segments: Segments, index: int) -> Segment | None:
    each = opening(segments, index, SYN | ACK)
    return each and moved(each, ack=1000) if len(segments) > index + 1 else None


@altered("SYN,ACK acknowledges too little", "TCP-HS-002")
def _(segments: Segments, index: int) -> Segment | None:
    each = opening(segments, index, SYN | ACK)
    return each and moved(each, ack=-1) if len(segments) > index + 1 else None


for _name, _ids, _seq, _ack in (
    ("third segment acknowledges one too many", "TCP-HS-003 TCP-ACK-001 TCP-UNEXPLAINED", 0, 1),
    ("third segment acknowledges one too few", "TCP-HS-003 TCP-UNEXPLAINED", 0, -1),
    ("third segment is numbered one too high", "TCP-HS-004 TCP-SEQ-007 TCP-UNEXPLAINED", 1, 0),
):

    def _third_moved(segments: Segments, index: int, seq: int = _seq, ack: int = _ack) -> Segment | None:
        each = third(segments, index)
        return each and moved(each, seq=seq, ack=ack)

    altered(_name, _ids)(_third_moved)


@extra("a second SYN with another initial number", "TCP-HS-001", because("the user may have opened anew"))
def _(segments: Segments, index: int) -> Segment | None:
    each = opening(segments, index, SYN)
    return each and moved(each, seq=12345) if not index else None


@extra(
    "a second SYN,ACK with another initial number",
    "TCP-HS-006 TCP-HS-014",
    because("who keeps nothing of a request works its number out anew"),
)
def _(segments: Segments, index: int) -> Segment | None:
    each = opening(segments, index, SYN | ACK)
    return each and moved(each, seq=12345)


@altered("SYN,ACK with another number than its own SYN", "TCP-HS-014")
def _(segments: Segments, index: int) -> Segment | None:
    each = opening(segments, index, SYN | ACK)
    own = [other for other in segments[:index] if each is not None and other.side == each.side and other.flags == SYN]
    return moved(each, seq=5) if each is not None and own else None


def _early(segments: Segments, index: int, **what: int) -> Segment | None:
    """Sent behind the SYN, and acknowledging what the peer never had."""
    each = opening(segments, index, SYN)
    if index or each is None or len(segments) < 3 or segments[1].flags != SYN | ACK:
        return None
    ack = (first(segments, 1) - 10**6 - each.ack) % MODULUS
    return replace(moved(each, seq=1, ack=ack, **what), options=b"")


@extra("text before the SYN,ACK", "TCP-HS-007 TCP-ACK-001 TCP-UNEXPLAINED")
def _(segments: Segments, index: int) -> Segment | None:
    return _early(segments, index, flags=ACK | PSH, length=4)


@extra("a FIN before the SYN,ACK", "TCP-FIN-008 TCP-ACK-001 TCP-UNEXPLAINED")
def _(segments: Segments, index: int) -> Segment | None:
    return _early(segments, index, flags=ACK | FIN)


def _spoken(segments: Segments, index: int) -> Planted | None:
    each = opening(segments, index, SYN | ACK)
    if each is None or index != 1:
        return None
    wrong = moved(replace(each, flags=ACK | PSH, options=without(each, 2, 3, 4)), seq=1, length=4)
    return put_in(segments, index, wrong), index + 1


plant(
    "a listener sends text before the third segment",
    "TCP-HS-009",
    because("the capture may have lost the third segment, or shown it late"),
)(_spoken)
plant("a listener, at its host, sends text before the third segment", "TCP-HS-009", vantage="sender")(_spoken)


@plant("takes a SYN that went to many hosts", "TCP-HDR-007")
def _(segments: Segments, index: int) -> Planted | None:
    if opening(segments, index, SYN | ACK) is None or index != 1:
        return None
    return [replace(each, more=each.more | {"group"}) for each in segments], index


# ------------------------------------------------------------------------------------------------------------ resets


@extra("text after its own reset", "TCP-RST-007", three_in_a_row("a box between the ends may have made the reset"))
def _(segments: Segments, index: int) -> Segment | None:
    each = segments[index]
    before = [other for other in segments[:index] if other.side == each.side and other.plain]
    if not each.flags & RST or not before:
        return None
    options = each.options or before[-1].options
    return replace(before[-1], seq=before[-1].end, length=5, flags=ACK | PSH, options=options)


@plant("a reset answers a reset", "TCP-RST-001", because("it may answer something else"))
def _(segments: Segments, index: int) -> Planted | None:
    each = segments[index]
    if not each.flags & RST or not each.flags & ACK:
        return None
    wrong = replace(each, side=1 - each.side, seq=each.ack, ack=0, flags=RST, options=b"", length=0, ip_id=0)
    return [*segments[: index + 1], replace(wrong, time=each.time + 1000), *segments[index + 1 :]], index + 1


_MADE: Doubt = because("a box between the ends may have made it")


@plant("a reset with numbers from nowhere", "TCP-RST-002", _MADE)
def _(segments: Segments, index: int) -> Planted | None:
    each = plain(segments, index)
    if each is None:
        return None
    wrong = replace(each, flags=RST, ack=0, options=b"", ip_id=(each.ip_id + 7777) % 65536, ttl=200)
    return [*segments[: index + 1], moved(wrong, seq=10**9, length=0), *segments[index + 1 :]], index + 1
