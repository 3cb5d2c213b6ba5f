"""Where a capture was made: what an end sends is seen in its order at its own host, and nowhere else for certain."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest
from in_memory import Records

from tcpmodel.checking.checker import Checker
from tcpmodel.checking.faults.vantage import ORDERED
from tcpmodel.checking.run import check
from tcpmodel.cli.main import main
from tcpmodel.model.spec import Spec
from tcpmodel.traces.open import open_traces
from tcpmodel.traces.records import Packet

CLIENT, SERVER = "10.0.0.1:5000", "10.0.0.2:80"


def segment(sender: str, flags: int, seq: int, ack: int, length: int = 0, **fields: int) -> Packet:
    receiver = SERVER if sender == CLIENT else CLIENT
    known = {"seq": seq, "ack": ack, "window": 8000, "length": length, **fields}
    return Packet(0, None, "tcp", sender, receiver, flags, known)


def test_what_was_joined_where_it_arrived_was_not_sent_there(specs: list[Spec]) -> None:
    """A card that joins segments leaves the sum of the whole open, too."""
    packets = story(mine=WHOLE, theirs=WHOLE)
    packets[3] = packets[3]._replace(fields=packets[3].fields | PARTIAL | {"ip_payload": 2920})
    assert found(packets, specs, "auto") == []


def story(*, mine: dict[str, int] | None = None, theirs: dict[str, int] | None = None) -> list[Packet]:
    """The client acknowledges 10 octets, and then, with an identification that is new, less than these."""
    mine, theirs = mine or {}, theirs or {}
    return [
        segment(CLIENT, 0x02, 100, 0, ip_id=1, **mine),
        segment(SERVER, 0x12, 900, 101, ip_id=1, **theirs),
        segment(CLIENT, 0x10, 101, 901, ip_id=2, **mine),
        segment(CLIENT, 0x18, 101, 901, 5, ip_id=3, **mine),
        segment(SERVER, 0x18, 901, 106, 10, ip_id=2, **theirs),
        segment(CLIENT, 0x18, 106, 911, 5, ip_id=4, **mine),
        segment(CLIENT, 0x10, 106, 901, ip_id=5, **mine),
    ]


def found(packets: list[Packet], specs: list[Spec], where: str) -> list[tuple[str, int]]:
    checker = Checker(specs, vantage=where)
    checker.read(Records(packets))
    every = [item for one in checker.report.connections for item in one.diagnostics]
    return [(item.code, item.place) for item in every if item.severity == "violation"]


LATE = [("TCP-UNEXPLAINED", 7)]
PARTIAL, WHOLE = {"checksum_ok": 0, "checksum_partial": 1}, {"checksum_ok": 1}


@pytest.mark.parametrize(
    ("where", "expected"),
    [
        ("auto", []),
        ("middle", []),
        ("server", []),
        ("client", LATE),
        ("10.0.0.1", LATE),
        (CLIENT, LATE),
        ("10.0.0.2", []),
        ("10.0.0.1:80", []),
    ],
)
def test_going_back_is_proved_only_at_its_own_host(
    where: str, expected: list[tuple[str, int]], specs: list[Spec]
) -> None:
    assert found(story(), specs, where) == expected


@pytest.mark.parametrize(
    ("mine", "theirs", "expected"),
    [
        (PARTIAL, WHOLE, LATE),
        (WHOLE, PARTIAL, []),
        (PARTIAL, PARTIAL, []),
        (PARTIAL, {}, []),
        ({"outgoing": 1}, {"outgoing": 0}, LATE),
        ({"outgoing": 0}, {"outgoing": 1}, []),
        (PARTIAL | {"outgoing": 0}, WHOLE, []),
    ],
)
def test_what_packets_prove(
    mine: dict[str, int], theirs: dict[str, int], expected: list[tuple[str, int]], specs: list[Spec]
) -> None:
    assert found(story(mine=mine, theirs=theirs), specs, "auto") == expected
    assert not found(story(mine=mine, theirs=theirs), specs, "middle")


def test_both_directions_on_one_host_prove_nothing() -> None:
    assert all(not (a or b) for signs, (a, b) in enumerate(ORDERED) if signs >> 6 == 3)


@pytest.mark.parametrize("memory", [True, False])
def test_a_copy_of_a_packet_proves_nothing(memory: bool, specs: list[Spec]) -> None:
    packets = story()
    checker = Checker(specs, vantage="client")
    judge = checker._judge("tcp")
    assert judge is not None
    judge.memo.active = memory
    checker.read(Records([*packets[:6], packets[2]._replace(fields={**packets[2].fields, "ttl": 3})]))
    assert not [item for one in checker.report.connections for item in one.diagnostics if item.severity == "violation"]


def test_a_late_start_proves_nothing(specs: list[Spec]) -> None:
    assert not found(story()[2:], specs, "client")


def test_records_of_a_host_are_in_its_order(specs: list[Spec]) -> None:
    for where, expected in ((CLIENT, LATE), (SERVER, [])):
        assert found([packet._replace(at=where) for packet in story()], specs, "auto") == expected


@pytest.mark.parametrize("name", ["half-close", "normal-client-close", "refused", "rst-abort-client"])
def test_the_lab_at_the_client(name: str, specs: list[Spec], root: Path) -> None:
    report = check([str(root / "traces" / "lab" / f"{name}.client.pcap")], specs, vantage="10.77.1.2")
    assert not [item for one in report.connections for item in one.diagnostics if item.severity == "violation"]


def test_a_cooked_capture_tells_the_direction(root: Path) -> None:
    (trace,) = open_traces(str(root / "traces" / "real" / "cooked-any.pcap"))
    ways = {record.fields.get("outgoing") for record in trace.records() if isinstance(record, Packet)}
    assert ways == {0, 1}


def test_pcapng_tells_the_direction(tmp_path: Path) -> None:
    frame = bytes.fromhex(
        "020000000001020000000002080045000028000100004006000000a00000100a000002138800500000006400000000500220000000000000"
    )[:54]

    def block(kind: int, body: bytes) -> bytes:
        size = struct.pack("<I", len(body) + 12)
        return struct.pack("<I", kind) + size + body + size

    section = block(0x0A0D0D0A, struct.pack("<IHHq", 0x1A2B3C4D, 1, 0, -1))
    interface = block(1, struct.pack("<HHI", 1, 0, 0))
    packets = b""
    for flags in (1, 2, 0):
        options = struct.pack("<HHI", 2, 4, flags) + struct.pack("<HH", 0, 0)
        packets += block(6, struct.pack("<IIIII", 0, 0, 0, len(frame), len(frame)) + frame + b"\0\0" + options)
    path = tmp_path / "x.pcapng"
    path.write_bytes(section + interface + packets)
    (trace,) = open_traces(str(path))
    assert [record.fields.get("outgoing") for record in trace.records() if isinstance(record, Packet)] == [0, 1, None]


def test_the_option(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    capture = str(root / "traces" / "lab" / "refused.client.pcap")
    assert main(["check", "--vantage", "[2001:db8::1]:80", capture]) == 0
    assert main(["check", "--vantage", "here", capture]) == 2
    assert "'here' is no address" in capsys.readouterr().err


def notes(packets: list[Packet], specs: list[Spec], where: str, memory: bool) -> list[tuple[str, int]]:
    """What rules that need a place of capture find, by memory the second time."""
    checker = Checker(specs, vantage=where)
    for _ in range(2):
        again = Checker(specs, vantage=where)
        again._judges = checker._judges
        judge = again._judge("tcp")
        assert judge is not None
        judge.memo.active = memory
        again.read(Records(packets))
    every = [item for one in again.report.connections for item in one.diagnostics]
    return [(item.code, item.place) for item in every if item.code in ("TCP-RTX-001", "TCP-OPT-016")]


def steady(**mine: int) -> list[Packet]:
    """The client sends one text four times, at a steady pace, and it is longer than the server's MSS permits."""
    more = {"option_octets": 0, "offset": 20}
    opened = [
        segment(CLIENT, 0x02, 100, 0, mss=1460, **more, **mine),
        segment(SERVER, 0x12, 900, 101, mss=500, checksum_ok=1, **more),
        segment(CLIENT, 0x10, 101, 901, **more, **mine),
    ]
    again = [segment(CLIENT, 0x18, 101, 901, 600, **more, **mine)] * 4
    return [packet._replace(time=number * 10**9) for number, packet in enumerate([*opened, *again])]


