"""The express lane changes nothing that is reported, whatever it takes and whatever it leaves."""

from __future__ import annotations

import random
import struct
import sys
from array import array
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType

import pytest

from tcpmodel.checking import table
from tcpmodel.checking.checker import Checker
from tcpmodel.checking.connection import Connection
from tcpmodel.checking.crowds import quoted
from tcpmodel.checking.faults import doubles
from tcpmodel.checking.faults.doubles import Doubles
from tcpmodel.checking.faults.texts import Texts
from tcpmodel.checking.judge import Found, Judge
from tcpmodel.checking.memory import express, kinds
from tcpmodel.checking.memory.plans import NONE, TAKE, TEST
from tcpmodel.checking.outcome.findings import Report
from tcpmodel.model.spec import Spec
from tcpmodel.traces.captures.pcap import PcapTrace
from tcpmodel.traces.captures.pcapng import PcapngTrace
from tcpmodel.traces.records import Framing, Packet, Take, Taken
from tcpmodel.traces.source import Source

pytestmark = pytest.mark.skipif(express.Core is None, reason="the express lane was not built, or from another source")

ROOT = Path(__file__).parents[2]
SLOW = "odd-segments.pcap"
"""Of its packets nearly none is of a known kind, so nothing goes by the lane."""

CAPTURES = sorted(
    path for path in (ROOT / "traces").glob("*/*.pcap") if path.stat().st_size > 4000 and path.name != SLOW
)


@pytest.fixture(autouse=True)
def plans_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """A plan is made as soon as a kind is known, so that small captures use the lane, too."""
    monkeypatch.setattr(kinds, "PATIENCE", 2)


@pytest.fixture(scope="module")
def judges() -> dict[str, Judge]:
    """What was learned, for all tests: a lane takes only what is known."""
    return {}


def checked(
    path: Path, specs: list[Spec], judges: dict[str, Judge], piece: int = 1 << 20, found: Found | None = None
) -> tuple[Report, int]:
    """The report of a capture that is read in pieces of so many octets, and how many packets went by the lane."""
    checker = Checker(specs, found=found)
    checker._judges.update(judges)
    file = path.open("rb")
    with file:
        source = Source(str(path), lambda size: file.read(min(size, piece)))
        trace: PcapTrace | PcapngTrace = PcapngTrace(source) if path.suffix == ".pcapng" else PcapTrace(source)
        taken = 0
        offer = trace.offer

        def counting(take: Take) -> None:
            def counted(buffer: bytes, at: int, size: int, number: int, last: int, framing: Framing) -> Taken:
                nonlocal taken
                found = take(buffer, at, size, number, last, framing)
                taken += found.number - number
                return found

            offer(counted)

        trace.offer = counting  # type: ignore[method-assign]
        checker.read(trace)
    judges.update(checker._judges)
    return checker.report, taken


Compare = Callable[..., int]


@pytest.fixture
def compare(specs: list[Spec], judges: dict[str, Judge], monkeypatch: pytest.MonkeyPatch) -> Compare:
    """Checks a capture without the lane and with it; how many packets went by it."""

    def compare(path: Path, piece: int = 1 << 20) -> int:
        with monkeypatch.context() as without:
            without.setattr(express, "Core", None)
            plain, none = checked(path, specs, judges, piece)
        checked(path, specs, judges, piece)
        fast, taken = checked(path, specs, judges, piece)
        assert not none
        assert list(fast.connections) == list(plain.connections)
        assert fast.inputs == plain.inputs
        return taken

    return compare


