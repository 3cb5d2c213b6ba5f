"""Processor time of starting the command, as multiples of starting a Python that does nothing.

Owns: the commands that are measured and how.
Must never hold: a limit; what is too slow is judged by who reads the table.
"""

from __future__ import annotations

import argparse
import os
import statistics
import struct
import subprocess
import sys
import sysconfig
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

Environment = dict[str, str]


@dataclass
class Line:
    """One line of the table. ``prepare`` gives the environment of the next run; ``times`` are in milliseconds."""

    name: str
    command: list[str]
    prepare: Callable[[], Environment]
    times: list[float] = field(default_factory=list)
    status: int = 0
    said: str = ""

    def run(self) -> None:
        """Run the command once and keep the processor time that it took."""
        environment = self.prepare()
        with tempfile.TemporaryFile() as errors:
            process = subprocess.Popen(
                self.command, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=errors
            )
            _, status, usage = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
            errors.seek(0)
            self.said = errors.readline().decode(errors="replace").strip()
        self.status = process.returncode
        self.times.append((usage.ru_utime + usage.ru_stime) * 1000)


def capture() -> bytes:
    """A capture of ten packets: a connection that is opened, used once each way and closed by both ends."""
    client, server = (b"\x0a\0\0\1", 40000, 1000), (b"\x0a\0\0\2", 80, 5000)
    fin, syn, psh, ack = 1, 2, 8, 16
    packets = [
        # sender, SEQ and ACK from the initial numbers, flags, text
        (client, 0, None, syn, b""),
        (server, 0, 1, syn | ack, b""),
        (client, 1, 1, ack, b""),
        (client, 1, 1, psh | ack, b"question"),
        (server, 1, 9, ack, b""),
        (server, 1, 9, psh | ack, b"answer"),
        (client, 9, 7, ack, b""),
        (client, 9, 7, fin | ack, b""),
        (server, 7, 10, fin | ack, b""),
        (client, 10, 8, ack, b""),
    ]
    data = bytearray(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 101))
    for number, (sender, seq, acked, flags, text) in enumerate(packets):
        receiver = server if sender is client else client
        acknowledgment = 0 if acked is None else receiver[2] + acked
        ports = sender[1], receiver[1]
        header = [struct.pack(">HHIIBBHHH", *ports, sender[2] + seq, acknowledgment, 80, flags, 65535, 0, 0)]
        pseudo = sender[0] + receiver[0] + struct.pack(">BBH", 0, 6, 20 + len(text))
        header.append(struct.pack(">H", checksum(pseudo + header[0] + text)))
        tcp = header[0][:16] + header[1] + header[0][18:] + text
        ip = struct.pack(">BBHHHBBH", 0x45, 0, 20 + len(tcp), number, 0, 64, 6, 0) + sender[0] + receiver[0]
        ip = ip[:10] + struct.pack(">H", checksum(ip)) + ip[12:]
        packet = ip + tcp
        data += struct.pack("<IIII", 1_700_000_000, number * 1000, len(packet), len(packet)) + packet
    return bytes(data)


def checksum(data: bytes) -> int:
    """The Internet checksum of ``data``."""
    total: int = sum(struct.unpack(f">{(len(data) + 1) // 2}H", data + b"\0" * (len(data) % 2)))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def installed_command() -> str | None:
    """The command beside this Python, if tcpmodel is installed there."""
    path = Path(sysconfig.get_path("scripts")) / ("tcpmodel.exe" if os.name == "nt" else "tcpmodel")
    return str(path) if path.exists() else None


def measure(command: list[str], runs: int, folder: Path) -> list[Line]:
    """All lines of the table, each run ``runs`` times in turns."""
    trace = folder / "ten-packets.pcap"
    trace.write_bytes(capture())
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    if command[0] == sys.executable:
        environment["PYTHONPATH"] = str(Path(__file__).resolve().parents[1])

    def with_cache(path: Path) -> Environment:
        path.mkdir(mode=0o700, exist_ok=True)
        return environment | {"XDG_CACHE_HOME": str(path), "LOCALAPPDATA": str(path)}

    def warm() -> Environment:
        return with_cache(folder / "warm")

    def cold() -> Environment:
        return with_cache(Path(tempfile.mkdtemp(dir=folder)))

    lines = [
        Line("python -c pass", [sys.executable, "-c", "pass"], warm),
        Line("tcpmodel --version", [*command, "--version"], warm),
        Line("tcpmodel check --help", [*command, "check", "--help"], warm),
        Line("tcpmodel check, ten packets, cold", [*command, "check", str(trace)], cold),
        Line("tcpmodel check, ten packets, warm", [*command, "check", str(trace)], warm),
    ]
    for line in lines:  # fills the warm cache, and Python's own of compiled modules
        line.run()
        line.times.clear()
    for _ in range(runs):
        for line in lines:
            line.run()
    return lines


def main() -> int:
    """Measure and print; 1 if a command failed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--runs", type=int, default=21, help="how often each is run (default: %(default)s)")
    parser.add_argument(
        "--command", help="the tcpmodel to run (default: the one beside this Python, else the checkout's)"
    )
    options = parser.parse_args()
    if options.runs < 1:
        parser.error("--runs must be at least 1")
    found = options.command or installed_command()
    command = [found] if found else [sys.executable, "-m", "tcpmodel"]
    with tempfile.TemporaryDirectory() as folder:
        lines = measure(command, options.runs, Path(folder))
    base = statistics.median(lines[0].times)
    print(f"{' '.join(command)}, Python {sys.version.split()[0]}, median of {options.runs} runs, processor time\n")
    print(f"{'':36}{'ms':>8}{'ratio':>8}{'fastest':>9}{'slowest':>9}")
    for line in lines:
        middle = statistics.median(line.times)
        row = f"{line.name:36}{middle:8.1f}{middle / base:8.2f}{min(line.times):9.1f}{max(line.times):9.1f}"
        print(row + (f"  exit {line.status}: {line.said}" if line.status else ""))
    return int(any(line.status for line in lines))


if __name__ == "__main__":
    sys.exit(main())