@pytest.mark.parametrize("memory", [True, False])
@pytest.mark.parametrize(
    ("where", "expected"),
    [
        ("auto", []),
        ("client", [("TCP-RTX-001", 7)]),
        ("10.0.0.1", [("TCP-RTX-001", 7)]),
        ("server", []),
        ("middle", [("TCP-OPT-016", 4)]),
    ],
)
def test_rules_that_need_a_place(where: str, expected: list[tuple[str, int]], specs: list[Spec], memory: bool) -> None:
    assert notes(steady(), specs, where, memory) == expected


@pytest.mark.parametrize("memory", [True, False])
def test_the_place_may_follow_from_the_packets(specs: list[Spec], memory: bool) -> None:
    assert notes(steady(**PARTIAL), specs, "auto", memory) == [("TCP-RTX-001", 7)]
    assert not notes(steady(**WHOLE), specs, "auto", memory)


def test_where_times_run_back_nothing_stands_in_its_order(specs: list[Spec]) -> None:
    """A host with several queues may write packets in another order than they left it, and their times show that."""
    packets = story(mine=PARTIAL, theirs=WHOLE)
    timed = [each._replace(time=number * 1000) for number, each in enumerate(packets, 1)]
    assert found(timed, specs, "auto") == LATE
    timed[6] = timed[6]._replace(time=3500)
    assert found(timed, specs, "auto") == []
