"""How many planted faults the checker finds and by which name, and whether a bad capture makes it accuse anybody.

Owns: the conversations that faults are planted in, the measurement and its tables; where tshark is installed, what its
expert information says of the same frames.
Must never hold: what is planted (see ``plants`` and ``artefacts``), or how the checker works.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent)]

from artefacts import ARTEFACTS  # noqa: E402
from conversation import ENDS, MODULUS, Segments, read, shifted, write  # noqa: E402
from plants import PLANTS, Plant  # noqa: E402

from tcpmodel.checking.checker import Checker, Judge  # noqa: E402
from tcpmodel.checking.findings import Diagnostic, Report  # noqa: E402
from tcpmodel.model.load import load_spec  # noqa: E402
from tcpmodel.traces.open import open_trace  # noqa: E402

TRACES = HERE.parent / "traces"
BASES: dict[str, tuple[str, int]] = {
    "client closes": ("lab/normal-client-close.client.pcap", 0),
    "server closes": ("real/close-server.pcap", 0),
    "half-close": ("real/halfclose.pcap", 0),
    "three segments": ("real/three-segment.pcap", 1),
    "crossing close": ("real/simclose.pcap", 0),
    "crossing open": ("real/simopen.pcap", 0),
    "data crosses close": ("real/data-crossing-close.pcap", 0),
    "reset": ("real/linger-rst.pcap", 2),
    "data unread": ("real/unread-rst.pcap", 0),
    "closed window": ("real/zerowin.pcap", 0),
    "FIN lost": ("real/fin-lost.pcap", 2),
    "server speaks first": ("real/server-fin-first.pcap", 0),
}
"""Conversations of real hosts: capture in ``traces/`` and number of the connection in it. All of them conform."""

MOST = 40
"""Segments of a conversation that are used; what is cut off is an artefact, too."""


def bases(only: str = "") -> Iterator[tuple[str, Segments]]:
    """The conversations, each with its own numbers and with numbers that wrap soon."""
    for name, (path, number) in BASES.items():
        if only not in name:
            continue
        segments = read(TRACES / path)[number][:MOST]
        first = [next((each.seq for each in segments if each.side == side), 0) for side in (0, 1)]
        yield name, segments
        wraps = ((MODULUS - 3 - first[0]) % MODULUS, (MODULUS - 2 - first[1]) % MODULUS)
        yield f"{name}, wrapping", shifted(segments, wraps)


def places(size: int, most: int) -> list[int]:
    """Up to ``most`` indices, spread over the conversation; both ends of it come first."""
    order = [0, size - 1]
    step = size
    while len(order) < size and step > 1:
        step = (step + 1) // 2
        order += [index for index in range(step, size, step) if index not in order]
    order += [index for index in range(size) if index not in order]
    return order[:most] if most else order


class Bench:
    """Checks conversations with specs that are compiled once; ``folder`` is where it may write a capture."""

    def __init__(self, folder: Path) -> None:
        self._specs = [load_spec("tcp"), load_spec("udp")]
        self._judges: dict[str, Judge] = {}
        self.path = folder / "planted.pcap"

    def check(self, segments: Segments) -> Report:
        """What the checker says of one conversation, written as a capture and read again."""
        write(self.path, [segments])
        checker = Checker(self._specs)
        checker._judges.update(self._judges)
        checker.read(open_trace(str(self.path)))
        self._judges.update(checker._judges)
        return checker.report


def violations(report: Report) -> list[Diagnostic]:
    """All violations of a report, the earliest first."""
    found = [item for connection in report.connections for item in connection.diagnostics]
    return sorted((item for item in found if item.severity == "violation"), key=lambda item: item.place)


def speaker(side: int) -> str:
    """The address of a side, as reports spell it."""
    return f"{ENDS[side][0]}:{ENDS[side][1]}"


FOUND, NAMED, ELSEWHERE, DOUBT, SILENT = "found", "other name", "elsewhere", "inconclusive", "silent"


def judged(plant: Plant, planted: Segments, index: int, report: Report) -> str:
    """How the fault was found, if it was."""
    found = violations(report)
    here = [item for item in found if item.place == index + 1 and item.endpoint == speaker(planted[index].side)]
    if here:
        return FOUND if any(item.code in plant.ids for item in here) else NAMED
    if found:
        return ELSEWHERE
    return DOUBT if report.count("inconclusive") else SILENT


@dataclass
class Line:
    """What became of one kind of fault. ``examples``: where it was not found."""

    counts: Counter[str] = field(default_factory=Counter)
    extra: int = 0
    seen: Counter[str] = field(default_factory=Counter)
    examples: list[str] = field(default_factory=list)
    planted: list[tuple[Segments, int]] = field(default_factory=list)


def measure(bench: Bench, most: int, only: str = "", base: str = "") -> dict[str, Line]:
    """Plant every fault in every conversation, at up to ``most`` places of each (0 = at all)."""
    lines: dict[str, Line] = {}
    for name, segments in bases(base):
        reasons = bench.check(segments)
        if violations(reasons):
            raise SystemExit(f"{name} itself is accused: {violations(reasons)[0]}")
        for plant in PLANTS:
            if only not in plant.name:
                continue
            line = lines.setdefault(plant.name, Line())
            done = 0
            for index in places(len(segments), 0):
                made = plant.at(segments, index)
                if made is None:
                    continue
                report = bench.check(made[0])
                how = judged(plant, *made, report)
                line.counts[how] += 1
                line.planted.append(made)
                found = violations(report)
                line.extra += bool([item for item in found if item.place != made[1] + 1])
                line.seen.update(item.code for item in found if item.place == made[1] + 1)
                if how != FOUND:
                    told = ", ".join(f"{item.code}@{item.place}" for item in found[:3])
                    line.examples.append(f"{name}, frame {made[1] + 1}: {how} {told}")
                done += 1
                if most and done >= most:
                    break
    return lines


def artefacts(bench: Bench, most: int, only: str = "", base: str = "") -> dict[str, Line]:
    """Spoil every conversation in every way: whoever is accused is accused falsely."""
    lines: dict[str, Line] = {}
    for name, segments in bases(base):
        for kind, make in ARTEFACTS.items():
            if only not in kind:
                continue
            line = lines.setdefault(kind, Line())
            done = 0
            for index in places(len(segments), 0):
                spoiled = make(list(segments), index)
                if not spoiled:
                    continue
                report = bench.check(spoiled)
                found = violations(report)
                verdict = "violates" if found else "inconclusive" if report.count("inconclusive") else "conforms"
                line.counts[verdict] += 1
                line.planted.append((spoiled, index))
                if found:
                    told = ", ".join(f"{item.code}@{item.place} {item.observed}" for item in found[:3])
                    line.examples.append(f"{name}, place {index + 1}: {told}")
                done += 1
                if most and done >= most:
                    break
    return lines


def experts(bench: Bench, planted: list[tuple[Segments, int]]) -> list[list[set[str]]]:
    """For each conversation the words of tshark's warnings and errors, per frame."""
    write(bench.path, [segments for segments, _ in planted])
    command = ["tshark", "-n", "-r", str(bench.path), "-o", "tcp.check_checksum:TRUE", "-T", "fields"]
    command += ["-e", "frame.number", "-e", "_ws.expert.severity", "-e", "_ws.expert.message"]
    text = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    words: list[set[str]] = []
    for row in text.splitlines():
        _, severities, messages = [*row.split("\t"), "", ""][:3]
        both = zip(severities.split(","), messages.split(","), strict=False)
        words.append({message for level, message in both if level.isdigit() and int(level) >= 6291456})
    grouped: list[list[set[str]]] = []
    at = 0
    for segments, _ in planted:
        size = sum(2 if "fragments" in each.more else 1 for each in segments)
        grouped.append(words[at : at + size])
        at += size
    return grouped


