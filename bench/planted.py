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
from dataclasses import dataclass, field, replace
from itertools import product
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent)]

import plants_datagrams as datagrams  # noqa: E402
from artefacts import ARTEFACTS  # noqa: E402
from conversation import ENDS, MODULUS, Segments, read, shifted, write  # noqa: E402
from planting import Plant  # noqa: E402
from plants import PLANTS  # noqa: E402

from tcpmodel.checking.checker import Checker  # noqa: E402
from tcpmodel.checking.outcome.findings import Diagnostic, Report  # noqa: E402
from tcpmodel.checking.table import Judge  # noqa: E402
from tcpmodel.model.load import load_spec  # noqa: E402
from tcpmodel.model.spec import Spec  # noqa: E402
from tcpmodel.traces.open import open_trace  # noqa: E402
from tcpmodel.traces.reader import Trace  # noqa: E402
from tcpmodel.traces.records import Packet  # noqa: E402

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
        yield f"{name}, wrapping", _counted_on(shifted(segments, wraps))


def _counted_on(segments: Segments) -> Segments:
    """With other identifications: where a host counts, they wrap, too."""
    ids = [next((each.ip_id for each in segments if each.side == side and each.ip_id), 0) for side in (0, 1)]
    return [
        replace(each, ip_id=(each.ip_id - ids[each.side] + 65533) % 65536) if each.ip_id else each for each in segments
    ]


def places(size: int, most: int) -> list[int]:
    """Up to ``most`` indices, spread over the conversation; both ends of it come first."""
    order = [0, size - 1]
    step = size
    while len(order) < size and step > 1:
        step = (step + 1) // 2
        order += [index for index in range(step, size, step) if index not in order]
    order += [index for index in range(size) if index not in order]
    return order[:most] if most else order


class Placed:
    """A capture that is said to have been made at the host of one end."""

    offer = None  # of what is taken before it is a record nobody could say so

    def __init__(self, trace: Trace, at: str) -> None:
        self._trace, self._at = trace, at

    def __getattr__(self, name: str) -> object:
        return getattr(self._trace, name)

    def records(self) -> Iterator[Packet]:
        """The packets of the capture, each with the place where it was seen."""
        return (record._replace(at=self._at) for record in self._trace.records() if isinstance(record, Packet))


class Bench:
    """Checks conversations with specs that are compiled once; ``folder`` is where it may write a capture."""

    def __init__(self, folder: Path) -> None:
        self._specs = [load_spec("tcp"), load_spec("udp")]
        self._judges: dict[str, Judge] = {}
        self._of_datagrams: dict[str, tuple[Spec, dict[str, Judge]]] = {}
        self.path = folder / "planted.pcap"

    def exchange(self, exchange: datagrams.Exchange, spec: str) -> tuple[Report, list[int]]:
        """What the checker says of datagrams, and the number of the last frame of each."""
        numbers = datagrams.write(self.path, exchange)
        known, judges = self._of_datagrams.setdefault(spec, (load_spec(spec), {}))
        checker = Checker([known])
        checker._judges.update(judges)
        checker.read(open_trace(str(self.path)))
        judges.update(checker._judges)
        return checker.report, numbers

    def check(self, segments: Segments, at: str = "") -> Report:
        """What the checker says of one conversation, written as a capture and read again; ``at``: where it was made."""
        write(self.path, [segments])
        checker = Checker(self._specs)
        checker._judges.update(self._judges)
        trace = open_trace(str(self.path))
        checker.read(Placed(trace, at) if at else trace)  # type: ignore[arg-type]
        self._judges.update(checker._judges)
        return checker.report


def violations(report: Report) -> list[Diagnostic]:
    """All violations of a report, the earliest first."""
    found = [item for connection in report.connections for item in connection.diagnostics]
    return sorted((item for item in found if item.severity == "violation"), key=lambda item: item.place)


def speaker(side: int) -> str:
    """The address of a side, as reports spell it."""
    return f"{ENDS[side][0]}:{ENDS[side][1]}"


FOUND, NAMED, ELSEWHERE, OPEN, SILENT = "found", "other name", "elsewhere", "inconclusive", "silent"
TOLD, LEFT_OPEN, UNSAID, BLAMED = "told", "left open", "unsaid", "blamed"
PROVEN = (FOUND, NAMED, ELSEWHERE, OPEN, SILENT)
UNPROVEN = (TOLD, LEFT_OPEN, UNSAID, BLAMED)
"""What can become of a fault that the capture proves, and of one that it does not prove."""


