"""Captures of every so many packets, of connections that follow each other between the same ports."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "bench"))

import conversation
from conversation import ACK, PSH, SYN, Segment
from test_capture_faults import MILLISECOND, SPECS, A, B

from tcpmodel.checking.outcome.findings import Report
from tcpmodel.checking.run import check

Story = list[tuple[int, int, int, int, int, int]]
"""Side, flags, number, acknowledgment, octets of text and identification of each packet."""

FIFTH: Story = [
    (B, SYN | ACK, 1613844702, 4207372741, 0, 0),
    (B, ACK | PSH, 1614484802, 4208012894, 100, 65402),
    (A, ACK, 4208867605, 1615339793, 0, 31016),
    (A, ACK, 4209864184, 1616336200, 0, 55310),
    (B, SYN | ACK, 1616986732, 4210514878, 0, 0),
    (B, SYN | ACK, 1617787352, 4211315459, 0, 0),
    (B, SYN | ACK, 1618744891, 4212272985, 0, 0),
    (A, SYN, 4212913858, 0, 0, 6434),
    (A, ACK, 4214664200, 1621136166, 0, 9526),
]
HALF: Story = [
    (B, SYN | ACK, 360188014, 3711968208, 0, 0),
    (B, ACK | PSH, 360188015, 3711968208, 100, 64613),
    (A, SYN, 3713080079, 0, 0, 59973),
    (A, ACK, 3713080080, 361299837, 0, 59974),
    (A, ACK, 3713080080, 361299937, 0, 59975),
    (B, ACK | 1, 361299937, 3713080080, 0, 3313),
]


def judged(tmp_path: Path, story: Story) -> Report:
    path = tmp_path / "x.pcap"
    told = [
        Segment(10**18 + place * 40 * MILLISECOND, side, seq, ack, flags, 60000, length, b"", ttl=64, ip_id=ip_id)
        for place, (side, flags, seq, ack, length, ip_id) in enumerate(story)
    ]
    conversation.write(path, [told])
    return check([str(path)], SPECS)


@pytest.mark.parametrize("story", [FIFTH, HALF], ids=["a fifth", "half"])
def test_nobody_is_accused(tmp_path: Path, story: Story) -> None:
    assert {one.verdict for one in judged(tmp_path, story).connections} == {"inconclusive"}
