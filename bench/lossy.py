"""Time per packet of captures that lost packets, and of traffic made to be hard to follow, beside tshark.

Owns: these captures. How each program is run and measured is that of ``speed``.
Must never hold: a limit; what is too slow is judged by who reads the table.
"""

from __future__ import annotations

import argparse
import os
import random
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from speed import ACK, FIN, PSH, RST, SYN, Flow, Line, Writer, burst, conversation, packets_in, programs


class Spoiled(Writer):
    """Leaves out packets: ``seen`` says of each whether it is captured; ``limit`` is how many are wanted."""

    def __init__(self, path: Path, chance: random.Random, limit: int, seen: Callable[[Flow, int], bool]) -> None:
        super().__init__(path, chance)
        self.limit = limit
        self._seen = seen
        self._sent = 0

    def packet(self, flow: Flow, seq: int, ack: int, flags: int, window: int, length: int) -> None:
        """As ``Writer.packet``, if the capture has it."""
        self._sent += 1
        if self._seen(flow, self._sent):
            super().packet(flow, seq, ack, flags, window, length)

    @property
    def full(self) -> bool:
        """Are there enough?"""
        return self.count >= self.limit


def _flow(number: int) -> tuple[Flow, Flow]:
    client, server, port = 0x0A000001 + number, 0xC0A80001, 40000 + number
    return (client, server, port, 5001), (server, client, 5001, port)


def transfer(to: Spoiled, chance: random.Random, lanes: int = 4) -> None:
    """Some connections that send as much as they can; the other end acknowledges, and answers now and then."""
    flows = [_flow(number) for number in range(lanes)]
    state = []
    for number, (there, back) in enumerate(flows):
        mine, theirs = 1_000_000 * number + 7, 77_777 * number
        to.packet(there, mine, 0, SYN, 64240, 0)
        to.packet(back, theirs, mine + 1, SYN | ACK, 65160, 0)
        to.packet(there, mine + 1, theirs + 1, ACK, 502, 0)
        state.append([mine + 1, mine + 1, theirs + 1])
    while not to.full:
        at = chance.randrange(lanes)
        (_, back), (sent, acked, theirs) = flows[at], state[at]
        sent, acked = burst(to, chance, flows[at], (sent, acked, theirs))
        if chance.random() < 0.05:
            to.packet(back, theirs, acked, ACK | PSH, 2000, 60)
            theirs += 60
        state[at] = [sent, acked, theirs]


def requests(to: Spoiled, chance: random.Random) -> None:
    """Many short connections, two hundred at a time."""
    live = [conversation(to, chance, 2) for _ in range(200)]
    while not to.full:
        at = chance.randrange(len(live))
        if next(live[at], to) is to:
            live[at] = conversation(to, chance, chance.choice((1, 1, 2, 3)))