def judged(plant: Plant, planted: Segments, index: int, report: Report) -> str:
    """What was made of the fault, one of ``PROVEN``, or of ``UNPROVEN`` where the capture does not prove it."""
    found = violations(report)
    port = f":{ENDS[planted[index].side][1]}"
    told = [item for connection in report.connections for item in connection.diagnostics]
    here = [item for item in told if item.place == index + 1 and item.endpoint.endswith(port)]
    named = any(item.code in plant.ids for item in here)
    elsewhere = [item for item in found if item not in here]
    if plant.doubt(planted, index):
        if elsewhere:
            return BLAMED
        return TOLD if named else LEFT_OPEN if report.count("inconclusive") else UNSAID
    if named:
        return FOUND
    if found:
        return ELSEWHERE if elsewhere else NAMED
    return OPEN if report.count("inconclusive") else SILENT


@dataclass
class Line:
    """What became of one kind of fault. ``examples``: where it was not found; ``reasons``: why nothing proves it."""

    counts: Counter[str] = field(default_factory=Counter)
    extra: int = 0
    seen: Counter[str] = field(default_factory=Counter)
    reasons: Counter[str] = field(default_factory=Counter)
    examples: list[str] = field(default_factory=list)
    planted: list[tuple[Segments, int]] = field(default_factory=list)


def measure(bench: Bench, most: int, only: str = "", base: str = "") -> dict[str, Line]:
    """Plant every fault in every conversation, at up to ``most`` places of each (0 = at all)."""
    lines: dict[str, Line] = {plant.name: Line() for plant in PLANTS if only in plant.name}
    for name, segments in bases(base):
        reasons = bench.check(segments)
        if violations(reasons):
            raise SystemExit(f"{name} itself is accused: {violations(reasons)[0]}")
        for plant in PLANTS:
            if only in plant.name:
                _measure(bench, plant, name, segments, most, lines[plant.name])
    return lines


def _measure(bench: Bench, plant: Plant, name: str, segments: Segments, most: int, line: Line) -> None:
    """One kind of fault in one conversation."""
    done = 0
    for index in places(len(segments), 0):
        made = plant.at(segments, index)
        if made is None:
            continue
        report = bench.check(made[0], speaker(made[0][made[1]].side) if plant.vantage == "sender" else "")
        how = judged(plant, *made, report)
        line.counts[how] += 1
        line.planted.append(made)
        doubt = plant.doubt(*made)
        if doubt:
            line.reasons[doubt] += 1
        found = violations(report)
        line.extra += bool([item for item in found if item.place != made[1] + 1])
        line.seen.update(item.code for item in found if item.place == made[1] + 1)
        if how not in (FOUND, TOLD, LEFT_OPEN):
            told = ", ".join(f"{item.code}@{item.place}" for item in found[:3])
            line.examples.append(f"{name}, frame {made[1] + 1}: {how} {told}")
        done += 1
        if most and done >= most:
            return


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


def measure_datagrams(bench: Bench, most: int, only: str = "", base: str = "") -> list[tuple[str, str, Line]]:
    """The same for datagrams: each fault or oddity with its rule, in every exchange."""
    lines = [(plant.name, plant.rule, Line()) for plant in datagrams.PLANTS if only in plant.name]
    for (kind, exchange), plant in product(datagrams.exchanges().items(), datagrams.PLANTS):
        done = 0
        for index in places(len(exchange), 0):
            made = plant.at(exchange, index) if only in plant.name and base in kind else None
            if made is None or (most and done >= most):
                continue
            done += 1
            line = next(line for name, _, line in lines if name == plant.name)
            report, numbers = bench.exchange(made[0], plant.spec)
            place = numbers[made[1]]
            found = [item for connection in report.connections for item in connection.diagnostics]
            found += [note for each in report.inputs for note in each.notes]
            told = any((item.code, item.place) == (plant.rule, place) for item in found)
            wrong = [item for item in violations(report) if (item.code, item.place) != (plant.rule, place)]
            if plant.doubt:
                how = BLAMED if violations(report) else TOLD if told else UNSAID
                line.reasons[plant.doubt] += 1
            else:
                how = FOUND if told and not wrong else ELSEWHERE if violations(report) else SILENT
            line.counts[how] += 1
            if how not in (FOUND, TOLD):
                words = ", ".join(f"{item.code}@{item.place}" for item in found[:4])
                line.examples.append(f"{kind}, frame {place}: {how} {words}")
    return lines


