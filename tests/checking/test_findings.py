"""Very many findings in one connection: so many are kept of each code, all are counted."""

from __future__ import annotations

import pickle
from collections.abc import Callable

import pytest

from tcpmodel.checking.checker import Checker
from tcpmodel.checking.outcome import findings
from tcpmodel.checking.outcome.findings import Diagnostic, Findings, with_rest
from tcpmodel.traces.records import Packet

FIN, SYN, ACK = 1, 2, 16


@pytest.fixture(autouse=True)
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(findings, "MOST_OF_A_CODE", 3)


def note(code: str, place: int) -> Diagnostic:
    return Diagnostic(code, "note", "a:1", place, False, f"{code} it is")


def test_of_each_code_some_are_kept_and_all_are_counted() -> None:
    found = Findings()
    for place in range(10):
        found.append(note("A", place))
    found.append(note("B", 10))
    assert [(each.code, each.place, each.more) for each in found] == [
        ("A", 0, 0),
        ("A", 1, 0),
        ("A", 2, 7),
        ("B", 10, 0),
    ]
    found[:] = sorted(found, key=lambda each: -each.place)
    found.append(note("A", 11))
    assert sum(each.more for each in found) == 8
    assert with_rest(found)[1].message == "A it is; and 8 more of this kind, which are not kept"


def test_they_can_be_packed() -> None:
    found = Findings([note("A", 1)])
    again = pickle.loads(pickle.dumps(found))
    assert list(again) == list(found)


def test_a_connection_in_which_every_packet_is_wrong(judge: Callable[..., Checker]) -> None:
    def segment(source: str, target: str, flags: int, seq: int, ack: int, length: int = 0) -> Packet:
        fields = {"seq": seq, "ack": ack, "window": 512, "length": length, "urgent": 0, "offset": 20}
        return Packet(1, 10**9, "tcp", source, target, flags, fields | {"ip_payload": 20 + length})

    a, b = "10.0.0.1:4000", "192.0.2.1:80"
    packets = [segment(a, b, SYN, 100, 0), segment(b, a, SYN | ACK, 300, 101), segment(a, b, ACK, 101, 301)]
    packets += [segment(a, b, ACK | FIN, 101, 301), segment(b, a, ACK, 301, 102)]
    packets += [segment(a, b, ACK, 102 + 10 * number, 301, 10) for number in range(12)]
    checker = judge(packets)
    (one,) = checker.report.connections
    wrong = [each for each in one.diagnostics if each.severity == "violation"]
    assert len(wrong) < 12
    assert sum(1 + each.more for each in wrong) == checker.report.failing == 12
    assert f"and {wrong[-1].more} more of this kind" in max((each.message for each in wrong), key=len)
