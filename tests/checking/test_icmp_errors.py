"""ICMP errors in captures: what they say of the packet that they quote, and of a connection that may end by them."""

from __future__ import annotations

import pytest

from tcpmodel.checking.checker import Checker
from tcpmodel.checking.outcome.findings import CONFORMS, INCONCLUSIVE, VIOLATES
from tcpmodel.traces.records import ERRORS, FLAG_BITS, Packet

A, B = "10.0.0.1:4000", "10.0.0.2:80"
SYN, ACK, RST = FLAG_BITS["SYN"], FLAG_BITS["ACK"], FLAG_BITS["RST"]


def datagram(source: str = A, target: str = B, **fields: int) -> tuple[str, str, str, int, dict[str, int]]:
    known = {"length": 20, "ip_payload": 20, "checksum": 4711, "checksum_ok": 1, "ip_version": 4, "ip_id": 7}
    return ("udp", source, target, 0, known | {"source_port": 9, "destination_port": 9, "source_multicast": 0} | fields)


def error(kind: int = 3, code: int = 3, about: int = 17, source: str = A, target: str = B, **fields: int):
    known = {"icmp_type": kind, "icmp_code": code, "about": about, "ip_version": 4, "destination_multicast": 0}
    return (ERRORS, source, target, 0, known | fields)


def segment(source: str, flags: int, seq: int, ack: int = 0, length: int = 0):
    target = B if source == A else A
    return ("tcp", source, target, flags, {"seq": seq, "ack": ack, "length": length, "window": 500})


def packets(*parts) -> list[Packet]:
    return [Packet(at, at * 10**6, *part) for at, part in enumerate(parts, 1)]


def codes(checker: Checker) -> list[tuple[str, int]]:
    return [(each.code, each.place) for one in checker.report.connections for each in one.diagnostics]


QUOTE = {"length": 20, "checksum": 4711, "ip_id": 7}

DATAGRAMS = {
    "refused": ([datagram(), error(**QUOTE)], [("UDP-018", 2)], CONFORMS),
    "refused, IPv6": (
        [datagram("[::1]:5", "[::2]:6"), error(1, 4, source="[::1]:5", target="[::2]:6", ip_version=6)],
        [("UDP-018", 2)],
        CONFORMS,
    ),
    "not reachable for now": ([datagram(), error(3, 1, **QUOTE)], [], CONFORMS),
    "goes on": ([datagram(), error(**QUOTE)] * 3 + [datagram()], [("UDP-018", 2), ("UDP-011", 7)], CONFORMS),
    "goes on, and is heard at last": (
        [*[datagram(), error(**QUOTE)] * 3, datagram(B, A), datagram()],
        [("UDP-018", 2)],
        CONFORMS,
    ),
    "twice refused is no habit": ([datagram(), error(**QUOTE)] * 2 + [datagram()], [("UDP-018", 2)], CONFORMS),
    "for a group": (
        [datagram(target="224.0.0.251:5"), error(target="224.0.0.251:5", destination_multicast=1)],
        [("UDP-012", 2)],
        VIOLATES,
    ),
    "for a group, and something else": (
        [datagram(target="224.0.0.251:5"), error(11, 0, target="224.0.0.251:5", destination_multicast=1)],
        [],
        CONFORMS,
    ),
    "text without the port of the sender": (
        [datagram(), error(source="10.0.0.1:*")],
        [("UDP-018", 2)],
        CONFORMS,
    ),
}


DATAGRAMS |= {
    "damaged on the way": ([datagram(), datagram(checksum_ok=0, checksum_wrong=1)], [("UDP-006", 2)], CONFORMS),
    "some left to the network card": ([datagram(), datagram(checksum_ok=0, checksum_partial=1)], [], CONFORMS),
    "all left to the network card": ([datagram(checksum_ok=0, checksum_wrong=1)] * 3, [("CAP-001", 1)], CONFORMS),
    "in pieces": ([datagram(fragments=3)], [("UDP-009", 1)], CONFORMS),
    "one piece is the whole": ([datagram(fragments=1)], [], CONFORMS),
}


@pytest.mark.parametrize("name", DATAGRAMS)
def test_datagrams(judge, name):
    parts, expected, verdict = DATAGRAMS[name]
    checker = judge(packets(*parts))
    assert codes(checker) == expected
    assert [one.verdict for one in checker.report.connections] == [verdict]
    assert checker.report.inputs[0].skipped == {}


