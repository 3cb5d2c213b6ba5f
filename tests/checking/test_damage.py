"""Packets that were damaged on the way accuse nobody; wrong checksums of right packets change nothing."""

from __future__ import annotations

from pathlib import Path

import pytest
from in_memory import Records

from tcpmodel.checking.checker import Checker
from tcpmodel.checking.outcome.findings import ConnectionReport
from tcpmodel.model.load import load
from tcpmodel.traces.open import open_trace
from tcpmodel.traces.records import Packet

TRACES = Path(__file__).resolve().parents[2] / "traces"
WHOLE = "lab/normal-client-close.client.pcap"


def packets(name: str) -> list[Packet]:
    return [record for record in open_trace(str(TRACES / name)).records() if isinstance(record, Packet)]


def judged(records: list[Packet]) -> list[ConnectionReport]:
    checker = Checker([load("tcp").spec])
    checker.read(Records(records))
    return list(checker.report.connections)


def damaged(packet: Packet, **fields: int) -> Packet:
    kept = {name: value for name, value in packet.fields.items() if name != "checksum_partial"}
    return packet._replace(fields=kept | {"checksum_ok": 0} | fields)


@pytest.mark.parametrize("index", range(3, 10))
@pytest.mark.parametrize("field", ["seq", "ack"])
@pytest.mark.parametrize("bit", [12, 31])
def test_a_bit_that_turned_over_is_nobodys_fault(index: int, field: str, bit: int) -> None:
    """The receiver drops the packet, and the sender sends it again, whole."""
    whole = packets(WHOLE)
    wrong = damaged(whole[index], **{field: whole[index].fields[field] ^ 1 << bit})
    for records in ([*whole[:index], wrong, *whole[index:]], [*whole[:index], wrong, *whole[index + 1 :]]):
        assert [one.verdict for one in judged(records) if one.verdict == "violates"] == []


def test_the_same_with_a_right_checksum_is_a_violation() -> None:
    whole = packets(WHOLE)
    wrong = whole[5]._replace(fields=whole[5].fields | {"ack": whole[5].fields["ack"] + 5000, "checksum_ok": 1})
    assert [one.verdict for one in judged([*whole[:5], wrong, *whole[6:]])] == ["violates"]


@pytest.mark.parametrize("name", [WHOLE, "lab/half-close.client.pcap", "lab/rst-abort-client.client.pcap"])
def test_wrong_checksums_throughout_change_no_verdict(name: str) -> None:
    whole = packets(name)
    plain, spoiled = judged(whole), judged([damaged(packet) for packet in whole])
    assert [(one.verdict, one.a_states, one.b_states) for one in spoiled] == [
        (one.verdict, one.a_states, one.b_states) for one in plain
    ]


@pytest.mark.parametrize("index", [4, 6])
@pytest.mark.parametrize("flag", [0x01, 0x04, 0x80])
def test_a_flag_that_turned_over_is_believed_as_long_as_it_fits(index: int, flag: int) -> None:
    """An acknowledgment with FIN is one that its sender may send; then text follows, and it was damage."""
    whole = packets(WHOLE)
    wrong = damaged(whole[index])._replace(flags=(whole[index].flags or 0) ^ flag)
    found = judged([*whole[:index], wrong, *whole[index:]])
    assert [one.verdict for one in found if one.verdict == "violates"] == []


@pytest.mark.parametrize(("place", "change"), [(0, {"wscale": 49}), (1, {"wscale": 49}), (4, {"mss": 1460})])
def test_options_of_a_damaged_segment_accuse_nobody(place: int, change: dict[str, int]) -> None:
    whole = packets(WHOLE)
    wrong = damaged(whole[place], **change)
    assert [one.verdict for one in judged([*whole[:place], wrong, *whole[place:]])] != ["violates"]
    right = whole[place]._replace(fields=whole[place].fields | change | {"checksum_ok": 1})
    assert "violates" in [one.verdict for one in judged([*whole[:place], right, *whole[place:]])]
