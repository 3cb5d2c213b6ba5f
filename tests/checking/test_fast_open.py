"""Fast Open: text on the SYN and on what answers it."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "bench"))

import conversation
from conversation import ACK, FIN, PSH, SYN, Segment

from tcpmodel.checking.run import check
from tcpmodel.model.load import load_spec

A, B = 0, 1
MSS = bytes((2, 4, 5, 180))
COOKIE = MSS + bytes((34, 10)) + b"eaten up" + b"\1\1"

Said = tuple[int, int, int, int, int]
"""Who, flags, number, acknowledgment, and how much text."""

CLOSE = [(A, ACK | FIN, 111, 321, 0), (B, ACK | FIN, 321, 112, 0), (A, ACK, 112, 322, 0)]

LEGAL: dict[str, list[Said]] = {
    "an answer on the SYN,ACK": [(B, SYN | ACK, 300, 111, 20), (A, ACK, 111, 321, 0)],
    "an answer in two pieces": [(B, SYN | ACK, 300, 111, 8), (B, ACK | PSH, 309, 111, 12), (A, ACK, 111, 321, 0)],
    "an answer behind the SYN,ACK": [(B, SYN | ACK, 300, 111, 0), (B, ACK | PSH, 301, 111, 20), (A, ACK, 111, 321, 0)],
    "the SYN,ACK again with all of it": [
        (B, SYN | ACK, 300, 111, 20),
        (B, SYN | ACK, 300, 111, 20),
        (A, ACK, 111, 321, 0),
    ],
    "the SYN,ACK again without its text": [
        (B, SYN | ACK, 300, 111, 20),
        (B, SYN | ACK, 300, 111, 0),
        (A, ACK, 111, 301, 0),
        (B, ACK, 301, 111, 20),
        (A, ACK, 111, 321, 0),
    ],
}


def verdict(tmp_path: Path, story: list[Said]) -> tuple[str, list[str]]:
    segments = []
    for place, (side, flags, seq, ack, length) in enumerate(story):
        options = (COOKIE if side == A else MSS) if flags & SYN else b""
        time = 10**18 + place * 10**7
        segments.append(Segment(time, side, seq, ack, flags, 60000, length, options, ttl=64, ip_id=place + 1))
    path = tmp_path / "x.pcap"
    conversation.write(path, [segments])
    (one,) = check([str(path)], [load_spec("tcp")]).connections
    return one.verdict, [item.code for item in one.diagnostics if item.severity == "violation"]


@pytest.mark.parametrize("name", LEGAL)
def test_answers_to_text_on_the_syn(tmp_path: Path, name: str) -> None:
    assert verdict(tmp_path, [(A, SYN, 100, 0, 10), *LEGAL[name], *CLOSE]) == ("conforms", [])


def test_the_text_is_counted(tmp_path: Path) -> None:
    """What was on the SYN,ACK is sent: it cannot be followed by other text of the same numbers, or by a lower FIN."""
    story: list[Said] = [(A, SYN, 100, 0, 10), (B, SYN | ACK, 300, 111, 20), (A, ACK, 111, 321, 0)]
    wrong: list[Said] = [(B, ACK | FIN, 311, 111, 0), (A, ACK, 111, 321, 0)]
    assert verdict(tmp_path, [*story, *wrong])[0] == "violates"
