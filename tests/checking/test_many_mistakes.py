"""A connection in which nearly every packet is a mistake: all that is told of it, and how long it is followed."""

from __future__ import annotations

from pathlib import Path

import pytest
from in_memory import Records

from tcpmodel.checking import connection, standing
from tcpmodel.checking.checker import Checker
from tcpmodel.checking.findings import VIOLATES
from tcpmodel.model.load import load
from tcpmodel.traces.open import open_trace
from tcpmodel.traces.records import Packet

TRACES = Path(__file__).resolve().parents[2] / "traces"


def mistakes(count: int) -> list[Packet]:
    """A connection that sends text behind its FIN, each time other octets."""
    packets = [
        record
        for record in open_trace(str(TRACES / "planted" / "m04-data-after-fin.pcap")).records()
        if isinstance(record, Packet)
    ]
    wrong = packets[8]
    again = [
        wrong._replace(
            number=20 + step,
            fields=wrong.fields | {"seq": wrong.fields["seq"] + 10 * step, "ip_id": 100 + step},
        )
        for step in range(1, count)
    ]
    return [*packets[:9], *again]


@pytest.mark.parametrize("active", [True, False], ids=["with memory", "without"])
@pytest.mark.parametrize("count", [2, 3, 40])
def test_a_connection_without_sense_is_followed_no_further(
    count: int, active: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection, "ENOUGH", 3)
    monkeypatch.setattr(standing, "ENOUGH", 3)
    checker = Checker([load("tcp").spec])
    judge = checker._judge("tcp")
    assert judge is not None
    judge.memo.active = active
    packets = mistakes(count)
    checker.read(Records(packets))
    (one,) = checker.report.connections
    assert (one.verdict, one.packets) == (VIOLATES, len(packets))
    found = [item.place for item in one.diagnostics if item.code == "TCP-FIN-001"]
    assert found == [9, 10, 11][:count]
    left = [reason for reason in one.reasons if "not followed beyond" in reason]
    assert left == (["not followed beyond packet 11: nothing explains 3 of its messages"] if count >= 3 else [])
