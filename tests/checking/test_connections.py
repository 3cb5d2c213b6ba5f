"""Which packets belong to which connection, and that the spec alone decides what is allowed in it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from in_memory import Records
from shipped import tcp_text

from tcpmodel.checking.checker import Checker
from tcpmodel.checking.outcome.findings import CONFORMS, INCONCLUSIVE, VIOLATES, Report
from tcpmodel.model.load import parse_spec
from tcpmodel.traces.records import FLAG_BITS, Packet

Judge = Callable[..., Checker]
A, B = "10.0.0.1:4000", "10.0.0.2:80"
ROOT = Path(__file__).resolve().parents[2]


def packet(who: str, flags: str, seq: int, ack: int = 0, length: int = 0, *, a: str = A, b: str = B) -> Packet:
    source, destination = (a, b) if who == "A" else (b, a)
    bits = sum(FLAG_BITS[name] for name in flags.split(",") if name)
    fields = {"seq": seq % 2**32, "ack": ack % 2**32, "length": length, "window": 65535}
    return Packet(1, None, "tcp", source, destination, bits, fields)


def life(i: int, r: int, *, a: str = A, b: str = B) -> list[Packet]:
    """A whole connection: i and r are the initial numbers of A, who opens and closes, and of B."""
    steps = [
        ("A", "SYN", i, 0, 0),
        ("B", "SYN,ACK", r, i + 1, 0),
        ("A", "ACK", i + 1, r + 1, 0),
        ("A", "ACK,PSH", i + 1, r + 1, 5),
        ("B", "ACK", r + 1, i + 6, 0),
        ("B", "ACK,PSH", r + 1, i + 6, 20),
        ("A", "ACK", i + 6, r + 21, 0),
        ("A", "FIN,ACK", i + 6, r + 21, 0),
        ("B", "FIN,ACK", r + 21, i + 7, 0),
        ("A", "ACK", i + 7, r + 22, 0),
    ]
    return [packet(who, flags, seq, ack, length, a=a, b=b) for who, flags, seq, ack, length in steps]


def verdicts(report: Report) -> list[tuple[str, int]]:
    return [(connection.verdict, connection.packets) for connection in report.connections]


# --------------------------------------------------------------------------------------------------------- splitting


def test_one_connection(judge: Judge) -> None:
    (connection,) = judge(life(1000, 5000)).report.connections
    assert (connection.verdict, connection.a, connection.b) == (CONFORMS, A, B)
    assert "TIME-WAIT" in connection.a_states and "CLOSED" in connection.b_states
    assert connection.id == "tcp-1"


def test_who_was_never_seen_has_no_state(judge: Judge) -> None:
    """One acknowledgment from the middle of a connection: the report names all that is missing, and guesses nothing."""
    (one,) = judge([packet("A", "ACK", 1000, 5000)]).report.connections
    assert (one.verdict, one.b_states) == (INCONCLUSIVE, ()) and "ESTABLISHED" in one.a_states
    assert one.reasons == ("the beginning was not captured", f"nothing was captured from {B}")


@pytest.mark.parametrize("i", [0, 2**32 - 1, 2**32 - 3, 2**32 - 7, 2**31 - 4, 2**31])
@pytest.mark.parametrize("r", [0, 2**32 - 1, 2**32 - 10, 2**31 - 1])
def test_numbers_wrap_anywhere(judge: Judge, i: int, r: int) -> None:
    assert verdicts(judge(life(i, r)).report) == [(CONFORMS, 10)]


@pytest.mark.parametrize(
    ("i", "r"),
    [(5000, 9000), (500, 9000), (5000, 100), (500, 100), (1000 + 2**31, 5000), (2**32 - 5, 2**32 - 5)],
    ids=["above", "A below", "B below", "below", "opposite", "wrapping"],
)
def test_a_port_is_used_again(judge: Judge, i: int, r: int) -> None:
    report = judge(life(1000, 5000) + life(i, r)).report
    assert verdicts(report) == [(CONFORMS, 10), (CONFORMS, 10)]
    assert [connection.id for connection in report.connections] == ["tcp-1", "tcp-2"]


def test_a_port_is_used_again_by_the_other_side(judge: Judge) -> None:
    report = judge(life(1000, 5000) + life(7000, 9000, a=B, b=A)).report
    assert [(c.verdict, c.a) for c in report.connections] == [(CONFORMS, A), (CONFORMS, B)]


@pytest.mark.parametrize("late", [4, 5, 8, 9])
def test_late_packets_of_the_old_connection(judge: Judge, late: int) -> None:
    """A copy of a packet of the first connection, in the middle of the second: nobody's fault."""
    first, second = life(1000, 5000), life(50_000_000, 90_000_000)
    report = judge([*first, *second[:5], first[late], *second[5:]]).report
    assert [verdict for verdict, _ in verdicts(report)] == [CONFORMS, CONFORMS]


