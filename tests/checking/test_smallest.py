"""The smallest piece of a capture: what it shows, that no more can be left out, that its frames are the same."""

from __future__ import annotations

import gzip
import shutil
from pathlib import Path

import pytest

from tcpmodel.checking.run import check
from tcpmodel.checking.smallest import found_at, smallest
from tcpmodel.cli.main import main
from tcpmodel.model.load import load
from tcpmodel.traces.captures.frames import Frame, pcap_of, read_frames
from tcpmodel.traces.open import open_trace

TRACES = Path(__file__).resolve().parents[2] / "traces"
PLANTED = {
    "m03-ack-unsent.pcap": (5, "TCP-ACK-001"),
    "m04-data-after-fin.pcap": (9, "TCP-FIN-001"),
    "m13-mss-on-data.pcap": (4, "TCP-OPT-001"),
}


def planted(name: str) -> Path:
    found = sorted((TRACES / "planted").glob(name.split("-")[0] + "*"))
    assert found, name
    return found[0]


@pytest.mark.parametrize(("name", "wanted"), PLANTED.items())
def test_shows_the_finding_and_no_packet_can_be_left_out(
    name: str, wanted: tuple[int, str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path, (frame, code) = planted(name), wanted
    piece = tmp_path / "piece.pcap"
    assert main(["check", "--slice", str(frame), "-o", str(piece), str(path)]) == 1
    assert code in capsys.readouterr().out

    specs = [load("tcp").spec, load("udp").spec]
    left = [packet.number for packet in open_trace(str(piece)).records()]
    found = [item for one in check([str(piece)], specs).connections for item in one.diagnostics if item.code == code]
    assert len(found) == 1
    frames = read_frames(str(piece), left)
    whole = read_frames(str(path), range(1, 1000))
    originals = {(each.time, each.data, each.length, each.link) for each in whole}
    assert originals.issuperset((each.time, each.data, each.length, each.link) for each in frames)
    assert len(frames) < len(whole)
    for missing in frames:
        if missing.number == found[0].place:
            continue
        less = tmp_path / "less.pcap"
        less.write_bytes(b"".join(pcap_of([each for each in frames if each is not missing])))
        again = [(item.code, item.message) for one in check([str(less)], specs).connections for item in one.diagnostics]
        assert (code, found[0].message) not in again, f"frame {missing.number} could be left out"


class Every:
    """A finding that needs some packets together."""

    def __init__(self, *needed: int) -> None:
        self.needed, self.count = set(needed), 0

    def shows(self, packets: list[object]) -> bool:
        self.count += 1
        return self.needed <= {packet.number for packet in packets}  # type: ignore[attr-defined]


@pytest.mark.parametrize("needed", [(40,), (1, 40), (7, 8, 40), (3, 20, 39, 40, 41), (40, 90), tuple(range(1, 41))])
def test_leaves_out_all_that_is_not_needed(needed: tuple[int, ...]) -> None:
    packets = [Frame(number, 1, 0, b"", 0) for number in range(1, 101)]
    left = smallest(packets, 40, Every(*needed))  # type: ignore[arg-type]
    assert left is not None
    assert [packet.number for packet in left] == list(needed)


def test_a_finding_that_the_packets_alone_do_not_show() -> None:
    packets = [Frame(number, 1, 0, b"", 0) for number in range(1, 11)]
    assert smallest(packets, 4, Every(4, 11)) is None  # type: ignore[arg-type]


def test_the_most_serious_finding_of_a_packet_counts() -> None:
    report = check([str(planted("m04"))], [load("tcp").spec])
    found = found_at(report.connections, 9)
    assert found is not None and found[1].code == "TCP-FIN-001"
    assert found_at(report.connections, 1) is None


def test_times_are_kept_to_the_nanosecond(tmp_path: Path) -> None:
    frames = [Frame(1, 101, 1_700_000_000_123_456_789, b"abc", 3), Frame(2, 101, 1_700_000_001_000_000_000, b"d", 9)]
    path = tmp_path / "x.pcap"
    path.write_bytes(b"".join(pcap_of(frames)))
    assert read_frames(str(path), {1, 2}) == frames


def test_frames_of_several_link_types_are_no_pcap() -> None:
    with pytest.raises(ValueError, match="one link type, and these frames have 2"):
        list(pcap_of([Frame(1, 1, 0, b"", 0), Frame(2, 101, 0, b"", 0)]))


@pytest.mark.parametrize("kind", ["pcap", "pcapng", "pcap.gz"])
def test_a_capture_of_any_format_is_copied_as_it_is(kind: str, tmp_path: Path) -> None:
    """Whatever was read from the copy is what was read from the original."""
    path = original = TRACES / "zeek" / "http-get.pcap"
    if kind == "pcapng":
        scapy = pytest.importorskip("scapy.all")
        path = tmp_path / "x.pcapng"
        with scapy.PcapNgWriter(str(path)) as writer:
            writer.write(scapy.rdpcap(str(original)))
    elif kind == "pcap.gz":
        path = tmp_path / "x.pcap.gz"
        path.write_bytes(gzip.compress(original.read_bytes()))
    copied = tmp_path / "copy.pcap"
    copied.write_bytes(b"".join(pcap_of(read_frames(str(path), range(1, 1_000_000)))))
    assert list(open_trace(str(copied)).records()) == list(open_trace(str(path)).records())
    assert len(list(open_trace(str(copied)).records())) == len(list(open_trace(str(original)).records()))


REFUSED = {
    "no -o": (["--slice", "9"], "say with -o FILE"),
    "nothing there": (["--slice", "8", "-o", "{tmp}/x.pcap"], "nothing was found at packet 8; there are findings at 9"),
    "no number": (["--slice", "0", "-o", "{tmp}/x.pcap"], "'0' is no number of a packet"),
    "overwritten": (["--slice", "9", "-o", "{trace}"], "would be overwritten"),
    "two outputs": (["--slice", "9", "-o", "{tmp}/x.pcap", "--ladder"], "does not go together"),
    "two traces": (["--slice", "9", "-o", "{tmp}/x.pcap", "{trace}"], "name one capture"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_refuses(case: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    trace = tmp_path / "trace.pcap"
    shutil.copy(planted("m04"), trace)
    words, message = REFUSED[case]
    arguments = ["check", *(word.format(tmp=tmp_path, trace=trace) for word in words), str(trace)]
    assert main(arguments) == 2
    assert message in capsys.readouterr().err
    assert not (tmp_path / "x.pcap").exists()


def test_refuses_what_is_no_capture(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    log = next((TRACES / "logs").rglob("*ftrace*"))
    assert main(["check", "--slice", "1", "-o", str(tmp_path / "x.pcap"), str(log)]) == 2
    assert "is no capture" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("name", "frame", "code", "frames"),
    [
        ("udp-fragments.client.pcap", 8, "UDP-009", [6, 7, 8]),
        ("udp-fragments.client.pcap", 5, "UDP-009", [3, 4, 5]),
        ("udp-unreach.client.pcap", 11, "UDP-018", [10, 11]),
    ],
)
def test_all_pieces_and_what_an_error_quotes_are_kept(
    name: str, frame: int, code: str, frames: list[int], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path, piece = TRACES / "lab" / name, tmp_path / "piece.pcap"
    assert main(["check", "--slice", str(frame), "-o", str(piece), str(path)]) == 0
    told = capsys.readouterr().out
    assert code in told and f"(numbers in the capture: {', '.join(map(str, frames))})" in told
    kept = [(each.time, each.data) for each in read_frames(str(piece), range(100))]
    assert kept == [(each.time, each.data) for each in read_frames(str(path), frames)]