def _told(lines: dict[str, Line], beside: dict[str, Counter[str]], verbose: bool) -> str:
    ids = {plant.name: plant.ids[0] for plant in PLANTS}
    rows = ["| planted | rule | times | found | other name | elsewhere | inconclusive | silent | tshark warns |"]
    rows.append("| --- | --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |")
    sums: Counter[str] = Counter()
    for name, line in lines.items():
        counts = line.counts
        times = sum(counts.values())
        if not times:
            continue
        sums.update(counts)
        sums["times"] += times
        other = beside.get(name)
        sums["tshark"] += other["warns"] if other else 0
        row = [name, ids[name], str(times), *(str(counts[key]) for key in (FOUND, NAMED, ELSEWHERE, DOUBT, SILENT))]
        rows.append(f"| {' | '.join(row)} | {other['warns'] if other else '-'} |")
        if verbose:
            rows += [f"    {example}" for example in line.examples]
            rows.append(f"    named {dict(line.seen)}, {line.extra} with more findings elsewhere")
    tail = " | ".join(str(sums[key]) for key in (FOUND, NAMED, ELSEWHERE, DOUBT, SILENT))
    rows.append(f"| all | | {sums['times']} | {tail} | {sums['tshark'] if beside else '-'} |")
    return "\n".join(rows)


def _told_artefacts(lines: dict[str, Line], beside: dict[str, Counter[str]], verbose: bool) -> str:
    rows = ["| artefact | times | conforms | inconclusive | accused | tshark warns |"]
    rows.append("| --- | ---: | ---: | ---: | ---: | ---: |")
    for name, line in lines.items():
        counts, other = line.counts, beside.get(name)
        row = [name, str(sum(counts.values())), *(str(counts[key]) for key in ("conforms", "inconclusive", "violates"))]
        rows.append(f"| {' | '.join(row)} | {other['warns'] if other else '-'} |")
        if verbose:
            rows += [f"    {example}" for example in line.examples]
    return "\n".join(rows)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--places", type=int, default=3, help="places in each conversation, 0 for all (default 3)")
    parser.add_argument("--only", default="", help="only what has these words in its name")
    parser.add_argument("--base", default="", help="only conversations with these words in their name")
    parser.add_argument("--misses", action="store_true", help="list what was not found")
    parser.add_argument("--no-tshark", action="store_true", help="leave tshark out")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        run(Bench(Path(folder)), options)


def run(bench: Bench, options: argparse.Namespace) -> None:
    """The measurement that the options ask for."""
    planted = measure(bench, options.places, options.only, options.base)
    spoiled = artefacts(bench, options.places, options.only, options.base)
    beside: dict[str, Counter[str]] = {}
    if shutil.which("tshark") and not options.no_tshark:
        for name, line in (*planted.items(), *spoiled.items()):
            told = experts(bench, line.planted)
            counts = beside[name] = Counter()
            for (_, index), words in zip(line.planted, told, strict=True):
                here = words[index] if name in planted else set().union(*words)
                counts["warns"] += bool(here)
    if any(line.counts for line in planted.values()):
        print(_told(planted, beside, options.misses))
    if any(line.counts for line in spoiled.values()):
        print()
        print(_told_artefacts(spoiled, beside, options.misses))


if __name__ == "__main__":
    main()
