"""Datagrams in captures: each planted mistake is found at its packet, and what only looks like one is not."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest

A4, B4, GROUP4 = b"\n\0\0\1", b"\n\0\0\2", b"\xe0\0\0\xfb"
A6, B6, GROUP6 = bytes(15) + b"\1", bytes(15) + b"\2", b"\xff\x02" + bytes(13) + b"\xfb"
TEXT = b"some words of text"


def total(data: bytes) -> int:
    return int.from_bytes(data + bytes(len(data) & 1), "big") % 0xFFFF


def datagram(
    addresses: bytes,
    text: bytes = TEXT,
    ports: tuple[int, int] = (4000, 53),
    length: int | None = None,
    checksum: int | str = "right",
) -> bytes:
    """A datagram; ``checksum``: right, wrong, partial (as left to a network card) or a number."""
    length = 8 + len(text) if length is None else length
    pseudo = addresses + struct.pack(">HH", 17, length)
    if isinstance(checksum, str):
        right = 0xFFFF - total(
            pseudo + struct.pack(">HHH", *ports, length) + b"\0\0" + (text[: length - 8] if length > 8 else text)
        )
        checksum = {"right": right, "wrong": right ^ 0x1234, "partial": total(pseudo)}[checksum]
    return struct.pack(">HHHH", *ports, length, checksum) + text


def ipv4(payload: bytes, addresses: bytes = A4 + B4, protocol: int = 17, fragment: int = 0, ident: int = 7) -> bytes:
    header = struct.pack(">BBHHHBBH", 0x45, 0, 20 + len(payload), ident, fragment, 64, protocol, 0)
    return b"\2" * 12 + b"\x08\0" + header + addresses + payload


def ipv6(payload: bytes, addresses: bytes = A6 + B6, protocol: int = 17, carried: int | None = None) -> bytes:
    carried = len(payload) if carried is None else carried
    return b"\2" * 12 + b"\x86\xdd" + struct.pack(">IHBB", 6 << 28, carried, protocol, 64) + addresses + payload


def four(source: bytes = A4, target: bytes = B4, **how) -> bytes:
    return ipv4(datagram(source + target, **how), source + target)


def six(source: bytes = A6, target: bytes = B6, **how) -> bytes:
    return ipv6(datagram(source + target, **how), source + target)


def jumbogram() -> bytes:
    text = bytes(70000)
    option = b"\x11\0\xc2\x04" + struct.pack(">I", 8 + 8 + len(text))
    return ipv6(option + datagram(A6 + B6, text, length=0, checksum=0x1234), protocol=0, carried=0)


PLANTED = {
    "length 7": (four(length=7), "UDP-001"),
    "length 0": (four(length=0), "UDP-001"),
    "length 7 over IPv6": (six(length=7), "UDP-001"),
    "longer than the packet": (four(length=9 + len(TEXT)), "UDP-002"),
    "longer than the packet over IPv6": (six(length=60000), "UDP-002"),
    "shorter than the packet": (four(length=10), "UDP-003"),
    "no checksum over IPv4": (four(checksum=0), "UDP-004"),
    "no checksum over IPv6": (six(checksum=0), "UDP-005"),
    "damaged": (four(checksum="wrong"), "UDP-006"),
    "damaged over IPv6": (six(checksum="wrong"), "UDP-006"),
    "source port 0": (four(ports=(0, 53)), "UDP-007"),
    "destination port 0": (four(ports=(4000, 0)), "UDP-008"),
    "from a group": (four(GROUP4), "UDP-019"),
    "from a group over IPv6": (six(GROUP6), "UDP-019"),
}
CERTAIN = {"UDP-001", "UDP-002", "UDP-005", "UDP-019"}


def written(path: Path, frames: list[bytes | tuple[bytes, int]]) -> Path:
    data = struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 1 << 18, 1)
    for at, frame in enumerate(frames):
        octets, original = frame if isinstance(frame, tuple) else (frame, len(frame))
        data += struct.pack("<IIII", 1000, at, len(octets), original) + octets
    path.write_bytes(data)
    return path


def found(judge, path: Path) -> tuple[list[tuple[str, int]], bool]:
    """Codes and packets of what is told of datagrams, and whether anything is a violation."""
    report = judge(path).report
    told = [(each.code, each.place) for one in report.connections for each in one.diagnostics]
    return told, any(one.verdict == "violates" for one in report.connections)


@pytest.mark.parametrize("name", PLANTED)
@pytest.mark.parametrize("place", [0, 2, 4])
def test_planted(judge, tmp_path, name, place):
    frame, code = PLANTED[name]
    frames = [four(), six(), four(text=b"x"), six(text=b"")]
    frames.insert(place, frame)
    told, violates = found(judge, written(tmp_path / "x.pcap", frames))
    if code == "UDP-006" and place == 0:
        code = "CAP-001"  # the first of its direction: nothing shows that the sums of this end are right
    assert told == [(code, place + 1)]
    assert violates == (code in CERTAIN)


LEGAL = {
    "empty": [four(text=b""), six(text=b"")],
    "the longest": [four(text=bytes(65507))],
    "a jumbogram": [jumbogram()],
    "odd lengths": [four(text=b"abc"), six(text=b"a")],
    "to a group": [four(target=GROUP4), six(target=GROUP6)],
    "tunnels without checksums": [
        six(checksum=0, ports=(50000, port)) for port in (2152, 2268, 4341, 4754, 4789, 4790, 6080, 6081, 6635, 8472)
    ],
    "a tunnel that answers": [six(checksum=0, ports=(4789, 50000))],
    "padded to the shortest frame": [four(text=b"a") + bytes(20)],
    "cut by the capture": [(four(text=bytes(500))[:60], 542), (six(length=508, text=bytes(500))[:70], 562)],
    "sums left to the network card": [four(checksum="partial")] * 3,
    "sums left to the card, but not of fragments": [four(), four(checksum="partial"), four(), four(checksum="partial")],
    "fragments that come backwards": [
        ipv4(datagram(A4 + B4, bytes(3000))[2000:], fragment=250),
        ipv4(datagram(A4 + B4, bytes(3000))[:2000], fragment=0x2000),
    ],
    "a first fragment alone": [ipv4(datagram(A4 + B4, bytes(3000))[:2000], fragment=0x2000), four()],
    "UDP-Lite": [ipv4(struct.pack(">HHHH", 1, 2, 0, 0), protocol=136), four()],
    "a sum that comes out as 0": [four(text=b"\0\0")],
}
QUIET = {"CAP-001", "UDP-009"}


@pytest.mark.parametrize("name", LEGAL)
def test_legal(judge, tmp_path, name):
    told, violates = found(judge, written(tmp_path / "x.pcap", LEGAL[name]))
    assert not violates
    assert {code for code, _ in told} <= QUIET
