"""Time and memory of checking generated captures, beside other programs that read them.

Owns: the two captures and the commands that are measured on them.
Must never hold: a limit; what is too slow is judged by who reads the table.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import random
import shutil
import statistics
import struct
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Generator
from dataclasses import dataclass, field
from pathlib import Path

FIN, SYN, RST, PSH, ACK = 1, 2, 4, 8, 16
SNAPLEN = 66
SYN_OPTIONS = bytes.fromhex("020405b40402080a000000010000000001030307")
STAMPS = bytes.fromhex("0101080a0000000100000001")


Flow = tuple[int, int, int, int]
"""Addresses and ports: source, destination, source port, destination port."""


class Writer:
    """A capture with a clock that goes on by some microseconds; packets are cut after ``SNAPLEN`` octets."""

    def __init__(self, path: Path, chance: random.Random) -> None:
        self._file = path.open("wb")
        self._file.write(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, SNAPLEN, 1))
        self._parts: list[bytes] = []
        self._chance = chance
        self._now = 1_700_000_000_000_000
        self.count = 0

    def packet(self, flow: Flow, seq: int, ack: int, flags: int, window: int, length: int) -> None:
        """One packet with ``length`` octets of text, all zero; its checksum is right."""
        self._now += self._chance.randint(1, 60)
        source, destination, from_port, to_port = flow
        options = SYN_OPTIONS if flags & SYN else b"" if flags & RST else STAMPS
        size = 20 + len(options) + length
        head = struct.pack(">HHIIBB", from_port, to_port, seq & 0xFFFFFFFF, ack & 0xFFFFFFFF, size - length << 2, flags)
        addresses = struct.pack(">II", source, destination)
        whole = addresses + struct.pack(">HH", 6, size) + head + struct.pack(">HHH", window, 0, 0) + options
        tcp = head + struct.pack(">HHH", window, 0xFFFF - int.from_bytes(whole, "big") % 0xFFFF, 0) + options
        ip = struct.pack(">BBHHHBBH", 0x45, 0, 20 + size, self.count & 0xFFFF, 0x4000, 64, 6, 0) + addresses
        whole_ip = 0xFFFF - int.from_bytes(ip, "big") % 0xFFFF
        frame = b"\2\0\0\0\0\1\2\0\0\0\0\2\x08\0" + ip[:10] + struct.pack(">H", whole_ip) + ip[12:] + tcp
        cut = (frame + bytes(min(length, SNAPLEN)))[:SNAPLEN]
        seconds, rest = divmod(self._now, 1_000_000)
        self._parts.append(struct.pack("<IIII", seconds, rest, len(cut), len(frame) + length) + cut)
        self.count += 1
        if len(self._parts) > 20_000:
            self._file.write(b"".join(self._parts))
            self._parts.clear()

    def close(self) -> None:
        """Write the rest."""
        self._file.write(b"".join(self._parts))
        self._file.close()


def conversation(to: Writer, chance: random.Random, requests: int) -> Generator[None]:
    """A connection with some requests and answers, packet by packet. Some are refused, reset, or never closed."""
    client, server = 0x0A000000 + chance.randrange(1 << 16), 0xC0A80000 + chance.randrange(64)
    there = (client, server, chance.randrange(1024, 65535), chance.choice((80, 443, 22, 8080)))
    back = (server, client, there[3], there[2])
    mine = (1 << 32) - 2 if chance.random() < 0.05 else chance.randrange(1 << 32)
    theirs = chance.randrange(1 << 32)
    to.packet(there, mine, 0, SYN, 64240, 0)
    yield
    if chance.random() < 0.04:
        if chance.random() < 0.5:
            to.packet(back, 0, mine + 1, RST | ACK, 0, 0)
            yield
        return
    to.packet(back, theirs, mine + 1, SYN | ACK, 65160, 0)
    mine, theirs = mine + 1, theirs + 1
    yield
    to.packet(there, mine, theirs, ACK, 502, 0)
    yield
    for _ in range(requests):
        length = chance.randrange(1, 1200)
        to.packet(there, mine, theirs, PSH | ACK, 502, length)
        mine += length
        yield
        if chance.random() < 0.6:
            to.packet(back, theirs, mine, ACK, 509, 0)
            yield
        for number in range(chance.choice((1, 1, 1, 2, 3, 6))):
            length = chance.choice((1448, 1448, 1448, chance.randrange(1, 1448)))
            to.packet(back, theirs, mine, PSH | ACK if chance.random() < 0.3 else ACK, 509, length)
            yield
            if chance.random() < 0.01:
                to.packet(back, theirs, mine, ACK, 509, length)  # sent again
                yield
            theirs += length
            if number % 2:
                to.packet(there, mine, theirs, ACK, 502, 0)
                yield
        to.packet(there, mine, theirs, ACK, 502, 0)
        yield
    how = chance.random()
    if how < 0.08:
        to.packet(there, mine, theirs, RST | ACK, 502, 0)
        yield
    elif how < 0.5:
        to.packet(there, mine, theirs, FIN | ACK, 502, 0)
        yield
        to.packet(back, theirs, mine + 1, FIN | ACK, 509, 0)
        yield
        to.packet(there, mine + 1, theirs + 1, ACK, 502, 0)
        yield
    elif how < 0.9:
        to.packet(back, theirs, mine, FIN | ACK, 509, 0)
        yield
        to.packet(there, mine, theirs + 1, ACK, 502, 0)
        yield
        to.packet(there, mine, theirs + 1, FIN | ACK, 502, 0)
        yield
        to.packet(back, theirs + 1, mine + 1, ACK, 509, 0)
        yield


def mix(path: Path, packets: int) -> int:
    """Connections of some twenty packets each, two hundred at a time; the number of packets."""
    chance = random.Random(1)
    to = Writer(path, chance)
    live: list[Generator[None]] = []
    while to.count < packets or live:
        while len(live) < 200 and to.count < packets:
            live.append(conversation(to, chance, chance.choice((1, 1, 2, 2, 3, 4))))
        at = chance.randrange(len(live))
        if next(live[at], to) is to:
            live[at] = live[-1]
            live.pop()
    to.close()
    return to.count


def burst(to: Writer, chance: random.Random, flows: tuple[Flow, Flow], lane: tuple[int, int, int]) -> tuple[int, int]:
    """Some segments of a transfer and their acknowledgments. ``lane``: the next number, the one acknowledged, and that
    of the other end; the first two of them afterwards."""
    (there, back), (sent, acked, theirs) = flows, lane
    for _ in range(chance.randrange(1, 12)):
        to.packet(there, sent, theirs, ACK, 502, 1448)
        sent += 1448
    if chance.random() < 0.02:
        to.packet(there, acked, theirs, ACK, 502, 1448)  # sent again
    while acked < sent - 1448 * chance.randrange(0, 4):
        acked = min(sent, acked + 2896)
        to.packet(back, theirs, acked, ACK, chance.choice((2000, 3000, 2500)), 0)
    return sent, acked


def bulk(path: Path, packets: int) -> int:
    """Eight connections that send as much as they can, and some of it twice; the number of packets."""
    chance = random.Random(2)
    to = Writer(path, chance)
    lanes: list[list[int]] = []
    flows: list[tuple[Flow, Flow]] = []
    for number in range(8):
        client, server, port = 0x0A000001 + number, 0xC0A80001, 40000 + number
        flows.append(((client, server, port, 5001), (server, client, 5001, port)))
        mine, theirs = (1 << 32) - 1000 * number - 3, 77777 * number
        to.packet(flows[-1][0], mine, 0, SYN, 64240, 0)
        to.packet(flows[-1][1], theirs, mine + 1, SYN | ACK, 65160, 0)
        to.packet(flows[-1][0], mine + 1, theirs + 1, ACK, 502, 0)
        lanes.append([mine + 1, mine + 1, theirs + 1])
    while to.count < packets:
        at = chance.randrange(8)
        sent, acked, theirs = lanes[at]
        sent, acked = burst(to, chance, flows[at], (sent, acked, theirs))
        lanes[at][:2] = sent, acked
    to.close()
    return to.count


CAPTURES: dict[str, Callable[[Path, int], int]] = {"mix": mix, "bulk": bulk}


@dataclass
class Line:
    """One program on one capture. ``wall`` and ``cpu`` are in seconds, ``peak`` in MB."""

    name: str
    command: list[str]
    wall: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)
    peak: float = 0.0
    status: int = 0

    def run(self, environment: dict[str, str]) -> None:
        """Run it once, with its output thrown away."""
        start = time.perf_counter()
        process = subprocess.Popen(
            self.command,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        _, status, usage = os.wait4(process.pid, 0)
        self.wall.append(time.perf_counter() - start)
        process.returncode = self.status = os.waitstatus_to_exitcode(status)
        self.cpu.append(usage.ru_utime + usage.ru_stime)
        self.peak = max(self.peak, usage.ru_maxrss / (1 << 20 if sys.platform == "darwin" else 1 << 10))


def programs(path: Path, command: list[str]) -> list[Line]:
    """What is measured on one capture: tcpmodel, and what else is installed."""
    lines = [Line("tcpmodel check", [*command, "check", str(path)])]
    if shutil.which("tshark"):
        lines.append(Line("tshark -n", ["tshark", "-n", "-r", str(path)]))
        lines.append(Line("tshark -n -q -z conv,tcp", ["tshark", "-n", "-q", "-z", "conv,tcp", "-r", str(path)]))
    if shutil.which("tcptrace"):
        lines.append(Line("tcptrace -n", ["tcptrace", "-n", str(path)]))
    return lines


def make(name: str, path: Path, packets: int) -> None:
    """Write a capture, in a process of its own: the system counts what a process took before it started another one as
    memory of that one, too."""
    process = multiprocessing.get_context("spawn").Process(target=CAPTURES[name], args=(path, packets))
    process.start()
    process.join()
    if process.exitcode:
        raise SystemExit(f"{path} was not written")


def main() -> int:
    """Generate, measure in turns, and print; 1 if tcpmodel failed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--packets", type=int, default=1_000_000, help="packets of each capture (default: %(default)s)")
    parser.add_argument("--runs", type=int, default=1, help="how often each is run, in turns (default: %(default)s)")
    parser.add_argument("--only", choices=sorted(CAPTURES), help="one capture instead of both")
    parser.add_argument("--alone", action="store_true", help="measure tcpmodel only")
    parser.add_argument("--keep", type=Path, metavar="FOLDER", help="leave the captures there, and use those that are")
    parser.add_argument("--command", help="the tcpmodel to run (default: that of this checkout)")
    options = parser.parse_args()
    if options.runs < 1 or options.packets < 1000:
        parser.error("--runs must be at least 1, --packets at least 1000")
    environment = dict(os.environ)
    if not options.command:
        environment["PYTHONPATH"] = str(Path(__file__).resolve().parents[1])
    command = [options.command] if options.command else [sys.executable, "-m", "tcpmodel"]
    failed = False
    with tempfile.TemporaryDirectory() as temporary:
        folder = options.keep or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        for name in [options.only] if options.only else list(CAPTURES):
            path = folder / f"{name}-{options.packets}.pcap"
            if not path.exists():
                make(name, path, options.packets)
            count = packets_in(path)
            lines = programs(path, command)[: 1 if options.alone else None]
            for _ in range(options.runs):
                for line in lines:
                    line.run(environment)
            print(f"{name}: {count:,} packets, median of {options.runs}\n")
            print(f"{'':28}{'wall s':>9}{'cpu s':>9}{'us/packet':>11}{'peak MB':>9}{'as fast as':>12}")
            own = statistics.median(lines[0].cpu)
            for line in lines:
                cpu = statistics.median(line.cpu)
                row = f"{line.name:28}{statistics.median(line.wall):9.2f}{cpu:9.2f}{cpu / count * 1e6:11.2f}"
                print(row + f"{line.peak:9.0f}" + (f"{cpu / own:12.2f}" if line is not lines[0] else ""))
            print()
            failed |= lines[0].status not in (0, 1)
    return int(failed)


def packets_in(path: Path) -> int:
    """How many packets a capture holds; not read at once, since memory of this program counts for its children."""
    count = 0
    with path.open("rb") as file:
        file.seek(24)
        while len(head := file.read(16)) == 16:
            file.seek(int.from_bytes(head[8:12], "little"), os.SEEK_CUR)
            count += 1
    return count


if __name__ == "__main__":
    sys.exit(main())
