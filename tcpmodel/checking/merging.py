"""One report of one connection, however many inputs tell of it.

Owns: which reports are of one connection, and what is said of all of them together.
Must never hold: whether views agree (see ``joining`` and ``comparing``).

Only what is certain is put together: each input has one report between these addresses, the times do not speak against
it, and captures show the same numbers.
"""

from __future__ import annotations

from dataclasses import replace

from tcpmodel.checking.comparing import compare
from tcpmodel.checking.findings import CONFORMS, INCONCLUSIVE, VIOLATES, ConnectionReport, Diagnostic, Report, View
from tcpmodel.checking.kept import Views, apart, whole
from tcpmodel.checking.reports import drop


def merge(views: Views, report: Report) -> None:
    """Put the reports of each connection together."""
    groups: dict[tuple[str, str], list[int]] = {}
    for index, one in enumerate(report.connections):
        if one.input >= 0 and whole(one.a) and whole(one.b):
            groups.setdefault((min(one.a, one.b), max(one.a, one.b)), []).append(index)
    gone: list[int] = []
    for indexes in groups.values():
        if len(indexes) > 1 and len({report.connections[index].input for index in indexes}) == len(indexes):
            gone += _of_one(views, report, indexes)
    drop(report.connections, gone)


def _of_one(views: Views, report: Report, indexes: list[int]) -> list[int]:
    """The indexes of reports that are now part of others.

    What observers on the way tell, by a protocol of their own, is of the one protocol that was captured there.
    """
    by_protocol: dict[str, list[int]] = {}
    for index in indexes:
        by_protocol.setdefault(report.connections[index].protocol, []).append(index)
    captured = {name for name, each in by_protocol.items() if any(not report.connections[at].logged for at in each)}
    if len(captured) == 1:
        return _merged(views, report, indexes, captured.pop())
    return [at for name, each in by_protocol.items() for at in _merged(views, report, each, name)]


def _merged(views: Views, report: Report, indexes: list[int], protocol: str) -> list[int]:
    """Put those of these reports together that are of one connection; the indexes of all but one of them."""
    ordered = sorted(indexes, key=lambda index: _rank(report.connections[index], protocol))
    main, rest = report.connections[ordered[0]], []
    notes: list[Diagnostic] = []
    for index in ordered[1:]:
        one = report.connections[index]
        if _times_apart(views, main, one):
            continue
        if not main.logged and not one.logged and main.protocol == one.protocol:
            found = compare(views.packets_of(main), views.packets_of(one), main, one, report)
            if found is None:
                continue
            notes += found
        rest.append(index)
    if not rest:
        return []
    report.connections[ordered[0]] = _together(main, [report.connections[index] for index in rest], notes)
    return rest


def _rank(one: ConnectionReport, protocol: str) -> tuple[bool, bool, bool, int]:
    """Captures first, then logs; of each those with a better verdict; other protocols last."""
    return (one.protocol != protocol, one.logged, one.verdict not in (CONFORMS, VIOLATES), one.input)


def _together(main: ConnectionReport, others: list[ConnectionReport], notes: list[Diagnostic]) -> ConnectionReport:
    every = [main, *others]
    found = list(main.diagnostics)
    for one in others:
        found += [replace(item, input=one.input) for item in one.diagnostics]
    found += notes
    verdict, reasons = main.verdict, main.reasons
    if any(one.verdict == VIOLATES for one in every):
        verdict = VIOLATES
    elif any(note.code == "VIEW-002" for note in notes):
        verdict, reasons = INCONCLUSIVE, (*reasons, "the views show a packet differently")
    told = tuple(View(one.input, one.id, one.packets, one.verdict) for one in sorted(every, key=lambda one: one.input))
    states: list[tuple[str, ...]] = []
    for address, mine in ((main.a, main.a_states), (main.b, main.b_states)):
        # The fewest states are the most that is known; observers have states of their own.
        known = [mine] + [one.a_states if one.a == address else one.b_states for one in others if _same(one, main)]
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


def _same(one: ConnectionReport, main: ConnectionReport) -> bool:
    return one.protocol == main.protocol


def _times_apart(views: Views, main: ConnectionReport, one: ConnectionReport) -> bool:
    return apart(views.times(main), views.times(one))
