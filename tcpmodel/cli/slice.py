"""``check --slice FRAME -o FILE``: the smallest piece of a capture that still shows a finding.

Owns: the option, what it goes together with, and the way from a capture to the smaller one.
Must never hold: which packets may be left out (see ``checking.smallest``), or the format of a capture.
"""

from __future__ import annotations

import argparse
import sys

from tcpmodel.cli.errors import CommandError
from tcpmodel.cli.options import wants_color
from tcpmodel.cli.printing import check_writable, print_errors
from tcpmodel.cli.progress import Progress

TYPE_CHECKING = False  # see main.py
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tcpmodel.checking.outcome.findings import ConnectionReport, Diagnostic, Report
    from tcpmodel.model.spec import Spec
    from tcpmodel.report.policy import Policy
    from tcpmodel.traces.records import Packet

MOST_NAMED = 5


def add_slice(parser: argparse.ArgumentParser) -> None:
    """Add the option to ``parser``."""
    parser.add_argument(
        "--slice",
        metavar="FRAME",
        type=_frame,
        help="write to the capture -o FILE as few packets as still show the finding at packet FRAME",
    )


def _frame(word: str) -> int:
    if not word.isascii() or not word.isdigit() or not int(word[:20]):
        raise argparse.ArgumentTypeError(f"'{word}' is no number of a packet: they begin with 1")
    return int(word[:20])


class Slice:
    """Cuts out what shows a finding; CommandError at once for options that do not go together."""

    def __init__(
        self, args: argparse.Namespace, specs: Sequence[Spec], profiles: Sequence[str], policy: Policy
    ) -> None:
        self._args, self._specs, self._profiles, self._policy = args, specs, profiles, policy
        if len(args.traces) != 1 or args.traces[0] == "-":
            raise CommandError("--slice: name one capture, as a file: it is read more than once")
        if args.output is None or args.output == "-":
            raise CommandError("--slice: say with -o FILE where to write the piece of the capture")
        if (
            args.ladder
            or args.coverage
            or args.follow
            or args.connection
            or args.output_format != "text"
            or args.write_baseline
        ):
            raise CommandError("--slice: does not go together with other outputs; check the piece with them")
        check_writable(args.output, "-o", args.traces)

    def run(self) -> int:
        """Write the piece and report on it; the exit status is that of checking the piece."""
        from tcpmodel.checking.run import check
        from tcpmodel.traces.captures.frames import is_capture
        from tcpmodel.traces.records import TraceError

        path: str = self._args.traces[0]
        try:
            if not is_capture(path):
                raise CommandError(
                    f"--slice: {path}: is no capture (pcap or pcapng), so there are no packets to cut out"
                )
        except TraceError as error:
            raise CommandError(str(error)) from None
        progress = Progress(sys.stderr)
        try:
            report = check([path], self._specs, self._profiles, progress=progress, vantage=self._args.vantage)
        finally:
            progress.end()
        print_errors(report)
        connection, finding = self._finding(report)
        left, pieces = self._smallest(path, connection, finding)
        frames = sorted({frame for packet in left for frame in pieces.get(packet.number, (packet.number,))})
        self._write(path, frames)
        return self._say(left, frames, finding, connection)

    def _finding(self, report: Report) -> tuple[ConnectionReport, Diagnostic]:
        from tcpmodel.checking.smallest import found_at

        found = found_at(report.connections, self._args.slice)
        if found is not None:
            return found
        places = sorted({item.place for one in report.connections for item in one.diagnostics})
        if not places:
            raise CommandError(f"--slice: nothing was found in {self._args.traces[0]}")
        near = sorted(sorted(places, key=lambda place: abs(place - self._args.slice))[:MOST_NAMED])
        named = ", ".join(str(place) for place in near)
        more = f" and {len(places) - len(near):,} more" if len(places) > len(near) else ""
        raise CommandError(
            f"--slice: nothing was found at packet {self._args.slice}; there are findings at {named}{more}"
        )

    def _smallest(
        self, path: str, connection: ConnectionReport, finding: Diagnostic
    ) -> tuple[list[Packet], Mapping[int, tuple[int, ...]]]:
        """As few packets as show it, and the frames of those that were put together."""
        from tcpmodel.checking.smallest import Trial, packets_around, smallest
        from tcpmodel.traces.captures.pcap import PcapTrace
        from tcpmodel.traces.captures.pcapng import PcapngTrace
        from tcpmodel.traces.open import open_trace
        from tcpmodel.traces.records import TraceError

        spec = next(spec for spec in self._specs if (spec.over or spec.name) == connection.protocol)
        packets: list[Packet] = []
        ends = frozenset((connection.a, connection.b))
        pieces: dict[int, tuple[int, ...]] = {}
        try:
            trace = open_trace(path)
            if isinstance(trace, (PcapTrace, PcapngTrace)):
                trace.circumstances.pieces = pieces
            packets = packets_around(trace.records(), connection.protocol, ends, finding.place)
        except TraceError as error:
            raise CommandError(f"--slice: the capture is damaged, so no piece of it was cut out\n{error}") from None
        progress = Progress(sys.stderr)
        try:
            left = smallest(
                packets, finding.place, Trial(spec, self._profiles, finding), lambda _, count: progress(path, count)
            )
        finally:
            progress.end()
        if left is None:
            raise CommandError(
                f"--slice: the {len(packets):,} packets of {connection.id} around packet {finding.place} do not show "
                f"{finding.code} alone"
            )
        return left, pieces

    def _write(self, path: str, numbers: Sequence[int]) -> None:
        from tcpmodel.traces.captures.frames import pcap_of, read_frames

        frames = read_frames(path, numbers)
        try:
            pieces = list(pcap_of(frames))
        except ValueError as error:
            raise CommandError(f"--slice: {error}") from None
        with open(self._args.output, "wb") as file:
            file.writelines(pieces)

    def _say(
        self, left: Sequence[Packet], frames: Sequence[int], finding: Diagnostic, connection: ConnectionReport
    ) -> int:
        from tcpmodel.checking.run import check
        from tcpmodel.report import check_text
        from tcpmodel.report.style import Style
        from tcpmodel.traces.records import ERRORS

        report = check([self._args.output], self._specs, self._profiles, vantage=self._args.vantage)
        self._policy.apply(report)
        style = Style.of(sys.stdout, color=wants_color(self._args.color, sys.stdout))
        place = frames.index(finding.place) + 1
        shown = any(
            item.code == finding.code and item.place == place for one in report.connections for item in one.diagnostics
        )
        if not shown:
            raise CommandError(
                f"--slice: {self._args.output} does not show {finding.code}: packet {finding.place} depends on frames "
                "of other connections"
            )
        numbers = ", ".join(map(str, frames[:20])) + (", ..." if len(frames) > 20 else "")
        errors = sum(packet.protocol == ERRORS for packet in left)
        heading = (
            f"{check_text.shown_path(self._args.output)}: {len(left) - errors:,} of the {connection.packets:,} packets "
            f"of {connection.id}{f' and {errors:,} ICMP' if errors else ''} (numbers in the capture: {numbers})"
        )
        if sys.stdout is not None:
            for line in (heading, *check_text.lines(report, style, quiet=self._args.quiet)):
                sys.stdout.write(style.clean(line) + "\n" if line is heading else line + "\n")
        return report.exit_code
