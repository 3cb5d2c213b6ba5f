"""The report of a check as text for people.

Owns: what is shown of a report, in which order and words, and what is left out when there is too much.
Must never hold: a verdict or a rule: those come from the report. Escaping and colours are in ``style``.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from tcpmodel.checking.outcome.findings import (
    CONFORMS,
    INCONCLUSIVE,
    VIOLATES,
    ConnectionReport,
    Diagnostic,
    InputReport,
    Report,
    grouped,
)
from tcpmodel.checking.outcome.reports import Part, by_input
from tcpmodel.report.finding_text import clauses, details, evidence
from tcpmodel.report.notes_text import (
    ROLES,
    by_code,
    codes_of,
    gathered,
    gathered_lines,
    ignored_lines,
    in_general,
    note_lines,
)
from tcpmodel.report.style import Style, counted, either, table

MANY = 50
"""With more connections than this, only violations are shown one by one, unless all are asked for."""

MOST_FINDINGS = 5
"""Of one connection, so many violations and so many other findings are shown, unless all are asked for."""

MOST_STATES = 4
"""With more possible states than this, only their number is shown, unless all are asked for."""

MOST_REASONS = 6
"""So many reasons for leaving something out are shown, unless all are asked for."""

WIDEST_PAIR = 47
"""Addresses are aligned up to this many columns: two of IPv4 with their ports."""

_MARKS = {CONFORMS: ("good", "✓"), VIOLATES: ("bad", "✗"), INCONCLUSIVE: ("unclear", "?")}
_TITLES = {"violation": "Violations", "warning": "Warnings", "note": "Notes", "capture": "Notes on the capture"}
_EPOCH_LIKE = 10**17  # nanoseconds; three years after 1970: a smaller time is one since a log's own start


def lines(report: Report, style: Style, *, quiet: bool = False, verbose: bool = False) -> Iterator[str]:
    """The lines of the report, without line ends; none if nothing at all was checked.

    ``quiet``: only violations and one line of summary. ``verbose``: every connection and every finding.
    """
    if not report.connections:
        return
    many = len(report.connections) > MANY and not verbose
    only_violations = quiet or many
    writer = _Writer(report, style, quiet=only_violations, verbose=verbose)
    began = False
    for heading, connections in _by_input(report):
        shown = connections.only(writer.is_serious) if only_violations else connections
        if only_violations and not shown:
            continue
        if heading is not None:
            if began:
                yield ""
            yield writer.heading(heading)
        began = True
        yield from writer.connections(shown)
    if began:
        yield ""
    if many and not quiet:
        yield from writer.tables()
    yield writer.verdicts()
    if quiet:
        yield from note_lines(report, style, quiet=True, verbose=verbose)
    else:
        yield from writer.amounts()


def finding_lines(one: ConnectionReport, item: Diagnostic, style: Style, *, verbose: bool = False) -> Iterator[str]:
    """One finding by itself, below a line that tells its connection."""
    yield style.paint("strong", style.clean(one.id)) + "  " + style.clean(_pair(one))
    writer = _Writer(Report(), style, quiet=False, verbose=verbose)
    serious = item.severity == "violation" and not item.ignored
    yield from writer.violation(item, None) if serious else writer.remark(item, None)


def summary_lines(report: Report, style: Style) -> Iterator[str]:
    """How many connections got which verdict, and how much was read."""
    writer = _Writer(report, style, quiet=False, verbose=False)
    if report.connections:
        yield writer.verdicts()
        yield from writer.amounts()


def _by_input(report: Report) -> Iterator[tuple[InputReport | None, Part]]:
    """The connections of each input; all at once without a heading if there is one input, or if nobody noted which."""
    if len(report.inputs) > 1:
        *found, others = by_input(report.connections, len(report.inputs))
        if not others:
            yield from zip(report.inputs, found, strict=True)
            return
    yield None, Part(report.connections, lambda _: True, 0, len(report.connections))


class _Writer:
    """Writes the parts of one report in one style."""

    def __init__(self, report: Report, style: Style, *, quiet: bool, verbose: bool) -> None:
        self.report = report
        self.style = style
        self.quiet = quiet
        self.verbose = verbose
        self.gathered = {} if verbose or quiet else gathered(report)

    def _input_of(self, one: ConnectionReport) -> InputReport | None:
        inputs = self.report.inputs
        if 0 <= one.input < len(inputs):
            return inputs[one.input]
        return inputs[0] if len(inputs) == 1 else None

    def is_serious(self, one: ConnectionReport) -> bool:
        """Does it violate the spec in something that was not accepted, or does it make the exit status 1?"""
        return (one.verdict == VIOLATES and not one.accepted) or any(map(self._counts, one.diagnostics))

    def _counts(self, item: Diagnostic) -> bool:
        return self.report.counts(item)

    # ----------------------------------------------------------------------------------------------- one connection

    def heading(self, item: InputReport) -> str:
        """The line above the connections of one input."""
        name = self.style.paint("strong", self.style.clean(shown_path(item.path)))
        if not item.format:
            return f"{name}: not readable"
        amount = "nothing to check in it" if item.blank else counted(item.packets, _unit(item))
        text = f"{name}: {self.style.clean(item.format)}, {amount}"
        if item.skipped:
            text += f", {self._left_out(item.skipped)}"
        return text + (", then unreadable" if item.error and item.packets else "")

    def connections(self, shown: Iterable[ConnectionReport]) -> Iterator[str]:
        """One line each, in columns, and below it what was found; they are asked for twice."""
        clean = self.style.clean
        widths = [0] * 5
        for one in shown:
            widths = [max(width, len(text)) for width, text in zip(widths, self._row(one), strict=True)]
        for one in shown:
            role, mark = _MARKS[one.verdict]
            verdict, name, pair, protocol, number = self._row(one)
            start = clean(mark) + " "
            unit = _unit(self._input_of(one))
            head = "  ".join(
                [
                    self.style.paint(role, start + verdict) + " " * (widths[0] - len(verdict)),
                    self.style.paint("strong", name) + " " * (widths[1] - len(name)),
                    pair.ljust(min(widths[2], WIDEST_PAIR)),
                    protocol.ljust(widths[3]),
                    f"{number:>{widths[4]}} {unit if one.packets == 1 else unit + 's'}",
                ]
            )
            columns = len(start) + widths[0] + 2 + widths[1] + 2 + max(len(pair), min(widths[2], WIDEST_PAIR))
            columns += 2 + widths[3] + 2 + widths[4] + 1 + len(unit) + (one.packets != 1)
            yield from self._with_ends(one, head, columns)
            yield from self._findings(one)

    def _row(self, one: ConnectionReport) -> tuple[str, ...]:
        clean = self.style.clean
        return (one.verdict, clean(one.id), clean(_pair(one)), clean(one.protocol), f"{one.packets:,}")

    def _with_ends(self, one: ConnectionReport, head: str, columns: int) -> Iterator[str]:
        """The line of a connection: ``head`` and where both ends are, on a second line if one is too short."""
        parts = []
        if one.a_states or one.b_states:
            ends = [self._states(states) for states in (one.a_states, one.b_states) if states]
            parts.append(f"ends in {' / '.join(ends)}")
        if one.accepted:
            parts.append("all violations ignored or lowered")
        if one.verdict == INCONCLUSIVE or (self.verbose and one.reasons):
            parts.append("; ".join(self.style.clean(reason) for reason in one.reasons))
        tail = "; ".join(parts)
        if not tail:
            yield head.rstrip()
        elif self.style.width is None or columns + 2 + len(tail) <= self.style.width:
            yield f"{head}  {tail}"
        else:
            yield head.rstrip()
            for line in self.style.wrap(tail, 2):
                yield "  " + line

    def _states(self, states: Sequence[str]) -> str:
        if len(states) > MOST_STATES and not self.verbose:
            return f"one of {len(states)} states"
        return self.style.clean(either(states))

    # ----------------------------------------------------------------------------------------------------- findings

    def _findings(self, one: ConnectionReport) -> Iterator[str]:
        wanted = [item for item in one.diagnostics if self.verbose or not item.ignored]
        violations = [item for item in wanted if item.severity == "violation" and not item.ignored]
        others = [item for item in wanted if item.severity != "violation" or item.ignored]
        others = [item for item in others if item.severity != "capture" or item.code not in self.gathered]
        if self.quiet:
            others = [item for item in others if self._counts(item)]
        most = max(len(violations), len(others)) if self.verbose else MOST_FINDINGS
        yield from self._views(one)
        for item in violations[:most]:
            yield from self.violation(item, self._origin(item, one))
        hidden = violations[most:]
        for item in others[:most]:
            yield from self.remark(item, self._origin(item, one))
        hidden += others[most:]
        if hidden:
            listed = by_code(codes_of(hidden), self.style)
            yield f"  {self.style.clean('…')} and {counted(len(hidden), 'more finding')}: {listed}"

    def _origin(self, item: Diagnostic, one: ConnectionReport) -> InputReport | None:
        return self.report.inputs[item.input] if item.input >= 0 else self._input_of(one)

    def _views(self, one: ConnectionReport) -> Iterator[str]:
        """The other inputs that tell of it."""
        told = []
        for view in one.views:
            item = self.report.inputs[view.input]
            if view.input != one.input:
                told.append(f"{shown_path(item.path)} ({counted(view.packets, _unit(item))}, {view.verdict})")
        if told and not self.quiet:
            yield from ("  " + line for line in self.style.wrap(self.style.clean(f"also told by {', '.join(told)}"), 2))

    def violation(self, item: Diagnostic, origin: InputReport | None) -> Iterator[str]:
        """A violation with all that explains it."""
        style, clean = self.style, self.style.clean
        code = clean(f"[{item.code}]")
        text = list(style.wrap(f"{clean(_place(item, origin))}: {clean(_says(item))} {code}", 4))
        place, colon, rest = text[0].partition(": ")
        text[0] = style.paint("bad", place + colon.rstrip()) + " " + rest
        text[-1] = text[-1].removesuffix(code) + style.paint("code", code)
        yield "  " + text[0]
        yield from ("    " + line for line in text[1:])
        for label, texts in details(item, verbose=self.verbose):
            for number, detail in enumerate(texts):
                for index, line in enumerate(style.wrap(clean(detail), 15)):
                    start = style.paint("faint", f"{label:<8}") if not number and not index else " " * 8
                    yield f"    {start} {'  ' if index else ''}{line}"

    def remark(self, item: Diagnostic, origin: InputReport | None) -> Iterator[str]:
        """Any other finding, in one line."""
        clean = self.style.clean
        word = item.severity
        if item.ignored:
            word = f"ignored ({item.ignored}) {word}"
        cites = evidence(item) or (f" ({clauses(item.cites)})" if item.cites else "")
        text = clean(f"{word}: {_place(item, origin)}: {_says(item)}{cites} [{item.code}]")
        lines = list(self.style.fold(text, 4))
        start, colon, rest = lines[0].partition(":")
        yield f"  {self.style.paint(ROLES.get(item.severity, 'faint'), start + colon)}{rest}"
        yield from ("    " + line for line in lines[1:])

    # ------------------------------------------------------------------------------------------------------ summary

    def tables(self) -> Iterator[str]:
        """Counts of what is not shown one by one."""
        reasons: dict[str, int] = {}
        codes: dict[tuple[str, str], int] = {}
        words: dict[str, str] = {}
        for one, number in grouped(self.report.connections):
            if one.verdict == INCONCLUSIVE:
                for reason in one.reasons:
                    general = reason.replace(one.a, "one end").replace(one.b, "one end")
                    reasons[general] = reasons.get(general, 0) + number
            met = {(item.severity, item.code): item for item in one.diagnostics}
            for key, item in met.items():
                codes[key] = codes.get(key, 0) + number
                words.setdefault(item.code, in_general(item, one))
        if reasons:
            yield self.style.paint("strong", "Why connections are inconclusive")
            yield from table((number, self.style.clean(reason)) for reason, number in reasons.items())
            yield ""
        for severity, title in _TITLES.items():
            found = [(number, f"{code}  {words[code]}") for (kind, code), number in codes.items() if kind == severity]
            if found:
                yield self.style.paint("strong", f"{title}, by connections that have them")
                yield from table((number, self.style.clean(text)) for number, text in found)
                yield ""
        yield "Only violations are shown one by one; --verbose shows every connection."

    def verdicts(self) -> str:
        """How many connections got which verdict."""
        counts = {verdict: self.report.count(verdict) for verdict in (CONFORMS, VIOLATES, INCONCLUSIVE)}
        words = {
            CONFORMS: ("conforms", "conform"),
            VIOLATES: ("violates", "violate"),
            INCONCLUSIVE: (INCONCLUSIVE,) * 2,
        }
        parts = []
        for verdict, number in counts.items():
            part = counted(number, *words[verdict])
            accepted = (
                sum(number for one, number in grouped(self.report.connections) if one.accepted)
                if verdict == VIOLATES
                else 0
            )
            if accepted:
                part += f" ({accepted:,} accepted)"
            parts.append(self.style.paint(_MARKS[verdict][0] if number else "faint", part))
        return f"{counted(len(self.report.connections), 'connection')}: {', '.join(parts)}"

    def amounts(self) -> Iterator[str]:
        """How much was read, how much was left out, and what could not be read."""
        inputs = self.report.inputs
        skipped: dict[str, int] = {}
        for item in inputs:
            for reason, number in item.skipped.items():
                skipped[reason] = skipped.get(reason, 0) + number
        units: dict[str, int] = {}
        for item in inputs:
            if item.packets:
                units[_unit(item)] = units.get(_unit(item), 0) + item.packets
        text = " and ".join(counted(number, unit) for unit, number in units.items()) or "nothing"
        yield from self.style.fold(f"{text} checked" + (f", {self._left_out(skipped)}" if skipped else ""), 0)
        yield from note_lines(self.report, self.style, quiet=False, verbose=self.verbose)
        yield from gathered_lines(self.gathered, self.report, self.style)
        yield from ignored_lines(self.report, self.style)
        failed = sum(1 for item in inputs if item.error)
        if failed:
            where = "the input" if len(inputs) == 1 else f"{failed:,} of {len(inputs):,} inputs"
            yield self.style.paint("bad", f"{where} could not be checked completely")

    def _left_out(self, skipped: dict[str, int]) -> str:
        ordered = sorted(skipped.items(), key=lambda item: -item[1])
        most = len(ordered) if self.verbose else MOST_REASONS
        listed = [f"{number:,} {self.style.clean(reason)}" for reason, number in ordered[:most]]
        rest = sum(number for _, number in ordered[most:])
        if rest:
            listed.append(f"{rest:,} for other reasons")
        return f"{sum(skipped.values()):,} left out ({', '.join(listed)})"


def shown_path(path: str) -> str:
    """``path`` as people are told it."""
    return "standard input" if path == "-" else path


def _unit(item: InputReport | None) -> str:
    return "record" if item is not None and item.source else "packet"


def _pair(one: ConnectionReport) -> str:
    host, _, port = one.b.rpartition(":")
    if port == "0" and not host.strip("[]:.0"):
        return f"{one.a} without a peer"
    return f"{one.a} → {one.b}"


def _place(item: Diagnostic, origin: InputReport | None) -> str:
    text = f"{'line' if item.in_lines else 'packet'} {item.place}"
    if item.input >= 0 and origin is not None:
        text += f" of {shown_path(origin.path)}"
    if item.time is None:
        return text
    return f"{text} at {_clock(item.time, origin.first_time if origin is not None else None)}"


def _clock(time: int, first: int | None) -> str:
    """A time in words: since the first record of its input, else the time of day in UTC, else as the log has it."""
    if first is None and time >= _EPOCH_LIKE:
        seconds, rest = divmod(time, 10**9)
        minutes, second = divmod(seconds % 86400, 60)
        return f"{minutes // 60:02}:{minutes % 60:02}:{second:02}.{rest // 1000:06} UTC"
    return f"{seconds_text(time - (first or 0))} s"


def seconds_text(nanoseconds: int) -> str:
    """Nanoseconds as decimal seconds, exactly: six digits after the point, nine where the last three are not zero."""
    sign = "-" if nanoseconds < 0 else ""
    seconds, rest = divmod(abs(nanoseconds), 10**9)
    return f"{sign}{seconds}.{rest:09}" if rest % 1000 else f"{sign}{seconds}.{rest // 1000:06}"


def _says(item: Diagnostic) -> str:
    """Endpoint and message as a sentence: a message that begins with a verb (``sends``) needs no colon before it."""
    if not item.endpoint or item.message.startswith(item.endpoint):
        return item.message
    first = item.message.split(" ", 1)[0]
    verb = item.severity == "violation" and first.isalpha() and first.islower() and first.endswith("s")
    return f"{item.endpoint}{'' if verb else ':'} {item.message}"
