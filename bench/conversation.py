"""One TCP connection as a list of segments that can be changed, and written as a capture.

Owns: reading one connection out of a pcap (Ethernet or raw IPv4), the segments, and turning them into frames again with
correct lengths and checksums, or with the wrong ones that a bad capture shows.
Must never hold: what is planted (see ``plants``, ``artefacts``), or anything of the checker.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

MODULUS = 1 << 32
FIN, SYN, RST, PSH, ACK, URG, ECE, CWR = 1, 2, 4, 8, 16, 32, 64, 128
TICK = 1_000_000
"""Nanoseconds between two segments that are planted one behind the other."""


@dataclass(slots=True, frozen=True)
class Segment:
    """``side`` is 0 for the end whose segment was captured first. ``content`` changes the octets of the text.

    ``checksum``: "" right, ``pseudo`` what a host leaves to its network card, ``wrong`` anything else. ``kept``: how
    many octets of the frame the capture holds (0 = all). ``more``: other oddities of the frame by name.
    """

    time: int
    side: int
    seq: int
    ack: int
    flags: int
    window: int
    length: int
    options: bytes = b""
    urgent: int = 0
    content: int = 0
    ttl: int = 64
    ip_id: int = 0
    checksum: str = ""
    kept: int = 0
    more: frozenset[str] = field(default_factory=frozenset)

    @property
    def occupies(self) -> int:
        """How many sequence numbers it takes."""
        return self.length + bool(self.flags & SYN) + bool(self.flags & FIN)

    @property
    def end(self) -> int:
        """The number after the last one that it takes."""
        return (self.seq + self.occupies) % MODULUS

    @property
    def plain(self) -> bool:
        """An acknowledgment, with or without text, and nothing else."""
        return bool(self.flags & ACK) and not self.flags & (SYN | FIN | RST)


Segments = list[Segment]
ENDS = (("10.0.0.1", 40000), ("10.0.0.2", 80))


def read(path: Path) -> list[Segments]:
    """The IPv4 connections of a capture (pcap, little-endian), in the order in which they begin."""
    data = path.read_bytes()
    magic, link = struct.unpack_from("<I", data)[0], struct.unpack_from("<I", data, 20)[0]
    if magic != 0xA1B2C3D4 or link not in (1, 101):
        raise ValueError(f"{path}: neither Ethernet nor raw IP in a little-endian pcap")
    found: dict[tuple[tuple[bytes, int], ...], tuple[tuple[bytes, int], Segments]] = {}
    at = 24
    while at + 16 <= len(data):
        seconds, micros, kept, _ = struct.unpack_from("<IIII", data, at)
        ip = data[at + 16 + (14 if link == 1 else 0) : at + 16 + kept]
        at += 16 + kept
        if len(ip) < 40 or ip[0] >> 4 != 4 or ip[9] != 6:
            continue
        header = (ip[0] & 15) * 4
        tcp = ip[header:]
        sport, dport, seq, ack, offset, flags, window, _, urgent = struct.unpack_from("!HHIIBBHHH", tcp)
        size = (offset >> 4) * 4
        source, target = (ip[12:16], sport), (ip[16:20], dport)
        first, segments = found.setdefault(tuple(sorted((source, target))), (source, []))
        length = struct.unpack_from("!H", ip, 2)[0] - header - size
        segments.append(
            Segment(
                seconds * 10**9 + micros * 1000,
                int(source != first),
                seq,
                ack if flags & ACK else 0,
                flags,
                window,
                length,
                bytes(tcp[20:size]),
                urgent,
                ttl=ip[8],
                ip_id=struct.unpack_from("!H", ip, 4)[0],
            )
        )
    return [segments for _, segments in found.values()]


def shifted(segments: Segments, by: tuple[int, int]) -> Segments:
    """The same connection with other initial numbers: those of side 0 moved by ``by[0]``, of side 1 by ``by[1]``."""
    moved: Segments = []
    for each in segments:
        own, other = by[each.side], by[1 - each.side]
        options = b"".join(
            _sack(data, other) if kind == 5 else bytes((kind,)) if kind < 2 else bytes((kind, len(data) + 2)) + data
            for kind, data in options_of(each.options)
        )
        ack = (each.ack + other) % MODULUS if each.flags & ACK else 0
        moved.append(replace(each, seq=(each.seq + own) % MODULUS, ack=ack, options=options))
    return moved


def options_of(raw: bytes) -> list[tuple[int, bytes]]:
    """The options as (kind, data); what does not parse is left out."""
    found: list[tuple[int, bytes]] = []
    at = 0
    while at < len(raw):
        if raw[at] < 2:
            found.append((raw[at], b""))
            at += 1
            continue
        if at + 1 >= len(raw) or raw[at + 1] < 2:
            break
        found.append((raw[at], raw[at + 2 : at + raw[at + 1]]))
        at += raw[at + 1]
    return found


def _sack(data: bytes, by: int) -> bytes:
    edges = struct.unpack(f"!{len(data) // 4}I", data)
    return bytes((5, len(data) + 2)) + struct.pack(f"!{len(edges)}I", *((edge + by) % MODULUS for edge in edges))


def total(data: bytes) -> int:
    """The Internet checksum (RFC 1071)."""
    if len(data) % 2:
        data += b"\0"
    folded: int = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while folded >> 16:
        folded = (folded & 0xFFFF) + (folded >> 16)
    return ~folded & 0xFFFF


def frame(each: Segment, origins: tuple[int, int], number: int = 0) -> bytes:
    """The Ethernet frame; ``origins`` are the initial numbers of both sides, from which the text is made.

    ``number`` tells conversations in one file apart: it is added to the first port.
    """
    ends = [bytes(int(part) for part in host.split(".")) for host, _ in ENDS]
    if "group" in each.more:
        ends[1] = b"\xe0\0\0\7"
    if "loopback" in each.more:
        ends = [b"\x7f\0\0\1", b"\x7f\0\0\1"]
    ports = [ENDS[0][1] + number, ENDS[1][1]]
    source, target = ends[each.side], ends[1 - each.side]
    start = (each.seq - origins[each.side]) % MODULUS
    text = bytes((start + index + each.content) % 251 for index in range(each.length))
    options = each.options + b"\0" * (-len(each.options) % 4)
    offset = 4 if "short header" in each.more else 15 if "long header" in each.more else 5 + len(options) // 4
    reserved = 4 if "reserved bits" in each.more else 0
    head = struct.pack(
        "!HHIIBBHHH",
        ports[each.side],
        ports[1 - each.side],
        each.seq,
        each.ack,
        offset << 4 | reserved,
        each.flags & 0xFF,
        each.window,
        0,
        each.urgent,
    )
    size = len(head) + len(options) + len(text)
    pseudo = source + target + struct.pack("!BBH", 0, 6, size)
    if each.checksum == "pseudo":
        value = ~total(pseudo) & 0xFFFF
    else:
        value = total(pseudo + head + options + text) ^ (0x5A5A if each.checksum else 0)
    tcp = head[:16] + struct.pack("!H", value) + head[18:] + options + text
    length = 0 if "no length" in each.more else 20 + len(tcp)
    ip = struct.pack("!BBHHHBBH", 0x45, 0, length, each.ip_id, 0x4000, each.ttl, 6, 0) + source + target
    ip = ip[:10] + struct.pack("!H", total(ip)) + ip[12:]
    if "tunnel" in each.more:
        outer = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(ip + tcp), each.ip_id, 0, 64, 4, 0) + b"\x0b\0\0\1\x0b\0\0\2"
        ip = outer[:10] + struct.pack("!H", total(outer)) + outer[12:] + ip
    other = b"\2\0\0\0\1" if "other hardware" in each.more else b"\2\0\0\0\0"
    tag = b"\x81\0\0\7" if "tag" in each.more else b""
    packet = other + bytes((2 - each.side,)) + other + bytes((1 + each.side,)) + tag + b"\x08\0" + ip + tcp
    if "padding" in each.more and len(packet) < 60:
        packet += b"\0" * (60 - len(packet))
    return packet


def fragments(packet: bytes, at: int = 24) -> list[bytes]:
    """An untagged frame as two IPv4 fragments; ``at`` octets (a multiple of 8) of what IP carries are in the first."""
    ethernet, ip, rest = packet[:14], packet[14:34], packet[34:]
    cut: list[bytes] = []
    for piece, place, following in ((rest[:at], 0, 0x2000), (rest[at:], at // 8, 0)):
        head = ip[:2] + struct.pack("!H", 20 + len(piece)) + ip[4:6] + struct.pack("!H", place | following) + ip[8:10]
        head += b"\0\0" + ip[12:]
        cut.append(ethernet + head[:10] + struct.pack("!H", total(head)) + head[12:] + piece)
    return cut


def write(path: Path, conversations: Sequence[Segments]) -> None:
    """Write conversations one after the other as a capture, a frame for each segment (two where it is fragmented).

    A pcap file, or pcapng where some were seen at another interface.
    """
    several = any("other interface" in each.more for segments in conversations for each in segments)
    out = [struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 262144, 1)]
    if several:
        section = struct.pack("<IHHq", 0x1A2B3C4D, 1, 0, -1)
        out = [_block(0x0A0D0D0A, section), *[_block(1, struct.pack("<HHI", 1, 0, 262144))] * 2]
    for number, segments in enumerate(conversations):
        origins = [next((each.seq for each in segments if each.side == side), 0) for side in (0, 1)]
        for each in segments:
            packet = frame(each, (origins[0], origins[1]), number)
            pieces = fragments(packet) if each.more & {"fragments", "first fragment"} else [packet]
            for piece in pieces[:1] if "first fragment" in each.more else pieces:
                kept, micros = min(each.kept or len(piece), len(piece)), each.time // 1000
                if several:
                    time = ("other interface" in each.more, micros >> 32, micros & 0xFFFFFFFF)
                    head = struct.pack("<IIIII", *time, kept, len(piece))
                    out.append(_block(6, head + piece[:kept] + bytes(-kept % 4)))
                else:
                    head = struct.pack("<IIII", micros // 10**6, micros % 10**6, kept, len(piece))
                    out.append(head + piece[:kept])
    path.write_bytes(b"".join(out))


def _block(kind: int, body: bytes) -> bytes:
    size = struct.pack("<I", len(body) + 12)
    return struct.pack("<I", kind) + size + body + size