@pytest.mark.parametrize("path", CAPTURES, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_a_capture_is_judged_alike(path: Path, compare: Compare) -> None:
    compare(path)


def records(data: bytes) -> Iterator[bytes]:
    at = 24
    while at < len(data):
        end = at + 16 + struct.unpack_from("<I", data, at + 8)[0]
        yield data[at:end]
        at = end


def with_octets(record: bytes, at: int, octets: bytes) -> bytes:
    return record[:at] + octets + record[at + len(octets) :]


TTL, IDENTIFICATION, FLAGS, SEQUENCE, WINDOW, SECONDS = 16 + 22, 16 + 18, 16 + 47, 16 + 38, 16 + 48, 0


def spoiled(data: bytes, chance: random.Random) -> bytes:
    """The same capture with packets lost, doubled, swapped, changed, cut, tagged, dated back and resent."""
    kept: list[bytes] = []
    for record in records(data):
        what = chance.randrange(1200)
        later = struct.pack("<II", *struct.unpack_from("<II", record)) + record[8:]
        if what == 0:
            continue
        if what == 1:
            kept.append(record)
        elif what == 2:
            later = with_octets(later, TTL, bytes([record[TTL] - 1]))
            kept.append(record)
        elif what == 3 and kept:
            later = kept.pop()
            kept.append(record)
        elif what == 4:
            later = with_octets(record, chance.randrange(16, len(record)), bytes([chance.randrange(256)]))
        elif what == 5:
            later = with_octets(record, IDENTIFICATION, b"\0\0")
        elif what == 6:
            later = with_octets(record, SECONDS, struct.pack("<I", struct.unpack_from("<I", record)[0] - 2))
        elif what == 7:
            later = struct.pack("<IIII", *struct.unpack_from("<II", record), len(record) - 12, 70) + (
                record[16:28] + b"\x81\x00\x00\x05" + record[28:]
            )
        elif what == 8:
            later = with_octets(record, FLAGS, bytes([chance.choice((1, 2, 4, 16, 17, 18, 20, 24))]))
        elif what == 9:
            later = with_octets(record, SEQUENCE, struct.pack(">I", chance.randrange(1 << 32)))
        elif what == 10:
            later = with_octets(record, WINDOW, struct.pack(">H", chance.choice((0, 1, 65535))))
        elif what == 11:
            quoted = record[16 + 14 : 16 + 14 + 28]
            error = (
                b"\x45\0\0\x38\0\1\0\0\x40\x01\0\0" + quoted[16:20] + quoted[12:16] + b"\x03\x01\0\0\0\0\0\0" + quoted
            )
            frame = record[16:30] + error
            kept.append(record)
            later = record[:8] + struct.pack("<II", len(frame), len(frame)) + frame
        elif what == 12:
            later = record[:8] + struct.pack("<I", len(record) - 20) + record[12:-4]
        kept.append(later)
    return data[:24] + b"".join(kept)


@pytest.fixture(scope="module")
def speed() -> ModuleType:
    """``bench/speed.py``."""
    sys.path.insert(0, str(ROOT / "bench"))
    try:
        import speed
    finally:
        sys.path.remove(str(ROOT / "bench"))
    return speed


@pytest.fixture(scope="module")
def generated(speed: ModuleType, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The captures of ``bench/speed.py``, small."""
    folder = tmp_path_factory.mktemp("generated")
    found = {name: folder / f"{name}.pcap" for name in speed.CAPTURES}
    for name, path in found.items():
        speed.CAPTURES[name](path, 1500)
    return found


def whole_sum(octets: bytes) -> int:
    return 0xFFFF - int.from_bytes(octets + bytes(len(octets) % 2), "big") % 0xFFFF


def restyled(data: bytes, *, stamps: bool, six: bool, sack: bool, text: bool) -> bytes:
    """The same packets with or without time stamps, selective acknowledgments and text, as IPv4 or IPv6."""
    kept = [data[:16] + struct.pack("<I", 65535) + data[20:24]]
    for record in records(data):
        ip, tcp = record[30:50], record[50:]
        header = (tcp[12] >> 4) * 4
        options, length = tcp[20:header], int.from_bytes(ip[2:4], "big") - 20 - header
        if not stamps:
            at = options.find(b"\x08\x0a")
            options = options[:at] + b"\1" * 10 + options[at + 10 :] if tcp[13] & 2 else b""
        if sack and tcp[13] == 16 and not length:
            behind = int.from_bytes(tcp[8:12], "big") - 5000
            options += b"\1\1\x05\x0a" + struct.pack(">II", behind & 0xFFFFFFFF, behind + 500 & 0xFFFFFFFF)
        head = tcp[:12] + bytes([(20 + len(options)) << 2]) + tcp[13:16] + b"\0\0" + tcp[18:20] + options
        size = len(head) + length
        addresses = ip[12:20]
        if six:
            addresses = b"".join(b"\x20\x01\x0d\xb8" + bytes(8) + ip[at : at + 4] for at in (12, 16))
            outer = b"\x86\xdd\x60\0\0\0" + struct.pack(">HBB", size, 6, 64) + addresses
        else:
            outer = b"\x08\0" + ip[:2] + struct.pack(">H", 20 + size) + ip[4:]
        sum_ = whole_sum(addresses + struct.pack(">HH", 6, size) + head + bytes(length))
        segment = head[:16] + struct.pack(">H", sum_) + head[18:] + bytes(length if text else 0)
        frame = (record[16:28] + outer + segment).ljust(60, b"\0")
        original = max(60, len(frame) + (0 if text else length))
        kept.append(record[:8] + struct.pack("<II", len(frame), original) + frame)
    return b"".join(kept)


def as_blocks(data: bytes) -> bytes:
    """A capture as pcapng, in nanoseconds, with an offset of its clock."""

    def block(kind: int, body: bytes) -> bytes:
        body += bytes(-len(body) % 4)
        return struct.pack("<II", kind, len(body) + 12) + body + struct.pack("<I", len(body) + 12)

    kept = [block(0x0A0D0D0A, struct.pack("<IHHq", 0x1A2B3C4D, 1, 0, -1))]
    options = struct.pack("<HHB3x", 9, 1, 9) + struct.pack("<HHq", 14, 8, -1000) + bytes(4)
    kept.append(block(1, struct.pack("<HHI", 1, 0, 0) + options))
    for record in records(data):
        seconds, part, captured, original = struct.unpack_from("<IIII", record)
        ticks = (seconds + 1000) * 10**9 + part * 1000
        kept.append(
            block(6, struct.pack("<IIIII", 0, ticks >> 32, ticks & 0xFFFFFFFF, captured, original) + record[16:])
        )
    return b"".join(kept)


STYLES = {
    "plain": {"stamps": False, "six": False, "sack": False, "text": True},
    "IPv6": {"stamps": True, "six": True, "sack": False, "text": False},
    "plain IPv6": {"stamps": False, "six": True, "sack": False, "text": True},
    "SACK": {"stamps": True, "six": False, "sack": True, "text": True},
    "plain SACK": {"stamps": False, "six": False, "sack": True, "text": False},
}


@pytest.mark.parametrize("style", STYLES.values(), ids=STYLES)
def test_other_forms_of_packets_go_by_it_as_well(
    style: dict[str, bool], generated: dict[str, Path], compare: Compare, tmp_path: Path
) -> None:
    path = tmp_path / "styled.pcap"
    path.write_bytes(restyled(generated["bulk"].read_bytes(), **style))
    assert compare(path) > 1000


@pytest.mark.parametrize("style", STYLES.values(), ids=STYLES)
def test_other_forms_that_are_spoiled_are_judged_alike(
    style: dict[str, bool], generated: dict[str, Path], compare: Compare, tmp_path: Path
) -> None:
    path = tmp_path / "styled.pcap"
    path.write_bytes(spoiled(restyled(generated["bulk"].read_bytes(), **style), random.Random(3)))
    compare(path)


@pytest.mark.parametrize("name", ["bulk", "mix"])
def test_pcapng_goes_by_it_as_well(name: str, generated: dict[str, Path], compare: Compare, tmp_path: Path) -> None:
    path = tmp_path / "blocks.pcapng"
    path.write_bytes(as_blocks(generated[name].read_bytes()))
    assert compare(path) > {"bulk": 1200, "mix": 600}[name]


@pytest.mark.parametrize("name", ["bulk", "mix"])
def test_most_packets_go_by_the_lane(name: str, generated: dict[str, Path], compare: Compare) -> None:
    taken = compare(generated[name])
    assert taken > {"bulk": 1200, "mix": 600}[name]
    assert compare(generated[name], piece=777) > taken // 2


@pytest.mark.parametrize("seed", range(2))
@pytest.mark.parametrize("name", ["bulk", "mix"])
def test_a_spoiled_capture_is_judged_alike(
    name: str, seed: int, generated: dict[str, Path], compare: Compare, tmp_path: Path
) -> None:
    path = tmp_path / "spoiled.pcap"
    path.write_bytes(spoiled(generated[name].read_bytes(), random.Random(seed)))
    compare(path)


def again(data: bytes, seconds: int, numbers: int) -> bytes:
    """All packets, and then the same once more, so many seconds later and with other numbers."""
    kept = [data]
    for record in records(data):
        later = struct.pack("<I", struct.unpack_from("<I", record)[0] + seconds) + record[4:]
        for at in (SEQUENCE, SEQUENCE + 4):
            number = struct.unpack_from(">I", record, at)[0]
            later = with_octets(later, at, struct.pack(">I", number + numbers & 0xFFFFFFFF if number else 0))
        kept.append(later)
    return b"".join(kept)


SECOND_LIVES = {
    "at once": (1, 10_000_000),
    "after minutes": (400, 10_000_000),
    "with numbers before": (2, -1_000_000),
    "as they were": (3, 0),
}


@pytest.mark.parametrize(("seconds", "numbers"), SECOND_LIVES.values(), ids=SECOND_LIVES)
def test_new_connections_of_old_ports_are_judged_alike(
    seconds: int, numbers: int, generated: dict[str, Path], compare: Compare, tmp_path: Path
) -> None:
    path = tmp_path / "again.pcap"
    data = again(generated["mix"].read_bytes(), seconds, numbers)
    path.write_bytes(restyled(data, stamps=True, six=False, sack=False, text=True))
    compare(path)


@pytest.mark.parametrize("style", ["plain", "plain IPv6", "SACK"])
def test_whole_connections_go_by_it(
    style: str, generated: dict[str, Path], compare: Compare, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Few are there with all of their numbers, so that most are packed."""
    monkeypatch.setattr(express, "AWAKE", 8)
    path = tmp_path / "whole.pcap"
    path.write_bytes(restyled(generated["mix"].read_bytes(), **STYLES[style]))
    assert compare(path) > 900


def resets(path: Path, speed: ModuleType, *, host: int) -> int:
    """Connections that are reset, some of which go on; how many packets there are."""
    chance = random.Random(5)
    to = speed.Writer(path, chance)
    for number in range(80):
        there = (host, 0xC0A80001, 30_000 + number, 80)
        back = (*there[1::-1], *there[:1:-1])
        mine, theirs = (1 << 32) - chance.choice((1, 40, 90, 1 << 20)), chance.choice((7, (1 << 32) - 60, 1 << 30))
        length = chance.choice((40, 80))
        to.packet(there, mine, 0, speed.SYN, 64240, 0)
        to.packet(back, theirs, mine + 1, speed.SYN | speed.ACK, 65160, 0)
        to.packet(there, mine + 1, theirs + 1, speed.ACK, 502, 0)
        to.packet(there, mine + 1, theirs + 1, speed.PSH | speed.ACK, 502, length)
        to.packet(back, theirs + 1, mine + 1 + length, speed.ACK, 509, 0)
        ends = chance.choice(((there, mine + 1 + length, theirs + 1), (back, theirs + 1, mine + 1 + length)))
        to.packet(*ends, speed.RST | speed.ACK, 502, 0)
        if number % 5 == 4:
            to.packet(*ends, speed.RST | speed.ACK, 502, 0)
        if number % 7 == 6:
            to.packet(there, mine + 1, theirs + 1, speed.PSH | speed.ACK, 502, length)
    to.close()
    return int(to.count)


@pytest.mark.parametrize("host", [0x0A000001, 0x7F000002, 0xC0A80001], ids=["two hosts", "loopback", "one address"])
def test_findings_are_told_alike(
    host: int, speed: ModuleType, compare: Compare, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Most resets go by the lane, although each of them is told; few go on, and are told by the others."""
    path = tmp_path / "resets.pcap"
    count = resets(path, speed, host=host)
    assert compare(path) > (count - 110 if host != 0xC0A80001 else -1)
    monkeypatch.setattr(express, "SWEEP_EVERY", 4)
    compare(path)


def test_who_wants_findings_at_once_is_told_alike(
    specs: list[Spec], speed: ModuleType, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    path = tmp_path / "resets.pcap"
    resets(path, speed, host=0x0A000001)
    found: list[list[tuple[object, ...]]] = []
    for core in (express.Core, None):
        monkeypatch.setattr(express, "Core", core)
        told: list[tuple[object, ...]] = []
        _, taken = checked(path, specs, {}, found=lambda *all_, told=told: told.append(all_))  # type: ignore[misc]
        assert bool(taken) == (core is not None)
        found.append(told)
    assert len(found[0]) >= 80
    assert found[0] == found[1]


@pytest.mark.parametrize("seed", range(2))
def test_what_is_given_away_early_is_judged_alike(
    seed: int, generated: dict[str, Path], compare: Compare, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Connections of one packet go to the others, and what is known of those is made anew all the time."""
    monkeypatch.setattr(express, "AWAKE", 8)
    monkeypatch.setattr(express, "SWEEP_EVERY", 4)
    monkeypatch.setattr(table, "FIRSTS", 2)
    path = tmp_path / "early.pcap"
    path.write_bytes(spoiled(generated["mix"].read_bytes(), random.Random(seed + 7)))
    compare(path)


def test_addresses_that_are_none_belong_to_no_connection_of_it(specs: list[Spec]) -> None:
    lane = bare_lane(specs[0])
    pairs = (
        ("10.0.0.1:1", "10.0.0.2:2"),
        ("[::1]:1", "[::2]:2"),
        ("a:1", "b:2"),
        ("a", ""),
        ("", ":"),
        ("1.1.1.1:x", ""),
    )
    for one, other in pairs:
        lane.keep_off(-1, one, other)
        assert lane.fetch(6, one, other) is None
    assert lane.elsewhere() == 2
    lane.forget()
    assert lane.elsewhere() == 0


def bare_lane(spec: Spec) -> express.Lane:
    def never(*_: object) -> Connection:
        raise AssertionError

    return express.Lane(
        Judge(spec).memo, express.Recent(4), Doubles(), Texts(), None, lambda _: None, never, lambda _: None
    )


def test_no_more_is_remembered_of_copies_than_without(specs: list[Spec], judges: dict[str, Judge]) -> None:
    chance = random.Random(7)
    lane = bare_lane(specs[0])
    plain, fast = Doubles(), Doubles()
    fast.remember_in(lane._core.copy)
    for number in range(30_000):
        ip_id, host = chance.randrange(1, 3000), chance.randrange(3)
        fields = {"ip_id": ip_id, "seq": ip_id, "ttl": 60 + host * chance.randrange(2)}
        packet = Packet(number, number * 10**5, "tcp", f"10.0.0.{host}:1", "10.0.0.9:2", 16, fields)
        plain.take(packet)
        fast.take(packet)
    assert fast.findings(False) == plain.findings(False) != []


def test_limits_are_those_of_the_other_way() -> None:
    from tcpmodel.checking.memory import _express

    assert _express.INTERFACE == express.INTERFACE
    assert (_express.REMEMBERED, _express.RECENT, _express.QUIET) == (doubles.REMEMBERED, quoted.RECENT, table.QUIET)


BROKEN_PLANS = {
    "nothing": [],
    "no end": [TEST, 5, 0, 0, 0],
    "a number that is not there": [TEST, 7, 0, 1, 1, 99, 1, NONE],
    "a jump backwards": [TEST, 0, 0, 1, 1, 0, 1, NONE],
    "a way that is not there": [TAKE, 5, 1, 0, NONE],
    "a result where no number is": [TAKE, 0, 1, 1, 4, 0, 0, NONE],
    "an unknown step": [9, NONE],
}
BROKEN_RESTS = {"behind its end": 9, "within a step": 1}


@pytest.mark.parametrize("plan", BROKEN_PLANS.values(), ids=BROKEN_PLANS)
def test_a_broken_plan_is_refused(
    plan: list[int],
    generated: dict[str, Path],
    specs: list[Spec],
    judges: dict[str, Judge],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    sound = express.Lane._plan

    def broken(self: express.Lane, *asked: object) -> object:
        found = sound(self, *asked)  # type: ignore[arg-type]
        return None if found is None else (*found[:2], array("q", plan).tobytes(), *found[3:])

    checked(generated["bulk"], specs, judges)
    monkeypatch.setattr(express.Lane, "_plan", broken)
    with pytest.raises(ValueError, match="a plan that cannot be run"):
        checked(generated["bulk"], specs, judges)


@pytest.mark.parametrize("rest", BROKEN_RESTS.values(), ids=BROKEN_RESTS)
def test_a_second_part_that_begins_nowhere_is_refused(
    rest: int, generated: dict[str, Path], specs: list[Spec], judges: dict[str, Judge], monkeypatch: pytest.MonkeyPatch
) -> None:
    sound = express.Lane._plan

    def broken(self: express.Lane, *asked: object) -> object:
        found = sound(self, *asked)  # type: ignore[arg-type]
        plan = array("q", [TEST, 7, 0, 1, 1, 0, 1, NONE]).tobytes()
        return None if found is None else (*found[:2], plan, rest, *found[4:])

    checked(generated["bulk"], specs, judges)
    monkeypatch.setattr(express.Lane, "_plan", broken)
    with pytest.raises(ValueError, match="a plan that cannot be run"):
        checked(generated["bulk"], specs, judges)
