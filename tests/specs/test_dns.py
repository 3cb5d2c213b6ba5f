"""Questions and answers of DNS in captures: what became of each question."""

from __future__ import annotations

from pathlib import Path

import pytest

from tcpmodel.analysis.verify import verify
from tcpmodel.checking.checker import Checker
from tcpmodel.checking.examples import packets
from tcpmodel.checking.run import check
from tcpmodel.model.load import load_spec
from tcpmodel.model.spec import Spec
from tcpmodel.traces.reader import Trace
from tcpmodel.traces.records import ERRORS, Packet, Skipped

CAPTURE = Path(__file__).resolve().parents[2] / "traces" / "lab" / "dns.client.pcap"
A, B = "10.0.0.1:4000", "10.0.0.2:53"


class Records(Trace):
    path = format = "records"

    def __init__(self, records: list[Packet]) -> None:
        self.skipped = Skipped()
        self._records = records

    def records(self):
        return iter(self._records)


@pytest.fixture(scope="module")
def dns() -> Spec:
    return load_spec("dns")


def test_the_spec_is_proved(dns):
    assert [(s.name, c.name) for s in verify(dns).sections for c in s.checks if not c.holds] == []


def test_the_capture(dns):
    report = check([str(CAPTURE)], [dns])
    found = {
        one.a.partition("#")[2]: (one.verdict, [each.code for each in one.diagnostics]) for one in report.connections
    }
    assert found == {
        "6657": ("conforms", []),
        "6658": ("conforms", []),
        "6659": ("conforms", []),
        "6660": ("conforms", ["UDP-015"]),
        "6661": ("conforms", ["UDP-014"]),
        "6662": ("inconclusive", ["UDP-016", "UDP-015"]),
        "6663": ("inconclusive", ["UDP-016"]),
        "6664": ("conforms", ["UDP-018", "UDP-015"]),
    }


def datagram(source: str, key: int, answer: bool, **more: int):
    target = B if source == A else A
    fields = {"text_0": key, "text_2": 0x8180 if answer else 0x100, "length": 40, "ip_payload": 40}
    fields |= {"source_port": 53 if source == B else 4000, "destination_port": 53 if source == A else 4000}
    return ("udp", source, target, 0, fields | more)


REFUSED = (ERRORS, A, B, 0, {"icmp_type": 3, "icmp_code": 3, "ip_version": 4, "about": 17})
ASK, ANSWER = datagram(A, 7, False), datagram(B, 7, True)

TALKS = {
    "answered": ([ASK, ANSWER], []),
    "no question": ([ANSWER], ["UDP-013"]),
    "another key": ([ASK, datagram(B, 8, True)], ["UDP-016", "UDP-013"]),
    "no answer": ([ASK], ["UDP-016"]),
    "asked again": ([ASK, ASK, ANSWER], ["UDP-015"]),
    "each of two questions is answered": ([ASK, ASK, ANSWER, ANSWER], ["UDP-015"]),
    "answered twice": ([ASK, ANSWER, ANSWER], ["UDP-014"]),
    "late, and asked again meanwhile": ([ASK, ASK, ASK, ANSWER], ["UDP-015"]),
    "refused": ([ASK, REFUSED], ["UDP-018"]),
    "refused, and yet answered": ([ASK, REFUSED, ANSWER], ["UDP-018", "UDP-017"]),
    "the answer was captured first": ([ANSWER, ASK], ["UDP-013"]),
}


@pytest.mark.parametrize("name", TALKS)
def test_talks(dns, name):
    parts, expected = TALKS[name]
    checker = Checker([dns])
    checker.read(Records([Packet(at, at * 10**6, *part) for at, part in enumerate(parts, 1)]))
    found = [each.code for one in checker.report.connections for each in one.diagnostics]
    assert found == expected
    assert "violates" not in {one.verdict for one in checker.report.connections}


def test_what_is_not_dns_is_left_out(dns):
    checker = Checker([dns])
    other = datagram(A, 7, False, destination_port=99)
    short = ("udp", A, B, 0, {"length": 8, "source_port": 4000, "destination_port": 53})
    checker.read(Records([Packet(at, at, *part) for at, part in enumerate([ASK, other, short], 1)]))
    assert [one.packets for one in checker.report.connections] == [1]
    assert sum(checker.report.inputs[0].skipped.values()) == 2


def test_examples(dns):
    for example in dns.examples:
        wrong = [(example.name, number) for number, line in enumerate(example.lines, 1) if line.wrong]
        checker = Checker([dns])
        shown = [each._replace(fields={**each.fields, "destination_port": 53}) for each in packets(dns, example)]
        checker.read(Records(shown))
        found = [(each.code, each.place) for one in checker.report.connections for each in one.diagnostics]
        assert [each for each in found if each[0] == example.name] == wrong, example.span
