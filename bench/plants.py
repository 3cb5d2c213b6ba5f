"""What is planted: one fault of one endpoint in a conversation that conforms.

Owns: the list of faults, with the ids that name them, and where in a conversation each can stand.
Must never hold: how a segment is written (see ``conversation``), or whether a fault is found (see ``planted``).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from conversation import ACK, FIN, MODULUS, PSH, RST, SYN, TICK, URG, Segment, Segments, options_of

Planted = tuple[Segments, int]
"""The conversation with the fault, and the index of the segment that breaks the rule."""


@dataclass(frozen=True, slots=True)
class Plant:
    """``ids`` are the names that are right for it, the best one first. ``at`` plants it at an index, or cannot (None).

    ``open`` says why a capture alone need not prove it; "" where every packet around it is a proof.
    """

    name: str
    ids: tuple[str, ...]
    at: Callable[[Segments, int], Planted | None]
    open: str = ""


PLANTS: list[Plant] = []
Change = Callable[[Segments, int], "Segment | None"]


def _add(name: str, ids: str, at: Callable[[Segments, int], Planted | None], why: str) -> None:
    PLANTS.append(Plant(name, tuple(ids.split()), at, why))


def altered(name: str, ids: str, why: str = "") -> Callable[[Change], Change]:
    """The segment at the index is changed."""

    def register(change: Change) -> Change:
        def at(segments: Segments, index: int) -> Planted | None:
            wrong = change(segments, index)
            return None if wrong is None else ([*segments[:index], wrong, *segments[index + 1 :]], index)

        _add(name, ids, at, why)
        return change

    return register


def extra(name: str, ids: str, why: str = "") -> Callable[[Change], Change]:
    """The same end sends one more segment behind that at the index."""

    def register(change: Change) -> Change:
        def at(segments: Segments, index: int) -> Planted | None:
            wrong = change(segments, index)
            if wrong is None:
                return None
            wrong = replace(wrong, time=segments[index].time + TICK // 1000, ip_id=(wrong.ip_id + 7777) % 65536)
            return [*segments[: index + 1], wrong, *segments[index + 1 :]], index + 1

        _add(name, ids, at, why)
        return change

    return register


def _moved(each: Segment, *, seq: int = 0, ack: int = 0, **other: int) -> Segment:
    return replace(each, seq=(each.seq + seq) % MODULUS, ack=(each.ack + ack) % MODULUS, **other)  # type: ignore[arg-type]


def _without(each: Segment, *kinds: int) -> bytes:
    parts = [(kind, data) for kind, data in options_of(each.options) if kind not in kinds and kind > 1]
    raw = b"".join(bytes((kind, len(data) + 2)) + data for kind, data in parts)
    return raw + b"\1" * (-len(raw) % 4)


def _has(each: Segment, kind: int) -> bool:
    return any(found == kind for found, _ in options_of(each.options))


def _with(each: Segment, raw: bytes, *without: int) -> bytes:
    options = _without(each, *without) + raw
    return options + b"\1" * (-len(options) % 4)


def _third(segments: Segments, index: int) -> Segment | None:
    """The third segment of an ordinary handshake, if this is it."""
    if index != 2 or segments[0].flags != SYN or segments[1].flags != SYN | ACK or segments[2].side or segments[0].side:
        return None
    return segments[2] if segments[2].plain else None


def _opens(segments: Segments, index: int, flags: int) -> Segment | None:
    each = segments[index]
    return each if each.flags & (SYN | ACK | RST) == flags else None


def _plain(segments: Segments, index: int) -> Segment | None:
    """A plain acknowledgment once both ends are synchronised."""
    both = {each.side for each in segments[:index] if each.flags & SYN}
    return segments[index] if segments[index].plain and len(both) == 2 else None


def _fin(segments: Segments, index: int) -> Segment | None:
    each = segments[index]
    return each if each.flags & FIN and not each.flags & (SYN | RST) else None


def _beyond(segments: Segments, side: int) -> int:
    """Some distance that leads beyond everything that ``side`` sends in the whole conversation."""
    origin = next((each.seq for each in segments if each.side == side), 0)
    return max(((each.end - origin) % MODULUS for each in segments if each.side == side), default=0) + 70001


# ------------------------------------------------------------------------------------------------- acknowledgments


@altered("acknowledges text that was never sent", "TCP-ACK-001 TCP-FIN-003")
def _(segments: Segments, index: int) -> Segment | None:
    each = _plain(segments, index)
    return each and _moved(each, ack=_beyond(segments, 1 - each.side))


@extra("one more acknowledgment, of text that was never sent", "TCP-ACK-001 TCP-FIN-003")
def _(segments: Segments, index: int) -> Segment | None:
    each = _plain(segments, index)
    return each and _moved(each, ack=_beyond(segments, 1 - each.side), length=0)


@altered("acknowledges one octet more than was sent", "TCP-ACK-001 TCP-FIN-003")
def _(segments: Segments, index: int) -> Segment | None:
    each = _plain(segments, index)
    if each is None:
        return None
    ends = [other.end for other in segments if other.side != each.side and not other.flags & RST]
    sent = [other.end for other in segments[:index] if other.side != each.side and not other.flags & RST]
    farthest = max(((end - ends[0]) % MODULUS for end in ends), default=0)
    last = bool(sent) and (sent[-1] - ends[0]) % MODULUS == farthest and sent[-1] == each.ack
    return _moved(each, ack=1) if last else None


@altered("acknowledges what lies behind the FIN", "TCP-FIN-003 TCP-ACK-001")
def _(segments: Segments, index: int) -> Segment | None:
    each = segments[index]
    fins = [
        other.end for other in segments[:index] if other.side != each.side and _fin(segments, segments.index(other))
    ]
    return _moved(each, ack=1) if fins and each.plain and each.ack == fins[-1] else None


@extra("acknowledges numbers from before the peer's first", "TCP-ACK-001 TCP-ACK-009 TCP-UNEXPLAINED")
def _(segments: Segments, index: int) -> Segment | None:
    each = _plain(segments, index)
    return each and _moved(each, ack=-(10**6), length=0)


# ------------------------------------------------------------------------------------------------------ after the FIN


@extra("text after the FIN", "TCP-FIN-001")
def _(segments: Segments, index: int) -> Segment | None:
    each = _fin(segments, index)
    return each and _moved(each, seq=each.length + 1, flags=ACK | PSH, length=4)


@extra("text over the FIN", "TCP-FIN-001")
def _(segments: Segments, index: int) -> Segment | None:
    each = _fin(segments, index)
    return each and replace(each, flags=ACK | PSH, length=each.length + 9)


@extra("a second FIN behind the first", "TCP-FIN-002")
def _(segments: Segments, index: int) -> Segment | None:
    each = _fin(segments, index)
    return each and _moved(each, seq=each.length + 7, length=0)


@extra("a second FIN before the first", "TCP-FIN-002")
def _(segments: Segments, index: int) -> Segment | None:
    each = _fin(segments, index)
    if each is None:
        return None
    start = next(other.end for other in segments if other.side == each.side)
    room = (each.seq + each.length - start) % MODULUS
    return _moved(each, seq=each.length - 3, length=0) if 3 < room < MODULUS // 2 else None


# ------------------------------------------------------------------------------------------------------------- flags

for _name, _ids, _flags, _length in (
    ("no flag at all", "TCP-FLG-001", 0, 0),
    ("PSH alone", "TCP-FLG-001", PSH, 0),
    ("FIN, PSH and URG", "TCP-FLG-002 TCP-FLG-006", FIN | PSH | URG, 0),
    ("SYN and RST", "TCP-FLG-004", SYN | RST, 0),
    ("SYN, RST and ACK", "TCP-FLG-004", SYN | RST | ACK, 0),
    ("RST and FIN", "TCP-FLG-005", RST | FIN, 0),
    ("RST, FIN and ACK", "TCP-FLG-005", RST | FIN | ACK, 0),
    ("FIN without ACK", "TCP-FLG-006", FIN, 0),
    ("text without ACK", "TCP-FLG-007 TCP-FLG-001 TCP-FLG-008", PSH, 4),
    ("all flags", "TCP-FLG-004 TCP-FLG-005", 0x3F, 0),
    ("SYN and FIN in the middle", "TCP-FLG-003 TCP-FLG-008 TCP-UNEXPLAINED", SYN | FIN, 0),
    ("SYN,ACK and FIN in the middle", "TCP-FLG-003 TCP-UNEXPLAINED", SYN | FIN | ACK, 0),
    ("SYN,ACK in the middle", "TCP-HS-006 TCP-HS-014 TCP-UNEXPLAINED", SYN | ACK, 0),
):

    def _flagged(segments: Segments, index: int, flags: int = _flags, length: int = _length) -> Segment | None:
        each = _plain(segments, index)
        if each is None or (flags & SYN and not each.length):
            return None
        ack = each.ack if flags & ACK else 0
        return replace(each, flags=flags, ack=ack, seq=each.end, length=length, options=_without(each, 5, 8))

    extra(_name, _ids)(_flagged)


# --------------------------------------------------------------------------------------------------------- handshake


@altered("SYN,ACK acknowledges too much", "TCP-HS-002")
def _(segments: Segments, index: int) -> Segment | None:
    each = _opens(segments, index, SYN | ACK)
    return each and _moved(each, ack=1000) if len(segments) > index + 1 else None


@altered("SYN,ACK acknowledges too little", "TCP-HS-002")
def _(segments: Segments, index: int) -> Segment | None:
    each = _opens(segments, index, SYN | ACK)
    return each and _moved(each, ack=-1) if len(segments) > index + 1 else None


for _name, _ids, _seq, _ack in (
    ("third segment acknowledges one too many", "TCP-HS-003 TCP-ACK-001 TCP-UNEXPLAINED", 0, 1),
    ("third segment acknowledges one too few", "TCP-HS-003 TCP-UNEXPLAINED", 0, -1),
    ("third segment is numbered one too high", "TCP-HS-004 TCP-SEQ-007 TCP-UNEXPLAINED", 1, 0),
):

    def _third_moved(segments: Segments, index: int, seq: int = _seq, ack: int = _ack) -> Segment | None:
        each = _third(segments, index)
        return each and _moved(each, seq=seq, ack=ack)

    altered(_name, _ids)(_third_moved)


@extra("a second SYN with another initial number", "TCP-HS-001", "the user may have opened anew")
def _(segments: Segments, index: int) -> Segment | None:
    each = _opens(segments, index, SYN)
    return each and _moved(each, seq=12345) if not index else None


@extra("a second SYN,ACK with another initial number", "TCP-HS-006", "the request may have been made anew")
def _(segments: Segments, index: int) -> Segment | None:
    each = _opens(segments, index, SYN | ACK)
    return each and _moved(each, seq=12345)


@extra("text before the SYN,ACK", "TCP-HS-007 TCP-UNEXPLAINED")
def _(segments: Segments, index: int) -> Segment | None:
    each = _opens(segments, index, SYN)
    if index or each is None or len(segments) < 3 or segments[1].flags != SYN | ACK:
        return None
    return _moved(each, seq=1, ack=1, flags=ACK | PSH, length=4, options=b"")


@extra("a FIN before the SYN,ACK", "TCP-FIN-008 TCP-UNEXPLAINED")
def _(segments: Segments, index: int) -> Segment | None:
    each = _opens(segments, index, SYN)
    if index or each is None or len(segments) < 3 or segments[1].flags != SYN | ACK:
        return None
    return _moved(each, seq=1, ack=1, flags=ACK | FIN, options=b"")


@extra("a listener sends text before the third segment", "TCP-HS-009", "the capture may have lost the third segment")
def _(segments: Segments, index: int) -> Segment | None:
    each = _opens(segments, index, SYN | ACK)
    return each and _moved(each, seq=1, flags=ACK | PSH, length=4, options=_without(each, 2, 3, 4))


# ----------------------------------------------------------------------------------------------------------- numbers


@extra("an acknowledgment numbered far ahead", "TCP-SEQ-007 TCP-UNEXPLAINED")
def _(segments: Segments, index: int) -> Segment | None:
    each = _plain(segments, index)
    return each and _moved(each, seq=10**6, length=0)


@extra("an acknowledgment numbered before the first", "TCP-SEQ-007 TCP-UNEXPLAINED")
def _(segments: Segments, index: int) -> Segment | None:
    each = _plain(segments, index)
    return each and _moved(each, seq=-(10**6), length=0)


@extra("text numbered before the first", "TCP-SEQ-007 TCP-UNEXPLAINED")
def _(segments: Segments, index: int) -> Segment | None:
    each = _plain(segments, index)
    return each and _moved(each, seq=-(10**6), length=4)


@extra("text far beyond any window", "TCP-SEQ-001 TCP-SEQ-007 TCP-UNEXPLAINED TCP-FIN-001")
def _(segments: Segments, index: int) -> Segment | None:
    each = _plain(segments, index)
    return each and _moved(each, seq=2 * 10**9, length=4)


@altered("text into a closed window", "TCP-SEQ-001")
def _(segments: Segments, index: int) -> Segment | None:
    each = segments[index]
    # The acknowledgment before it closes the window; this is text of the other side, new and more than a probe.
    if not index or not each.plain or each.length < 2 or segments[index - 1].side == each.side:
        return None
    return None if segments[index - 1].window else each


@extra("the same numbers with other text", "TCP-SEQ-004")
def _(segments: Segments, index: int) -> Segment | None:
    each = _plain(segments, index)
    return replace(each, content=77) if each is not None and each.length > 1 else None


# ------------------------------------------------------------------------------------------------------------ resets


@extra("text after its own reset", "TCP-RST-007", "a box between the ends may have made the reset")
def _(segments: Segments, index: int) -> Segment | None:
    each = segments[index]
    before = [other for other in segments[:index] if other.side == each.side and other.plain]
    if not each.flags & RST or not before:
        return None
    return replace(before[-1], seq=before[-1].end, length=5, flags=ACK | PSH)


@extra("a reset answers a reset", "TCP-RST-001", "it may answer something else")
def _(segments: Segments, index: int) -> Segment | None:
    each = segments[index]
    if not each.flags & RST or not each.flags & ACK:
        return None
    return replace(each, side=1 - each.side, seq=each.ack, ack=0, flags=RST, options=b"", length=0)


@extra("a reset with numbers from nowhere", "TCP-RST-002", "a box between the ends may have made it")
def _(segments: Segments, index: int) -> Segment | None:
    each = _plain(segments, index)
    return each and _moved(each, seq=10**9, ack=-each.ack, flags=RST, options=b"", length=0)


# ------------------------------------------------------------------------------- headers and options of one segment

MSS, SCALE, SACK_OK = b"\2\4\5\xb4", b"\3\3\7", b"\4\2"


@altered("MSS in the middle", "TCP-OPT-001")
def _(segments: Segments, index: int) -> Segment | None:
    each = _plain(segments, index)
    return each and replace(each, options=_with(each, MSS, 5))


@altered("window scale in the middle", "TCP-OPT-002")
def _(segments: Segments, index: int) -> Segment | None:
    each = _plain(segments, index)
    return each and replace(each, options=_with(each, SCALE, 5))


@altered("SACK-permitted in the middle", "TCP-OPT-005")
def _(segments: Segments, index: int) -> Segment | None:
    each = _plain(segments, index)
    return each and replace(each, options=_with(each, SACK_OK, 5))


@altered("window scale in a SYN,ACK that nobody asked for", "TCP-OPT-003")
def _(segments: Segments, index: int) -> Segment | None:
    each = _opens(segments, index, SYN | ACK)
    asked = any(_has(other, 3) for other in segments if other.flags & SYN and not other.flags & ACK)
    return replace(each, options=_with(each, SCALE, 3)) if each is not None and not asked else None


@altered("a shift of more than 14", "TCP-OPT-004")
def _(segments: Segments, index: int) -> Segment | None:
    each = segments[index]
    return replace(each, options=_with(each, b"\3\3\17", 3)) if each.flags & SYN else None


@altered("timestamps end in the middle", "TCP-OPT-011")
def _(segments: Segments, index: int) -> Segment | None:
    each = _plain(segments, index)
    both = {other.side for other in segments if other.flags & SYN and _has(other, 8)}
    return replace(each, options=_without(each, 8)) if each is not None and _has(each, 8) and len(both) == 2 else None


@altered("a SACK block that ends where it begins", "TCP-OPT-007")
def _(segments: Segments, index: int) -> Segment | None:
    each = _plain(segments, index)
    if each is None:
        return None
    edge = each.ack.to_bytes(4, "big")
    return replace(each, options=_with(each, b"\5\12" + edge + edge, 5))


@altered("an echo of a timestamp that was never sent", "TCP-OPT-013")
def _(segments: Segments, index: int) -> Segment | None:
    each = _plain(segments, index)
    stamps = [data for kind, data in options_of(each.options) if kind == 8] if each is not None else []
    if each is None or not stamps or len(stamps[0]) != 8:
        return None
    return replace(each, options=_with(each, b"\x08\x0a" + stamps[0][:4] + b"\x7f\xff\xff\x01", 8))


@altered("an option without its length", "TCP-HDR-003")
def _(segments: Segments, index: int) -> Segment | None:
    each = _plain(segments, index)
    return each and replace(each, options=b"\1\1\1\x1e")


@altered("octets behind the end of the options", "TCP-HDR-004")
def _(segments: Segments, index: int) -> Segment | None:
    each = _plain(segments, index)
    return each and replace(each, options=b"\0\0\0\7")


@altered("a data offset of four words", "TCP-HDR-001")
def _(segments: Segments, index: int) -> Segment | None:
    each = _plain(segments, index)
    return each and replace(each, more=frozenset({"short header"}))


@altered("reserved bits", "TCP-HDR-005")
def _(segments: Segments, index: int) -> Segment | None:
    each = _plain(segments, index)
    return each and replace(each, more=frozenset({"reserved bits"}))


@altered("a wrong checksum that was acknowledged", "TCP-HDR-002")
def _(segments: Segments, index: int) -> Segment | None:
    each = _plain(segments, index)
    answered = any(other.side != segments[index].side for other in segments[index + 1 :])
    return replace(each, checksum="wrong") if each is not None and each.length and answered else None