def test_connections_side_by_side(judge: Judge) -> None:
    many = [life(1000 * n, 5000 * n, a=f"10.0.0.1:{4000 + n}") for n in range(1, 6)]
    mixed = [one[index] for index in range(10) for one in many]
    report = judge(mixed).report
    assert verdicts(report) == [(CONFORMS, 10)] * 5
    assert len({connection.a for connection in report.connections}) == 5


def test_both_directions_are_one_connection_whoever_is_seen_first(judge: Judge) -> None:
    report = judge(life(1000, 5000)[1:]).report
    (connection,) = report.connections
    assert (connection.verdict, connection.a, connection.b) == (INCONCLUSIVE, B, A)


def test_the_same_address_on_both_sides(judge: Judge) -> None:
    """A socket that connects to itself: every packet seems to come from either end; nothing may break."""
    packets = [
        packet("A", "SYN", 1000, a=A, b=A),
        packet("A", "SYN,ACK", 1000, 1001, a=A, b=A),
        packet("A", "ACK", 1001, 1001, a=A, b=A),
    ]
    report = judge(packets).report
    assert sum(connection.packets for connection in report.connections) == 3


def test_packets_without_flags(judge: Judge) -> None:
    packets = [one._replace(flags=None, fields={"length": one.fields["length"]}) for one in life(1000, 5000)]
    (connection,) = judge(packets).report.connections
    assert connection.verdict == INCONCLUSIVE
    assert connection.a_states == connection.b_states == ()
    assert "flags" in connection.reasons[0]


def test_nothing_to_check(judge: Judge) -> None:
    report = judge([]).report
    assert report.exit_code == 2
    assert "nothing to check" in report.inputs[0].error


def test_a_protocol_without_a_spec_is_left_out(judge: Judge) -> None:
    report = judge([one._replace(protocol="sctp") for one in life(1000, 5000)]).report
    assert report.exit_code == 2 and not report.connections
    assert list(report.inputs[0].skipped.values()) == [10]


@pytest.mark.parametrize(
    ("keep", "verdict"),
    [
        (slice(0, 10), CONFORMS),
        (slice(0, 9), INCONCLUSIVE),
        (slice(0, 3), INCONCLUSIVE),
        (slice(0, 1), INCONCLUSIVE),
        (slice(3, 10), INCONCLUSIVE),
        (slice(5, 6), INCONCLUSIVE),
    ],
)
def test_a_part_of_a_connection(judge: Judge, keep: slice, verdict: str) -> None:
    (connection,) = judge(life(1000, 5000)[keep]).report.connections
    assert connection.verdict == verdict
    assert bool(connection.reasons) == (verdict == INCONCLUSIVE)


@pytest.mark.parametrize("flags", ["SYN,RST", "FIN,RST", "SYN,FIN,RST,ACK"])
def test_rubbish_between_good_packets(judge: Judge, flags: str) -> None:
    packets = life(1000, 5000)
    packets.insert(5, packet("A", flags, 1006, 5001))
    (connection,) = judge(packets).report.connections
    assert connection.verdict == VIOLATES
    assert [item.place for item in connection.diagnostics if item.severity == "violation"] == [6]


# ----------------------------------------------------------------------------------- the spec alone knows the protocol


