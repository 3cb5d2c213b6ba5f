"""Input that is made to use up memory: how much of it, and how much time, one run takes.

Owns: writing such inputs, and measuring one run of the command on each.
Must never hold: what the command does, or how much is too much.

    python bench/hostile.py --count 100000
"""

from __future__ import annotations

import argparse
import os
import struct
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

ROOT = Path(__file__).resolve().parents[1]
ETHERNET = bytes(12) + b"\x08\x00"
SCANNER, TARGET = 0x0A000001, 0xC0000200


def checksum(data: bytes) -> int:
    """The sum of IP, UDP, TCP and ICMP."""
    data += bytes(len(data) % 2)
    return 0xFFFF - (int.from_bytes(data, "big") % 0xFFFF)


def ip(protocol: int, source: int, target: int, payload: bytes, number: int, fragment: int = 0) -> bytes:
    """A packet of IPv4; ``fragment``: flags and offset."""
    parts = (0x45, 0, 20 + len(payload), number & 0xFFFF, fragment, 64, protocol, 0, source, target)
    head = struct.pack(">BBHHHBBHII", *parts)
    return head[:10] + struct.pack(">H", checksum(head)) + head[12:] + payload


class Capture:
    """A pcap file; its packets come ten microseconds apart."""

    def __init__(self, out: BinaryIO) -> None:
        self._out = out
        self._now = 0
        out.write(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 262144, 1))

    def put(self, packet: bytes) -> None:
        """One frame of Ethernet with this packet."""
        self._now += 10
        size = len(packet) + len(ETHERNET)
        self._out.write(struct.pack("<IIII", *divmod(self._now, 10**6), size, size) + ETHERNET + packet)


def refused(out: BinaryIO, count: int) -> None:
    """A scan of closed ports of UDP: each datagram is answered by an error of ICMP, and sent again."""
    to = Capture(out)
    for number in range(count // 3):
        target, port = TARGET + number // 60_000, 1 + number % 60_000
        packet = ip(17, SCANNER, target, struct.pack(">HHHH", 4000, port, 12, 0) + b"scan", number)
        error = struct.pack(">BBHI", 3, 3, 0, 0) + packet[:28]
        error = error[:2] + struct.pack(">H", checksum(error)) + error[4:]
        to.put(packet)
        to.put(ip(1, target, SCANNER, error, number))
        to.put(packet)


def fragments(out: BinaryIO, count: int) -> None:
    """First fragments of which no other ever comes."""
    to = Capture(out)
    for number in range(count):
        to.put(ip(17, SCANNER + number % (1 << 20), TARGET, bytes(1480), number, 0x2000))


def interfaces(out: BinaryIO, count: int) -> None:
    """A pcapng with nothing but interfaces."""
    out.write(struct.pack("<IIIHHqI", 0x0A0D0D0A, 28, 0x1A2B3C4D, 1, 0, -1, 28))
    out.write(struct.pack("<IIHHII", 1, 20, 1, 0, 262144, 20) * count)


def endpoints(out: BinaryIO, count: int) -> None:
    """JSON Lines in which every line tells of an end of its own."""
    for number in range(count):
        end = f"10.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}:{1024 + number % 50_000}"
        said = f'"segment": {{"flags": "SYN", "seq": {number * 77}, "len": 0, "win": 100}}'
        line = f'{{"time": {number}.5, "event": "send", "src": "{end}", "dst": "192.0.2.1:80", {said}}}\n'
        out.write(line.encode())


def states(out: BinaryIO, count: int) -> None:
    """The same with states."""
    for number in range(count):
        end = f"10.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}:{1024 + number % 50_000}"
        said = '"event": "state", "state": "SYN-SENT"'
        out.write(f'{{"time": {number}.5, "src": "{end}", "dst": "192.0.2.1:80", {said}}}\n'.encode())


def wrong(out: BinaryIO, count: int) -> None:
    """One connection in which every packet breaks a rule: text behind the end of all text.

    A hundredth of the packets: each of them is followed step by step.
    """
    to = Capture(out)

    def segment(source: int, target: int, flags: int, seq: int, ack: int, length: int = 0) -> None:
        ports = (4000, 80) if source == SCANNER else (80, 4000)
        parts = (*ports, seq & 0xFFFFFFFF, ack, 0x50, flags, 512)
        tcp = struct.pack(">HHIIBBH", *parts)
        whole = struct.pack(">IIHH", source, target, 6, 20 + length) + tcp + bytes(4 + length)
        tcp += struct.pack(">HH", checksum(whole), 0) + bytes(length)
        to.put(ip(6, source, target, tcp, seq))

    segment(SCANNER, TARGET, 2, 100, 0)
    segment(TARGET, SCANNER, 18, 300, 101)
    segment(SCANNER, TARGET, 17, 101, 301)
    segment(TARGET, SCANNER, 16, 301, 102)
    for number in range(count // 100):
        segment(SCANNER, TARGET, 16, 102 + 10 * number, 301, 10)


KINDS: dict[str, Callable[[BinaryIO, int], None]] = {
    each.__name__: each for each in (refused, fragments, interfaces, endpoints, states, wrong)
}


def measured(path: Path) -> tuple[float, float]:
    """Most memory in MB and processor time in seconds of one run."""
    process = subprocess.Popen(
        [sys.executable, "-m", "tcpmodel", "check", "-q", str(path)],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    # The unit of ru_maxrss is a kilobyte on Linux, an octet on macOS.
    return used.ru_maxrss / (1 << 20 if sys.platform == "darwin" else 1 << 10), used.ru_utime + used.ru_stime


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--count", type=int, default=100_000, help="packets, lines or blocks (default: %(default)s)")
    parser.add_argument("--only", choices=sorted(KINDS), help="one kind instead of all")
    args = parser.parse_args()
    print(f"{'':12}{'peak MB':>9}{'cpu s':>9}{'wall s':>9}")
    for name in [args.only] if args.only else list(KINDS):
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / name
            with path.open("wb") as out:
                KINDS[name](out, args.count)
            began = time.perf_counter()
            peak, processor = measured(path)
        print(f"{name:12}{peak:9.0f}{processor:9.1f}{time.perf_counter() - began:9.1f}", flush=True)


if __name__ == "__main__":
    main()