def spoiled_datagrams(bench: Bench, most: int, only: str = "", base: str = "") -> dict[str, Line]:
    """Exchanges as a bad capture shows them: nobody is at fault."""
    lines: dict[str, Line] = {}
    for (kind, exchange), (name, make) in product(datagrams.exchanges().items(), datagrams.ARTEFACTS.items()):
        done = 0
        for index in places(len(exchange), 0):
            made = make(exchange, index) if only in name and base in kind else None
            if not made or (most and done >= most):
                continue
            done += 1
            line = lines.setdefault(name, Line())
            for spec in ("udp", "dns"):
                report, _ = bench.exchange(made, spec)
                found = violations(report)
                line.counts[
                    "violates" if found else "inconclusive" if report.count("inconclusive") else "conforms"
                ] += 1
                line.examples += [f"{kind}, place {index + 1}: {item.code}@{item.place}" for item in found]
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
    head = ["planted", "rule", "times", "proven", *PROVEN, "not proven", *UNPROVEN, "tshark warns"]
    rows = [f"| {' | '.join(head)} |", f"| --- | --- |{' ---: |' * (len(head) - 2)}"]
    sums: Counter[str] = Counter()
    for name, line in lines.items():
        if not line.counts:
            continue
        other = beside.get(name)
        sums.update(line.counts)
        sums["tshark"] += other["warns"] if other else 0
        rows.append(_row(name, ids[name], line.counts, str(other["warns"]) if other else "-"))
        if verbose:
            rows += [f"    {example}" for example in line.examples]
            rows.append(f"    named {dict(line.seen)}, {line.extra} with more findings elsewhere")
    rows.append(_row("all", "", sums, str(sums["tshark"]) if beside else "-"))
    return "\n".join(rows)


def _row(name: str, rule: str, counts: Counter[str], tail: str) -> str:
    cells = []
    for group in (PROVEN, UNPROVEN):
        cells += [str(sum(counts[key] for key in group)), *(str(counts[key]) for key in group)]
    times = sum(counts[key] for key in PROVEN + UNPROVEN)
    return f"| {' | '.join([name, rule, str(times), *cells, tail])} |"


def _told_datagrams(lines: list[tuple[str, str, Line]], verbose: bool) -> str:
    rows = ["| planted in datagrams | rule | times | proven | found | not proven | told |"]
    rows.append("| --- | --- | ---: | ---: | ---: | ---: | ---: |")
    whole = Line()
    for _, _, line in lines:
        whole.counts.update(line.counts)
    for name, rule, line in [*lines, ("all", "", whole)]:
        counts = line.counts
        certain, odd = (sum(counts[key] for key in group) for group in (PROVEN, UNPROVEN))
        rows.append(f"| {name} | {rule} | {certain + odd} | {certain} | {counts[FOUND]} | {odd} | {counts[TOLD]} |")
        if verbose:
            rows += [f"    {example}" for example in line.examples]
    return "\n".join(rows)


def _told_reasons(lines: dict[str, Line]) -> str:
    rows = ["| not proven | times | why |", "| --- | ---: | --- |"]
    rows += [f"| {name} | {times} | {why} |" for name, line in lines.items() for why, times in line.reasons.items()]
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
        every = [(name, *each) for lines in (planted, spoiled) for name, line in lines.items() for each in line.planted]
        told = experts(bench, [(segments, index) for _, segments, index in every])
        for (name, _, index), words in zip(every, told, strict=True):
            here = words[index] if name in planted else set().union(*words)
            beside.setdefault(name, Counter())["warns"] += bool(here)
    if any(line.counts for line in planted.values()):
        print(_told(planted, beside, options.misses))
    small = measure_datagrams(bench, options.places, options.only, options.base)
    if any(line.counts for *_, line in small):
        print()
        print(_told_datagrams(small, options.misses))
    reasons = {**planted, **{name: line for name, _, line in small}}
    if any(line.reasons for line in reasons.values()):
        print()
        print(_told_reasons(reasons))
    spoiled |= spoiled_datagrams(bench, options.places, options.only, options.base)
    if any(line.counts for line in spoiled.values()):
        print()
        print(_told_artefacts(spoiled, beside, options.misses))


if __name__ == "__main__":
    main()