@pytest.fixture(scope="module")
def text() -> str:
    return tcp_text(ROOT)


def checked(spec_text: str, packets: list[Packet]) -> Report:
    # Beside the shipped specs, so that what they include is found.
    checker = Checker([parse_spec(spec_text, str(ROOT / "specs" / "changed.tcpspec"))])
    checker.read(Records(packets))  # type: ignore[arg-type]
    return checker.report


def test_the_shipped_text_conforms(text: str) -> None:
    assert verdicts(checked(text, life(1000, 5000))) == [(CONFORMS, 10)]


@pytest.mark.parametrize(
    ("old", "new"),
    [("  use take-text\n", ""), ("    RCV.NXT <- SEG.SEQ + 1\n", "    RCV.NXT <- SEG.SEQ + 2\n")],
    ids=["text is never taken", "a SYN counts twice"],
)
def test_a_line_changes_the_verdict(text: str, old: str, new: str) -> None:
    """Nothing but the spec says what is acknowledged: now nobody can have sent these acknowledgments."""
    assert old in text
    connection = checked(text.replace(old, new), life(1000, 5000)).connections[0]
    assert connection.verdict != CONFORMS


def test_the_name_of_a_fault_comes_from_the_spec(text: str) -> None:
    first = 'include "tcp/packets.tcpspec"\n'
    assert first in text
    packets = life(1000, 5000)
    packets[4] = packet("B", "ACK", 5001, 2_000_000)
    mine = 'fault MY-OWN-9 normative "mine"\n  when SEG with ACK and RCV.NXT < SEG.ACK\n'
    for code, added in (("TCP-ACK-001", ""), ("MY-OWN-9", mine)):
        connection = checked(text.replace(first, added + first), packets).connections[0]
        assert (code, 5) in [(item.code, item.place) for item in connection.diagnostics]


def test_a_packet_rule_that_is_added(text: str) -> None:
    added = text + '\nrule TCP-MINE unusual over packet by sender "five octets"\n  forbid SEG.DATA = 5\n'
    connection = checked(added, life(1000, 5000)).connections[0]
    assert [(item.code, item.severity, item.place) for item in connection.diagnostics] == [("TCP-MINE", "note", 4)]
    assert connection.verdict == CONFORMS, "what is unusual is no violation"
    strict = added.replace("TCP-MINE unusual", "TCP-MINE must")
    assert checked(strict, life(1000, 5000)).connections[0].verdict == VIOLATES


PING = """spec ping "every question gets one answer" over udp
message DGM
  field SIZE : octets from length
call ASK
initial state IDLE
  on ASK -> WAITING
    send <SIZE=16>
  on DGM when DGM.SIZE = 16 stay
    send <SIZE=24>
  on DGM drop
state WAITING
  on ASK stay
  on DGM when DGM.SIZE = 24 -> IDLE
  on DGM drop
rule PING-BIG normative over packet by sender "larger than any question or answer"
  forbid DGM.SIZE > 24
"""


def datagrams(*steps: tuple[str, int]) -> list[Packet]:
    ends = {"A": (A, B), "B": (B, A)}
    return [Packet(1, None, "udp", *ends[who], 0, {"length": size}) for who, size in steps]


@pytest.mark.parametrize(
    ("steps", "verdict", "findings"),
    [
        ([("A", 16), ("B", 24)], CONFORMS, []),
        ([("A", 16)], INCONCLUSIVE, []),
        ([("A", 16), ("B", 20)], VIOLATES, [("PING-UNEXPLAINED", 2)]),
        ([("A", 16), ("B", 99)], VIOLATES, [("PING-BIG", 2)]),
    ],
)
def test_a_protocol_of_ones_own(steps: list[tuple[str, int]], verdict: str, findings: list[tuple[str, int]]) -> None:
    report = checked(PING, datagrams(*steps))
    (connection,) = report.connections
    assert sorted((item.code, item.place) for item in connection.diagnostics) == findings
    assert (connection.verdict, connection.protocol) == (verdict, "udp")