def test_the_quoted_datagram_is_named(judge):
    checker = judge(
        packets(datagram(ip_id=1), datagram(ip_id=2), datagram(ip_id=3), error(**QUOTE | {"ip_id": 2}), datagram())
    )
    (finding,) = checker.report.connections[0].diagnostics
    assert finding.message.endswith(", about packet 2")
    assert finding.endpoint == B


@pytest.mark.parametrize("quote", [{"length": 20}, {"length": 20, "ip_id": 0x0700}, {"checksum": 1, "length": 20}, {}])
def test_a_quote_that_was_changed_on_its_way_fits_yet(judge, quote):
    assert codes(judge(packets(datagram(), error(**quote)))) == [("UDP-018", 2)]


def test_a_quote_of_another_datagram_fits_no_other(judge):
    assert codes(judge(packets(datagram(), error(length=99)))) == []


def test_about_a_datagram_that_was_never_seen(judge):
    checker = judge(packets(datagram(), error(target="10.0.0.2:81"), error(target="10.0.0.2:82")))
    (note,) = checker.report.inputs[0].notes
    assert (note.code, note.place, note.severity) == ("UDP-010", 2, "note")
    assert note.message.endswith(": 2")
    assert [one.verdict for one in checker.report.connections] == [CONFORMS]


def test_about_a_connection_that_was_never_seen_is_nothing_for_tcp(judge):
    checker = judge(packets(datagram(), error(about=6)))
    assert checker.report.inputs[0].notes == ()


@pytest.mark.parametrize(
    ("kind", "code", "verdict", "states"),
    [
        (3, 3, CONFORMS, ("CLOSED", "SYN-SENT")),
        (3, 2, CONFORMS, ("CLOSED", "SYN-SENT")),
        (3, 1, INCONCLUSIVE, ("SYN-SENT",)),
        (3, 13, INCONCLUSIVE, ("SYN-SENT",)),
        (4, 0, INCONCLUSIVE, ("SYN-SENT",)),
    ],
)
def test_an_opening_that_icmp_may_end(judge, kind, code, verdict, states):
    (one,) = judge(packets(segment(A, SYN, 1000), error(kind, code, 6, seq=1000))).report.connections
    assert (one.verdict, one.a_states, one.diagnostics) == (verdict, states, ())


OPEN = [
    segment(A, SYN, 1000),
    segment(B, SYN | ACK, 5000, 1001),
    segment(A, ACK, 1001, 5001),
    segment(A, ACK, 1001, 5001, 10),
]


@pytest.mark.parametrize("kind", [(3, 0), (3, 1), (3, 3), (3, 4), (4, 0), (11, 0), (12, 1)])
@pytest.mark.parametrize(
    "after",
    [
        [],
        [segment(A, RST | ACK, 1011, 5001)],
        [segment(A, ACK, 1001, 5001, 10), segment(B, ACK, 5001, 1011)],
        [segment(A, ACK, 1001, 5001, 5), segment(A, ACK, 1006, 5001, 5), segment(B, ACK, 5001, 1011)],
    ],
)
def test_whatever_an_open_connection_does_after_an_error_is_legal(judge, kind, after):
    (one,) = judge(packets(*OPEN, error(*kind, 6, seq=1001), *after)).report.connections
    assert one.verdict != VIOLATES
    assert one.diagnostics == ()


@pytest.mark.parametrize(("seq", "found"), [(1000, []), (1001, []), (1011, []), (999, []), (1012, ["ICMP-004"])])
@pytest.mark.parametrize("shift", [0, 2**32 - 1005])
def test_a_quote_outside_what_was_sent(judge, seq, found, shift):
    def moved(part):
        fields = dict(part[4])
        key = "seq" if part[1] == A else "ack"
        fields[key] = (fields[key] + shift) % 2**32 if part[3] & ACK or key == "seq" else 0
        return (*part[:4], fields)

    parts = [*map(moved, OPEN), error(11, 0, 6, seq=(seq + shift) % 2**32)]
    (one,) = judge(packets(*parts)).report.connections
    assert [each.code for each in one.diagnostics] == found


def test_of_one_direction_nothing_is_said_about_numbers(judge):
    (one,) = judge(packets(*OPEN[2:], error(11, 0, 6, seq=77))).report.connections
    assert one.diagnostics == ()


def test_many_errors_about_many_ports(judge):
    parts = []
    for port in range(1, 600):
        target = f"10.0.0.2:{port}"
        parts += [datagram(target=target), error(target=target, **QUOTE)]
    checker = judge(packets(*parts))
    assert len(checker.report.connections) == 599
    assert {code for code, _ in codes(checker)} == {"UDP-018"}
