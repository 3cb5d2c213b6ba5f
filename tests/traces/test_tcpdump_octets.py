"""The octets that tcpdump prints: the packets are those of the capture."""

from __future__ import annotations

from pathlib import Path

import pytest

from tcpmodel.traces.captures.frames import read_frames
from tcpmodel.traces.open import open_trace
from tcpmodel.traces.records import Packet

CAPTURES = ("lab/rst-abort-client.client.pcap", "zeek/ftp-ipv6.pcap", "lab/udp-fragments.client.pcap")
TAGGED = "tshark/mixed.pcap"
WORDS = "IP 10.0.0.1.5 > 10.0.0.2.80: Flags [S], seq 1, win 5, length 0"


def packets(path: Path | str) -> list[Packet]:
    return [record for record in open_trace(str(path)).records() if isinstance(record, Packet)]


def bare(packet: Packet) -> tuple[object, ...]:
    return (packet.protocol, packet.source, packet.destination, packet.flags, packet.fields)


def dump(octets: bytes, *, ascii: bool = False) -> str:
    lines = []
    for at in range(0, len(octets), 16):
        row = octets[at : at + 16]
        text = " ".join(row[n : n + 2].hex() for n in range(0, len(row), 2))
        if ascii:
            text = f"{text:<39}  " + "".join(chr(one) if 32 < one < 127 else "." for one in row)
        lines.append(f"\t0x{at:04x}:  {text}\n")
    return "".join(lines)


def printed(path: Path, form: str, words: str = WORDS) -> str:
    """What tcpdump prints with this option of an Ethernet capture. -x shows frames that are not IP without a header."""
    text = []
    for frame in read_frames(str(path), range(1, 10_000)):
        seconds, rest = divmod(frame.time or 0, 10**9)
        octets = frame.data if form in ("-xx", "-XX") else frame.data[14:]
        told = words if frame.data[12:14] != b"\x08\x06" else "ARP, Request who-has 10.0.0.1 tell 10.0.0.2, length 28"
        text.append(f"{seconds}.{rest // 1000:06d} {told}\n" + dump(octets, ascii=form in ("-X", "-XX")))
    return "".join(text)


@pytest.mark.parametrize(
    ("name", "form"),
    [*((name, form) for name in CAPTURES for form in ("-x", "-X", "-xx", "-XX")), (TAGGED, "-xx"), (TAGGED, "-XX")],
)
def test_as_in_the_capture(root: Path, tmp_path: Path, name: str, form: str) -> None:
    log = tmp_path / "log.txt"
    log.write_text(printed(root / "traces" / name, form))
    found, expected = packets(log), packets(root / "traces" / name)
    assert [bare(one) for one in found] == [bare(one) for one in expected]
    assert [(one.time or 0) // 1000 for one in found] == [(one.time or 0) // 1000 for one in expected]


def test_numbers_are_those_of_lines(root: Path, tmp_path: Path) -> None:
    log = tmp_path / "log.txt"
    log.write_text("reading from file x, link-type EN10MB\n" + printed(root / "traces" / CAPTURES[0], "-x"))
    lines = log.read_text().splitlines()
    assert all(lines[one.number - 1].endswith(WORDS) for one in packets(log))


def test_what_is_printed_over_several_lines(root: Path, tmp_path: Path) -> None:
    log = tmp_path / "log.txt"
    words = (
        "IP (tos 0x0, ttl 64, id 1, offset 0, flags [DF], proto TCP (6), length 60)\n    10.0.0.1.5 > 10.0.0.2.80: x"
    )
    log.write_text(printed(root / "traces" / CAPTURES[0], "-X", words))
    assert [bare(one) for one in packets(log)] == [bare(one) for one in packets(root / "traces" / CAPTURES[0])]


def test_octets_that_are_no_packet(root: Path, tmp_path: Path) -> None:
    """A message in octets may stand before the packet; a packet of which lines are missing is left out."""
    log = tmp_path / "log.txt"
    lines = printed(root / "traces" / CAPTURES[0], "-x").splitlines(keepends=True)
    log.write_text("".join(lines))
    numbers = [one.number for one in packets(log)]
    lines[numbers[2]] = ""
    lines[numbers[0] - 1] += dump(b"a message of its own, long enough for two")
    log.write_text("".join(lines))
    trace = open_trace(str(log))
    found = [bare(one) for one in trace.records() if isinstance(one, Packet)]
    expected = [bare(one) for one in packets(root / "traces" / CAPTURES[0])]
    assert trace.skipped.reasons["packet without octets"] == 1
    assert [one for one in expected if one not in found] == [expected[2]] and len(found) == len(expected) - 1


def test_packets_that_were_cut(root: Path, tmp_path: Path) -> None:
    log = tmp_path / "log.txt"
    text = printed(root / "traces" / "lab" / "half-close.client.pcap", "-x")
    log.write_text("".join(line for line in text.splitlines(True) if not line.startswith("\t") or line < "\t0x0050"))
    trace = open_trace(str(log))
    found = [one.fields["length"] for one in trace.records() if isinstance(one, Packet)]
    assert found == [one.fields["length"] for one in packets(root / "traces" / "lab" / "half-close.client.pcap")]
    assert any(code == "CAP-005" for code, _ in trace.circumstances.met)


def test_without_octets_the_words_count(root: Path, tmp_path: Path) -> None:
    log = tmp_path / "log.txt"
    log.write_text(f"1.5 {WORDS}\n\t0x0000:  zzzz\n\t0x0000:  0000 0000\n")
    (one,) = packets(log)
    assert (one.source, one.fields["window"]) == ("10.0.0.1:5", 5)
