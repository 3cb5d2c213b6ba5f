"""Mistakes in text that tcpdump and tshark printed: what the text shows is found as in the capture."""

from __future__ import annotations

from pathlib import Path

import pytest

PRINTED = Path(__file__).parents[2] / "traces" / "printed"

EXPECTED = {
    "m08-data-into-zero-window.tcpdump-v.txt": ("violation", "TCP-SEQ-001", 11),
    "m08-data-into-zero-window.tcpdump.txt": ("note", "TCP-SEQ-001", 6),
    "m13-mss-option-in-data.tcpdump.txt": ("violation", "TCP-OPT-001", 4),
    "m13-mss-option-in-data.tshark-fields.txt": ("violation", "TCP-OPT-001", 4),
    "m21-bad-tcp-checksum.tcpdump-v.txt": ("violation", "TCP-HDR-002", 7),
    "m21-bad-tcp-checksum.tcpdump.txt": None,
    "m21-bad-tcp-checksum.tshark-fields.txt": ("violation", "TCP-HDR-002", 4),
}


@pytest.mark.parametrize("name", EXPECTED)
def test_what_the_text_shows_is_found(judge, name):
    (connection,) = judge(PRINTED / name).report.connections
    found = [(one.severity, one.code, one.place) for one in connection.diagnostics]
    assert found == ([EXPECTED[name]] if EXPECTED[name] else [])