def scan(to: Spoiled, chance: random.Random) -> None:
    """One host asks for every port of many others; most are refused."""
    while not to.full:
        number = to.count
        there = (0x0A000001, 0xC0A80000 + number % 5000, 40000, 1 + number // 5000 % 60000)
        to.packet(there, 1000 + number, 0, SYN, 1024, 0)
        if chance.random() < 0.7:
            to.packet((there[1], there[0], there[3], there[2]), 0, 1001 + number, RST | ACK, 0, 0)


def again(to: Spoiled, _chance: random.Random) -> None:
    """Ten packets each between the same two addresses and ports, over and over."""
    there, back = _flow(0)
    mine = theirs = 1000
    while not to.full:
        mine, theirs = mine + 5_000_000, theirs + 7_000_000
        to.packet(there, mine, 0, SYN, 64240, 0)
        to.packet(back, theirs, mine + 1, SYN | ACK, 65160, 0)
        to.packet(there, mine + 1, theirs + 1, ACK, 502, 0)
        to.packet(there, mine + 1, theirs + 1, ACK | PSH, 502, 100)
        to.packet(back, theirs + 1, mine + 101, ACK, 509, 0)
        to.packet(back, theirs + 1, mine + 101, ACK | PSH, 509, 900)
        to.packet(there, mine + 101, theirs + 901, FIN | ACK, 502, 0)
        to.packet(back, theirs + 901, mine + 102, FIN | ACK, 509, 0)
        to.packet(there, mine + 102, theirs + 902, ACK, 502, 0)
        to.packet(there, mine + 102, theirs + 902, ACK, 502, 0)


def copies(to: Spoiled, chance: random.Random) -> None:
    """A transfer of which each packet is captured up to twenty times, the later ones among others."""
    there, back = _flow(0)
    to.packet(there, 1000, 0, SYN, 64240, 0)
    to.packet(back, 5000, 1001, SYN | ACK, 65160, 0)
    sent = 1001
    lately: list[tuple[Flow, int, int, int, int, int]] = [(there, 1001, 5001, ACK, 502, 0)]
    while not to.full:
        lately = lately[-12:]
        lately.append((there, sent, 5001, ACK, 502, 1448))
        sent += 1448
        lately.append((back, 5001, sent, ACK, 2000, 0))
        for each in lately[-2:]:
            to.packet(*each)
        for _ in range(chance.randrange(20)):
            to.packet(*chance.choice(lately))


def resets(to: Spoiled, chance: random.Random) -> None:
    """A transfer, and resets with numbers in and around its windows, which may be forged."""
    there, back = _flow(0)
    to.packet(there, 1000, 0, SYN, 64240, 0)
    to.packet(back, 5000, 1001, SYN | ACK, 65160, 0)
    to.packet(there, 1001, 5001, ACK, 502, 0)
    sent = 1001
    while not to.full:
        to.packet(there, sent, 5001, ACK, 502, 1448)
        sent += 1448
        to.packet(back, 5001, sent, ACK, 2000, 0)
        for _ in range(8):
            flow, number = chance.choice(((there, sent), (back, 5001)))
            to.packet(flow, number + chance.choice((0, 1, 100, 70_000, -5000)), 0, RST, 0, 0)


def chaos(to: Spoiled, chance: random.Random) -> None:
    """Any flags with numbers near those in use, in both directions of a few connections."""
    flows = [_flow(number) for number in range(4)]
    numbers = [[1000, 5000] for _ in flows]
    while not to.full:
        at = chance.randrange(4)
        side = chance.randrange(2)
        flags = chance.choice((ACK, ACK, ACK, ACK | PSH, SYN, SYN | ACK, FIN | ACK, RST, RST | ACK, FIN, 0, 63))
        near = numbers[at]
        seq = near[side] + chance.choice((0, 0, 0, 1, -1, 500, -500, 40_000))
        ack = near[1 - side] + chance.choice((0, 0, 1, -1, 800, -800, 50_000)) if flags & ACK else 0
        length = chance.choice((0, 0, 1, 100, 1448))
        to.packet(flows[at][side], max(seq, 0), max(ack, 0), flags, chance.choice((0, 1, 500, 65535)), length)
        if chance.random() < 0.5:
            near[side] = max(seq, 0) + length


def faults(to: Spoiled, chance: random.Random) -> None:
    """Connections that go on to send after their FIN, so nearly every packet breaks a rule."""
    there, back = _flow(0)
    to.packet(there, 1000, 0, SYN, 64240, 0)
    to.packet(back, 5000, 1001, SYN | ACK, 65160, 0)
    to.packet(there, 1001, 5001, ACK, 502, 0)
    to.packet(there, 1001, 5001, FIN | ACK, 502, 0)
    to.packet(back, 5001, 1002, ACK, 502, 0)
    sent = 1002
    while not to.full:
        length = chance.randrange(1, 1448)
        to.packet(there, sent, 5001, ACK, 502, length)
        sent += length
        if chance.random() < 0.3:
            to.packet(back, 5001, sent, ACK, 2000, 0)


def _all(_flow: Flow, _number: int) -> bool:
    return True


def _some(share: float) -> Callable[[Flow, int], bool]:
    chance = random.Random(9)
    return lambda _flow, _number: chance.random() >= share


Make = Callable[[Spoiled, random.Random], None]
CAPTURES: dict[str, tuple[str, Make, Callable[[], Callable[[Flow, int], bool]]]] = {
    "lost": ("a transfer, 1 % lost", transfer, lambda: _some(0.01)),
    "lost-10": ("a transfer, 10 % lost", transfer, lambda: _some(0.1)),
    "middle": ("a transfer, from its middle", transfer, lambda: lambda _flow, number: number > 40),
    "sender": ("a transfer, its sender only", transfer, lambda: lambda flow, _number: flow[3] == 5001),
    "receiver": ("a transfer, its receiver only", transfer, lambda: lambda flow, _number: flow[2] == 5001),
    "requests": ("short connections, 1 % lost", requests, lambda: _some(0.01)),
    "scan": ("a scan", scan, lambda: _all),
    "again": ("one pair of ports, again and again", again, lambda: _all),
    "copies": ("a flood of copies", copies, lambda: _all),
    "resets": ("a flood of resets", resets, lambda: _all),
    "chaos": ("any flags and numbers", chaos, lambda: _all),
    "faults": ("a violation in each packet", faults, lambda: _all),
}


def write(path: Path, name: str, packets: int) -> None:
    """Write one of the captures."""
    _, make, seen = CAPTURES[name]
    chance = random.Random(name)
    to = Spoiled(path, chance, packets, seen())
    make(to, chance)
    to.close()


def main() -> int:
    """Generate, measure, and print; 1 if tcpmodel failed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--packets", type=int, default=100_000, help="packets of each capture (default: %(default)s)")
    parser.add_argument("--only", choices=sorted(CAPTURES), help="one capture instead of all")
    parser.add_argument("--keep", type=Path, metavar="FOLDER", help="leave the captures there, and use those that are")
    options = parser.parse_args()
    if options.packets < 1000:
        parser.error("--packets must be at least 1000")
    environment = dict(os.environ)
    environment["PYTHONPATH"] = str(Path(__file__).resolve().parents[1])
    environment["TCPMODEL_CACHE"] = "off"
    command = [sys.executable, "-m", "tcpmodel"]
    print("us of processor time per packet: of the first quarter, of the rest, and beside tshark -n -q -z conv,tcp\n")
    print(f"{'':36}{'packets':>9}{'first':>9}{'rest':>9}{'MB':>7}{'tshark':>9}{'as fast as':>12}")
    failed = False
    with tempfile.TemporaryDirectory() as temporary:
        folder = options.keep or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        for name in [options.only] if options.only else list(CAPTURES):
            lines: list[Line] = []
            counts: list[int] = []
            for packets in (options.packets // 4, options.packets):
                path = folder / f"{name}-{packets}.pcap"
                if not path.exists():
                    write(path, name, packets)
                counts.append(packets_in(path))
                several = programs(path, command)
                lines.append(several[0])
            lines += [line for line in several if "conv,tcp" in line.name]
            for line in lines:
                line.run(environment)
            few, own = lines[0].cpu[0], lines[1].cpu[0]
            rest = (own - few) / (counts[1] - counts[0]) * 1e6
            row = f"{CAPTURES[name][0]:36}{counts[1]:9,}{few / counts[0] * 1e6:9.0f}{rest:9.0f}{lines[1].peak:7.0f}"
            if len(lines) > 2:
                other = lines[2].cpu[0]
                row += f"{other / counts[1] * 1e6:9.1f}{other / own:12.3f}"
            print(row, flush=True)
            failed |= any(line.status not in (0, 1) for line in lines[:2])
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
