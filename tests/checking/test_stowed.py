"""Connections that are put away while there are many: what is reported of them is the same."""

from __future__ import annotations

from itertools import zip_longest
from pathlib import Path

import pytest

from tcpmodel.checking import table
from tcpmodel.traces.open import open_trace
from tcpmodel.traces.records import ERRORS, Packet

TRACES = Path(__file__).resolve().parents[2] / "traces"
NAMES = [
    *("lab/half-close.client", "lab/udp-echo.client", "lab/udp-unreach.client", "planted/m04-data-after-fin"),
    *("real/portreuse", "real/reuse-tw", "real/refused"),
]


def mixed() -> list[Packet]:
    """The packets of many captures in turns, each capture with addresses of its own."""
    captures = []
    for index, name in enumerate(NAMES):
        packets = [each for each in open_trace(str(TRACES / f"{name}.pcap")).records() if isinstance(each, Packet)]
        captures.append(
            [
                each._replace(source=f"h{index}-{each.source}", destination=f"h{index}-{each.destination}")
                for each in packets
            ]
        )
    found = [each for turn in zip_longest(*captures) for each in turn if each is not None]
    return [each._replace(number=number, time=number * 1000) for number, each in enumerate(found, 1)]


def shown(checker) -> list[object]:
    reports = []
    for one in checker.report.connections:
        found = [(each.code, each.place, each.message, each.endpoint, each.states) for each in one.diagnostics]
        reports.append((one.id, one.a, one.b, one.verdict, one.reasons, one.a_states, one.b_states, one.packets, found))
    return reports


@pytest.mark.parametrize("most", [1, 4])
def test_putting_away_changes_nothing(judge, monkeypatch, most):
    packets = mixed()
    expected = shown(judge(packets))
    assert len(expected) > 8
    monkeypatch.setattr(table, "SWEEP_FROM", most)
    monkeypatch.setattr(table, "STOW_FROM", most)
    put = []
    original = table.Stowed.put
    monkeypatch.setattr(table.Stowed, "put", lambda *args: put.append(original(*args)) or put[-1])
    assert shown(judge(packets)) == expected
    assert any(put)


def udp(number: int, source: str, target: str, length: int) -> Packet:
    fields = {"length": length, "ip_payload": length, "checksum": 1, "checksum_ok": 1, "ip_version": 4}
    fields |= {"source_port": 4, "destination_port": 5, "source_multicast": 0, "ttl": 64, "ip_id": number & 0xFFFF}
    return Packet(number, number * 1000, "udp", source, target, 0, fields)


def test_pairs_to_many_ports_take_little_room(judge, monkeypatch):
    monkeypatch.setattr(table, "SWEEP_FROM", 256)
    monkeypatch.setattr(table, "STOW_FROM", 256)
    live = []
    original = table.Table._sweep

    def sweep(self, now):
        live.append(len(self._connections))
        original(self, now)

    monkeypatch.setattr(table.Table, "_sweep", sweep)
    packets = []
    for port in range(3000):
        packets.append(udp(2 * port + 1, f"10.0.0.1:{port}", "10.0.0.2:53", 40 + port % 20))
        packets.append(udp(2 * port + 2, "10.0.0.2:53", f"10.0.0.1:{port}", 90 + port % 300))
    late = [udp(6001 + port, "10.0.0.2:53", f"10.0.0.1:{port}", 99) for port in range(0, 3000, 100)]
    checker = judge([*packets, *late])
    assert max(live) <= 512
    counts = [one.packets for one in checker.report.connections]
    assert counts == [3 if port % 100 == 0 else 2 for port in range(3000)]
    assert {one.verdict for one in checker.report.connections} == {"conforms"}


def test_an_error_about_one_that_was_put_away(judge, monkeypatch):
    monkeypatch.setattr(table, "SWEEP_FROM", 2)
    monkeypatch.setattr(table, "STOW_FROM", 2)
    packets = []
    for port in range(20):
        packets.append(udp(2 * port + 1, f"10.0.0.1:{port}", "10.0.0.2:53", 40))
        packets.append(udp(2 * port + 2, f"10.0.0.1:{port}", "10.0.0.2:53", 40))
    fields = {"icmp_type": 3, "icmp_code": 3, "ip_version": 4, "about": 17, "destination_multicast": 0}
    packets.append(Packet(41, 41000, ERRORS, "10.0.0.1:0", "10.0.0.2:53", 0, fields))
    checker = judge(packets)
    found = [(one.a, each.code) for one in checker.report.connections for each in one.diagnostics]
    assert found == [("10.0.0.1:0", "UDP-018")]