def test_a_line_of_ones_own_protocol_changes_the_verdict() -> None:
    changed = PING.replace("send <SIZE=24>", "send <SIZE=23>")
    assert checked(changed, datagrams(("A", 16), ("B", 24))).connections[0].verdict == VIOLATES
    both = changed.replace("DGM.SIZE = 24 ->", "DGM.SIZE = 23 ->")
    assert checked(both, datagrams(("A", 16), ("B", 23))).connections[0].verdict == CONFORMS


def test_a_new_life_of_ones_own_protocol_is_a_new_connection() -> None:
    report = checked(PING, datagrams(("A", 16), ("B", 24), ("A", 16), ("B", 24)))
    assert verdicts(report) == [(CONFORMS, 2), (CONFORMS, 2)]


# ----------------------------------------------------------------------------------- another order than that of sending

HANDSHAKE = [packet("A", "SYN", 1000), packet("B", "SYN,ACK", 5000, 1001), packet("A", "ACK", 1001, 5001)]


@pytest.mark.parametrize(
    "later",
    [
        # A: two octets, an acknowledgment, the acknowledgment of B's FIN; captured as 3, 1, 2.
        [
            packet("B", "FIN,ACK", 5001, 1001),
            packet("A", "ACK", 1003, 5002),
            packet("A", "ACK", 1001, 5001, 2),
            packet("A", "ACK", 1003, 5001),
        ],
        # B: text, then an acknowledgment that carries an old number; captured the other way round.
        [
            packet("A", "ACK", 1001, 5001, 5),
            packet("B", "ACK", 5001, 1006),
            packet("B", "ACK", 5001, 1001, 100),
        ],
    ],
    ids=["two are late", "text is overtaken"],
)
def test_packets_that_overtake_each_other(judge: Judge, later: list[Packet]) -> None:
    (connection,) = judge([*HANDSHAKE, *later]).report.connections
    assert connection.verdict == INCONCLUSIVE
    assert not [item for item in connection.diagnostics if item.severity == "violation"]


def test_a_fin_that_comes_late_still_counts(judge: Judge) -> None:
    later = [packet("B", "ACK", 5002, 1001), packet("B", "FIN,ACK", 5001, 1001)]
    (connection,) = judge([*HANDSHAKE, *later]).report.connections
    assert "FIN-WAIT-1" in connection.b_states


@pytest.mark.parametrize("beyond", [1000, 1_000_000])
def test_a_false_acknowledgment_between_good_packets(judge: Judge, beyond: int) -> None:
    packets = life(1000, 5000)
    packets.insert(3, packet("A", "ACK", 1001, 5001 + beyond))
    (connection,) = judge(packets).report.connections
    found = [(item.code, item.place) for item in connection.diagnostics if item.severity == "violation"]
    assert found == [("TCP-ACK-001", 4)]


def test_text_after_the_fin_between_good_packets(judge: Judge) -> None:
    packets = life(1000, 5000)
    packets.insert(8, packet("A", "ACK", 1007, 5021, 10))
    (connection,) = judge(packets).report.connections
    found = [(item.code, item.place) for item in connection.diagnostics if item.severity == "violation"]
    assert found == [("TCP-FIN-001", 9)]


TWO_AT_ONCE = """spec pair over tcp
message SEG
  flag SYN, FIN
  field SEQ : octets from seq
call GO
initial state ONE
  on GO -> TWO
    send <SEQ=1><CTL=SYN>
    send <SEQ=2><CTL=FIN>
  on SEG drop
final state TWO
  on GO stay
    send <SEQ=3><CTL=SYN>
    send <SEQ=4><CTL=FIN>
  on SEG drop
"""


def test_one_event_sends_two_messages() -> None:
    good = [packet("A", "SYN", 1), packet("A", "FIN", 2), packet("A", "SYN", 3), packet("A", "FIN", 4)]
    for packets, verdict in ((good, CONFORMS), ([*good, packet("A", "FIN", 5)], VIOLATES)):
        checker = Checker([parse_spec(TWO_AT_ONCE, "pair.tcpspec")])
        checker.read(Records(packets))  # type: ignore[arg-type]
        assert [connection.verdict for connection in checker.report.connections] == [verdict]
