"""Exchanges of datagrams, faults and oddities planted in them, and what a bad capture makes of them.

Owns: these, and writing them as frames.
Must never hold: whether a fault is found (see ``planted``).
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from conversation import total

_SIX = (b"\xfd" + bytes(14) + b"\1", b"\xfd" + bytes(14) + b"\2", b"\xff\2" + bytes(13) + b"\xfb")
ADDRESSES = {4: (b"\n\0\0\1", b"\n\0\0\2", b"\xe0\0\0\xfb"), 6: _SIX}
"""By version of IP: the end that asks, the one that answers, and a group."""

PORTS = (40000, 53)


@dataclass(frozen=True, slots=True)
class Datagram:
    """``side`` 0 asks. ``checksum``: right, wrong, none, or card (which works it out later).

    ``refuses``: it is an ICMP error about the datagram so many places before it, sent by ``side``; ``about``: about
    this one, which was never seen.
    ``to``, ``by``: which address instead of the own one.
    """

    side: int
    text: bytes
    ip: int = 4
    length: int | None = None
    checksum: str = "right"
    ports: tuple[int, int] | None = None
    by: int | None = None
    to: int | None = None
    refuses: int = 0
    about: Datagram | None = None
    pieces: bool = False
    padding: bool = False
    tag: bool = False
    kept: int = 0
    time: int = 0


Exchange = list[Datagram]


def _question(key: int, ip: int) -> Datagram:
    return Datagram(0, struct.pack("!HHHHHH", key, 0x0100, 1, 0, 0, 0) + b"\1x\0\0\1\0\1", ip)


def _answer(key: int, ip: int) -> Datagram:
    return Datagram(1, struct.pack("!HHHHHH", key, 0x8180, 1, 0, 0, 0) + b"\1x\0\0\1\0\1", ip)


def exchanges() -> dict[str, Exchange]:
    """Conversations in which nobody is at fault."""
    return {
        "questions": [each(key, 4) for key in (7, 8, 65535) for each in (_question, _answer)],
        "questions over IPv6": [each(key, 6) for key in (7, 8, 0) for each in (_question, _answer)],
        "a stream and a report": [Datagram(int(at == 4), bytes([at]) * 40) for at in range(7)],
    }


# ------------------------------------------------------------------------------------------------------------- frames


def packet(exchange: Exchange, at: int) -> list[bytes]:
    """The frames of one datagram or error."""
    each = exchange[at]
    addresses = ADDRESSES[each.ip]
    source = addresses[each.side if each.by is None else each.by]
    target = addresses[1 - each.side if each.to is None else each.to]
    if each.refuses or each.about:
        about = each.about or exchange[at - each.refuses]
        quoted = packet([about], 0)[0][14 + 4 * about.tag :]
        kind = b"\3\3" if each.ip == 4 else b"\1\4"
        body = kind + bytes(6) + quoted[: 20 + 8 if each.ip == 4 else 40 + 8]
        pseudo = b"" if each.ip == 4 else source + target + struct.pack("!LL", len(body), 58)
        return _framed(each, source, target, 1 if each.ip == 4 else 58, body[:2] + _sum(pseudo + body) + body[4:], at)
    ports = each.ports or (PORTS[each.side], PORTS[1 - each.side])
    length = 8 + len(each.text) if each.length is None else each.length
    pseudo = source + target + (struct.pack("!BBH", 0, 17, length) if each.ip == 4 else struct.pack("!LL", length, 17))
    head = struct.pack("!HHH", *ports, length)
    right = int.from_bytes(_sum(pseudo + head + b"\0\0" + each.text), "big") or 0xFFFF
    value = {"right": right, "wrong": right ^ 0x1234, "none": 0, "card": ~total(pseudo) & 0xFFFF}[each.checksum]
    return _framed(each, source, target, 17, head + struct.pack("!H", value) + each.text, at)


def _sum(data: bytes) -> bytes:
    return struct.pack("!H", total(data))


def _framed(each: Datagram, source: bytes, target: bytes, protocol: int, body: bytes, number: int) -> list[bytes]:
    ethernet = b"\2\0\0\0\0" + bytes((2 - each.side,)) + b"\2\0\0\0\0" + bytes((1 + each.side,))
    ethernet += (b"\x81\0\0\7" if each.tag else b"") + (b"\x08\0" if each.ip == 4 else b"\x86\xdd")
    if each.ip == 6:
        return [ethernet + struct.pack("!LHBB", 6 << 28, len(body), protocol, 64) + source + target + body]
    parts = [(body[:16], 0x2000), (body[16:], 2)] if each.pieces else [(body, 0)]
    frames = []
    for part, place in parts:
        head = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(part), 500 + number, place, 64, protocol, 0) + source + target
        frame = ethernet + head[:10] + _sum(head) + head[12:] + part
        frames.append(frame + bytes(max(0, 60 - len(frame))) if each.padding else frame)
    return frames


def write(path: Path, exchange: Exchange) -> list[int]:
    """Write an exchange as a pcap file; the result tells the number of the last frame of each datagram."""
    out = [struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 262144, 1)]
    numbers, count = [], 0
    for at, each in enumerate(exchange):
        for frame in packet(exchange, at):
            count += 1
            micros = 10**6 + at * 1000 + each.time
            kept = min(each.kept or len(frame), len(frame))
            out.append(struct.pack("<IIII", micros // 10**6, micros % 10**6, kept, len(frame)) + frame[:kept])
        numbers.append(count)
    path.write_bytes(b"".join(out))
    return numbers


# ------------------------------------------------------------------------------------------------------------- plants


@dataclass(frozen=True, slots=True)
class DatagramPlant:
    """``at`` plants it: the exchange and the index of what is told of; ``spec`` is the one that knows the rule.

    ``doubt``: why nobody can be accused of it. All that a rule calls unusual has to be told all the same.
    """

    name: str
    rule: str
    at: Callable[[Exchange, int], tuple[Exchange, int] | None]
    spec: str = "udp"
    doubt: str = ""


def _changed(**what: object) -> Callable[[Exchange, int], tuple[Exchange, int] | None]:
    def at(exchange: Exchange, index: int) -> tuple[Exchange, int] | None:
        wrong = replace(exchange[index], **what)  # type: ignore[arg-type]
        return [*exchange[:index], wrong, *exchange[index + 1 :]], index

    return at


def _over(ip: int, **what: object) -> Callable[[Exchange, int], tuple[Exchange, int] | None]:
    return lambda exchange, index: _changed(**what)(exchange, index) if exchange[index].ip == ip else None


def _damaged(exchange: Exchange, index: int) -> tuple[Exchange, int] | None:
    before = [each for each in exchange[:index] if each.side == exchange[index].side]
    return _changed(checksum="wrong")(exchange, index) if before else None


def _refused(exchange: Exchange, index: int, to: int | None = None, back: int = 1) -> tuple[Exchange, int] | None:
    """The one to whom a datagram goes says that nobody listens; nothing else comes from there."""
    each = exchange[index]
    if each.side or (to is not None and each.ip == 6):
        return None
    error = Datagram(1, b"", each.ip, refuses=back)
    return [*exchange[:index], replace(each, to=to), error], index + 1


def _unseen(exchange: Exchange, index: int) -> tuple[Exchange, int] | None:
    each = exchange[index]
    if each.side:
        return None
    error = Datagram(1, b"", each.ip, about=replace(each, ports=(PORTS[0], 4444)))
    return [*exchange[: index + 1], error, *exchange[index + 1 :]], index + 1


def _asked(exchange: Exchange) -> bool:
    return exchange[0].text[2:4] == b"\1\0"


def _unasked(exchange: Exchange, index: int) -> tuple[Exchange, int] | None:
    if not _asked(exchange) or not exchange[index].side:
        return None
    return [*exchange[: index - 1], *exchange[index:]], index - 1


def _doubled(exchange: Exchange, index: int) -> tuple[Exchange, int] | None:
    again = replace(exchange[index], time=300)
    return [*exchange[: index + 1], again, *exchange[index + 1 :]], index + 1


def _twice(side: int) -> Callable[[Exchange, int], tuple[Exchange, int] | None]:
    return lambda exchange, index: (
        _doubled(exchange, index) if _asked(exchange) and exchange[index].side == side else None
    )


def _unanswered(exchange: Exchange, index: int) -> tuple[Exchange, int] | None:
    if not _asked(exchange) or exchange[index].side:
        return None
    return [*exchange[: index + 1], *exchange[index + 2 :]], index


def _answered_late(exchange: Exchange, index: int) -> tuple[Exchange, int] | None:
    if not _asked(exchange) or exchange[index].side:
        return None
    error = Datagram(1, b"", exchange[index].ip, refuses=1)
    return [*exchange[: index + 1], error, *exchange[index + 1 :]], index + 2


def _goes_on(exchange: Exchange, index: int) -> tuple[Exchange, int] | None:
    if _asked(exchange) or index:
        return None
    error = Datagram(1, b"", refuses=1)
    return [part for each in exchange[:4] for part in (each, error)], 6


ODD = "it is unusual, and no fault"

PLANTS = (
    DatagramPlant("Length 7", "UDP-001", _changed(length=7)),
    DatagramPlant("Length 0", "UDP-001", _over(4, length=0)),
    DatagramPlant("Length beyond the packet", "UDP-002", _changed(length=60)),
    DatagramPlant("Length below the packet", "UDP-003", _changed(length=10), doubt=ODD),
    DatagramPlant("no checksum over IPv4", "UDP-004", _over(4, checksum="none"), doubt=ODD),
    DatagramPlant("no checksum over IPv6", "UDP-005", _over(6, checksum="none")),
    DatagramPlant("a wrong checksum", "UDP-006", _damaged, doubt="it may have been damaged on its way"),
    DatagramPlant("source port 0", "UDP-007", _changed(ports=(0, 4444)), doubt=ODD),
    DatagramPlant("destination port 0", "UDP-008", _changed(ports=(4444, 0)), doubt=ODD),
    DatagramPlant("fragments", "UDP-009", _over(4, pieces=True), doubt=ODD),
    DatagramPlant("refuses what was never seen", "UDP-010", _unseen, doubt=ODD),
    DatagramPlant("goes on although nobody listens", "UDP-011", _goes_on, doubt=ODD),
    DatagramPlant("refuses what went to a group", "UDP-012", lambda exchange, index: _refused(exchange, index, 2)),
    DatagramPlant("nobody listens", "UDP-018", _refused, doubt=ODD),
    DatagramPlant("comes from a group", "UDP-019", _changed(by=2)),
    DatagramPlant("an answer to no question", "UDP-013", _unasked, "dns", ODD),
    DatagramPlant("more answers than questions", "UDP-014", _twice(1), "dns", ODD),
    DatagramPlant("asks again", "UDP-015", _twice(0), "dns", ODD),
    DatagramPlant("no answer", "UDP-016", _unanswered, "dns", ODD),
    DatagramPlant("answers what ICMP has refused", "UDP-017", _answered_late, "dns", ODD),
)


# ------------------------------------------------------------------------------------------------------ bad captures

ARTEFACTS: dict[str, Callable[[Exchange, int], Exchange | None]] = {
    "a datagram is lost": lambda exchange, index: exchange[:index] + exchange[index + 1 :],
    "a datagram twice": lambda exchange, index: [*exchange[: index + 1], *exchange[index:]],
    "two datagrams are swapped": lambda exchange, index: (
        [*exchange[:index], exchange[index + 1], exchange[index], *exchange[index + 2 :]]
        if index + 1 < len(exchange)
        else None
    ),
    "the capture of datagrams starts late": lambda exchange, index: exchange[index:],
    "the capture of datagrams ends early": lambda exchange, index: exchange[: index + 1],
    "one direction of datagrams": lambda exchange, index: (
        [each for each in exchange if each.side == index] if index < 2 else None
    ),
    "the clock steps back between datagrams": lambda exchange, index: [
        replace(each, time=each.time - (500_000 if at >= index else 0)) for at, each in enumerate(exchange)
    ],
    "checksums of datagrams are left to the network card": lambda exchange, index: (
        [replace(each, checksum="card") if each.side == index else each for each in exchange] if index < 2 else None
    ),
    "datagrams are cut": lambda exchange, index: (
        [replace(each, kept=14 + 40 + 8 + 4) for each in exchange] if not index else None
    ),
    "a datagram in fragments": lambda exchange, index: (
        [replace(each, pieces=at == index) for at, each in enumerate(exchange)] if exchange[index].ip == 4 else None
    ),
    "short frames of datagrams are padded": lambda exchange, index: (
        [replace(each, padding=True) for each in exchange] if not index else None
    ),
    "VLAN tags on datagrams of one direction": lambda exchange, index: (
        [replace(each, tag=each.side == index) for each in exchange] if index < 2 else None
    ),
}
