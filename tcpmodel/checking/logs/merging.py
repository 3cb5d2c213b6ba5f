"""One report of one connection, however many inputs tell of it.

Owns: which reports are of one connection, and what is said of all of them together.
Must never hold: whether views agree (see ``joining`` and ``comparing``).

Only what is certain is put together: each input has one report between these addresses, the times do not speak against
it, and captures show the same numbers.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from tcpmodel.checking.logs.comparing import clocks_apart, compare
from tcpmodel.checking.logs.kept import Views, apart, whole
from tcpmodel.checking.logs.watched import Watched, Watchers
from tcpmodel.checking.outcome.findings import (
    CONFORMS,
    INCONCLUSIVE,
    VIOLATES,
    ConnectionReport,
    Diagnostic,
    Report,
    View,
)
from tcpmodel.checking.outcome.reports import drop
from tcpmodel.model.spec import Spec

OTHERWISE = "the views show a packet differently"


def merge(views: Views, report: Report, specs: Mapping[str, Spec]) -> None:
    """Put the reports of each connection together. ``specs`` by their protocols."""
    _Merging(views, report, specs).run()


class _Merging:
    def __init__(self, views: Views, report: Report, specs: Mapping[str, Spec]) -> None:
        self.views = views
        self.report = report
        self.specs = specs
        self.watchers: dict[str, Watchers] = {}

    def run(self) -> None:
        groups: dict[tuple[str, str], list[int]] = {}
        for index, one in enumerate(self.report.connections):
            if one.input >= 0 and whole(one.a) and whole(one.b):
                groups.setdefault((min(one.a, one.b), max(one.a, one.b)), []).append(index)
        gone: list[int] = []
        for indexes in self._translated(groups):
            if len(indexes) > 1 and self._apart(indexes):
                gone += self._of_one(indexes)
        drop(self.report.connections, gone)

    def _translated(self, groups: dict[tuple[str, str], list[int]]) -> list[list[int]]:
        """The groups, those put together that a translation makes one, unless an input shows both sides of it."""
        for a, b in list(groups) if self.views.translated else ():
            before = self.views.before_translation(a, b)
            known = groups.get((min(before), max(before)))
            if before not in ((a, b), (b, a)) and known is not None and self._apart(known + groups[a, b]):
                known += groups.pop((a, b))
        return list(groups.values())

    def _apart(self, indexes: list[int]) -> bool:
        """Is each of these reports of another input?"""
        return len({self.report.connections[index].input for index in indexes}) == len(indexes)

    def _of_one(self, indexes: list[int]) -> list[int]:
        """The indexes of reports that are now part of others.

        What observers on the way tell, by a protocol of their own, is of the one protocol that was captured there.
        """
        by_protocol: dict[str, list[int]] = {}
        for index in indexes:
            by_protocol.setdefault(self.report.connections[index].protocol, []).append(index)
        seen = {
            name
            for name, each in by_protocol.items()
            if any(self.views.packets_of(self.report.connections[at]) for at in each)
        }
        if len(seen) == 1:
            return self._merged(indexes, seen.pop())
        return [at for name, each in by_protocol.items() for at in self._merged(each, name)]

    def _merged(self, indexes: list[int], protocol: str) -> list[int]:
        """Put those of these reports together that are of one connection; the indexes of all but one of them."""
        ordered = sorted(indexes, key=lambda index: _rank(self.report.connections[index], protocol))
        main, rest = self.report.connections[ordered[0]], []
        notes: list[Diagnostic] = []
        reasons: list[str] = []
        for index in ordered[1:]:
            one = self.report.connections[index]
            if _times_apart(self.views, main, one):
                note = self._other_clock(main, one)
                if note is None:
                    continue
                notes.append(note)
            if not main.logged and not one.logged and main.protocol == one.protocol:
                mine, theirs = self.views.renamed(main), self.views.renamed(one)
                ends = self.views.before_translation(main.a, main.b)
                found = compare(mine, theirs, ends, one, self.report)
                if found is None:
                    continue
                notes += found
            elif not main.logged and main.protocol != one.protocol and main.verdict != VIOLATES != one.verdict:
                watched = self._watched(main, one)
                notes += watched.findings
                path = self.report.inputs[one.input].path
                if watched.missing and main.verdict == CONFORMS:
                    reasons.append(f"{path} tells of something that the packets do not show")
                elif watched.differs:
                    reasons.append(f"{path} tells otherwise")
            rest.append(index)
        if not rest:
            return []
        others = [self.report.connections[index] for index in rest]
        self.report.connections[ordered[0]] = _together(self.views, main, others, notes, reasons)
        return rest

    def _other_clock(self, main: ConnectionReport, one: ConnectionReport) -> Diagnostic | None:
        """Two captures that show the same packets at other times: a clock was wrong, or in another zone."""
        if main.logged or one.logged or main.protocol != one.protocol:
            return None
        mine, theirs = self.views.renamed(main), self.views.renamed(one)
        ahead = clocks_apart(mine, theirs, self.views.before_translation(main.a, main.b))
        if ahead is None:
            return None
        way = "ahead of" if ahead > 0 else "behind"
        path = self.report.inputs[one.input].path
        words = f"the clock of {path} is {abs(ahead) / 1e9:,.3f} s {way} that of this capture"
        return Diagnostic("CAP-016", "capture", "", mine[0].number, False, words, (), mine[0].time)

    def _watched(self, main: ConnectionReport, one: ConnectionReport) -> Watched:
        if one.protocol not in self.specs:
            return Watched()
        if one.protocol not in self.watchers:
            self.watchers[one.protocol] = Watchers(self.specs[one.protocol])
        return self.watchers[one.protocol].compare(self.views.renamed(main), self.views.lines_of(one), main, one)


def _rank(one: ConnectionReport, protocol: str) -> tuple[bool, bool, bool, int]:
    """Captures first, then logs; of each those with a better verdict; other protocols last."""
    return (one.protocol != protocol, one.logged, one.verdict not in (CONFORMS, VIOLATES), one.input)


def _together(
    views: Views, main: ConnectionReport, others: list[ConnectionReport], notes: list[Diagnostic], doubts: list[str]
) -> ConnectionReport:
    every = [main, *others]
    found = list(main.diagnostics)
    for one in others:
        found += [replace(item, input=one.input) for item in one.diagnostics]
    found += notes
    verdict, reasons = main.verdict, main.reasons
    if any(one.verdict == VIOLATES for one in every):
        verdict = VIOLATES
    else:
        if any(note.code == "VIEW-002" and note.input < 0 for note in notes):
            doubts = [OTHERWISE, *doubts]
        if doubts:
            verdict, reasons = INCONCLUSIVE, (*reasons, *doubts)
    told = tuple(View(one.input, one.id, one.packets, one.verdict) for one in sorted(every, key=lambda one: one.input))
    states: list[tuple[str, ...]] = []
    for side, mine in enumerate((main.a_states, main.b_states)):
        # The fewest states are the most that is known; observers have states of their own.
        known = [mine] + [_states(views, one, main, side) for one in others if one.protocol == main.protocol]
        states.append(mine or min(filter(None, known), key=len, default=()))
    return replace(
        main,
        verdict=verdict,
        reasons=reasons,
        diagnostics=tuple(found),
        views=told,
        a_states=states[0],
        b_states=states[1],
    )


def _states(views: Views, one: ConnectionReport, main: ConnectionReport, side: int) -> tuple[str, ...]:
    """Those that ``one`` tells of that side of ``main``."""
    address = views.before_translation(main.a, main.b)[side]
    return one.a_states if views.before_translation(one.a, one.b)[0] == address else one.b_states


def _times_apart(views: Views, main: ConnectionReport, one: ConnectionReport) -> bool:
    return apart(views.times(main), views.times(one))
