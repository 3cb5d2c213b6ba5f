"""Several views of one connection: what packets and logs tell must be one behaviour.

Owns: which packets and logged endpoints are one connection, and the report of it.
Must never hold: how one view is judged, how packets and logs are followed together (``following``), or what a line
means (``telling``).

Only what is certain is matched: the same two addresses and ports, once in the capture and once in the log. Between
inputs clocks are not compared: the packets stand in their own order, the lines in theirs, and any common course will
do. Within one input the order counts.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from tcpmodel.checking.ends.configurations import Abilities
from tcpmodel.checking.logs.called import Calls, spec_of_calls
from tcpmodel.checking.logs.following import Follower, Found, Job
from tcpmodel.checking.logs.kept import Pair, Views, apart
from tcpmodel.checking.logs.logged import Log, with_position
from tcpmodel.checking.logs.merging import merge
from tcpmodel.checking.logs.successors import as_before, tell_apart
from tcpmodel.checking.logs.telling import Line, Teller
from tcpmodel.checking.outcome.findings import CONFORMS, INCONCLUSIVE, VIOLATES, ConnectionReport, InputReport, Report
from tcpmodel.checking.outcome.reports import drop
from tcpmodel.model.profiles import choose_profiles
from tcpmodel.model.spec import Spec
from tcpmodel.semantics.program import Program
from tcpmodel.traces.records import FIELD_KEYS, Event, Packet

MOST_REPORTS = 200_000
"""With more connections than this, each input keeps its own reports."""

UNHEARD = "something was received that is not shown"


def join(views: Views, report: Report, specs: Iterable[Spec], profiles: Sequence[str]) -> None:
    """Add to the reports what the views do not agree on, and make one report of each connection."""
    by_protocol = {spec.over or spec.name: spec for spec in specs}
    several = len(report.inputs) > 1 and len(report.connections) <= MOST_REPORTS
    if several:
        tell_apart(views, report)
    if views.lines:
        _Join(views, report, by_protocol, profiles).run()
    if several:
        merge(views, report, by_protocol)
        as_before(report)


class _Join:
    def __init__(self, views: Views, report: Report, specs: dict[str, Spec], profiles: Sequence[str]) -> None:
        self.views = views
        self.report = report
        self.specs = specs
        self.profiles = profiles
        self.ends = views.ends()
        self.joiners: dict[str, _Joiner] = {}
        self.captured: dict[Pair, list[int]] = {}
        self.logged: dict[Pair, list[int]] = {}
        for index, one in enumerate(report.connections):
            a, b = _sorted(one.a, one.b)
            (self.logged if one.logged else self.captured).setdefault((one.input, one.protocol, a, b), []).append(index)
        self.elsewhere: dict[tuple[str, str, str], dict[int, dict[tuple[str, str], Pair | None]]] = {}
        """By protocol and addresses as they are before any translation, in which inputs which ends have lines."""
        for key in self.ends:
            way = views.before_translation(*key[2:])
            ways = self.elsewhere.setdefault((key[1], *_sorted(*way)), {}).setdefault(key[0], {})
            ways[way] = None if way in ways else key
        self.gone: list[int] = []
        self.calls: dict[tuple[str, str], Calls | None] = {}

    def run(self) -> None:
        pairs = dict.fromkeys((at, protocol, *_sorted(end, peer)) for at, protocol, end, peer in self.ends)
        for pair in pairs:
            if pair[1] in self.specs:
                self._within(pair)
        for pair, packets in self.views.packets.items():
            if pair[1] in self.specs and len(self.captured.get(pair, ())) == 1 and packets[0].flags is not None:
                self._across(pair, packets)
        drop(self.report.connections, self.gone)

    def _joiner(self, protocol: str) -> _Joiner:
        if protocol not in self.joiners:
            self.joiners[protocol] = _Joiner(self.specs[protocol], self.profiles)
        return self.joiners[protocol]

    # ---------------------------------------------------------------------------------------------- within one input

    def _within(self, pair: Pair) -> None:
        """What one input tells of two ends: packets, states and events. Both ends may have written it."""
        origin, protocol, *addresses = pair
        packets = self.views.packets.get(pair, [])
        captured, logged = self.captured.get(pair, []), self.logged.get(pair, [])
        logs = {end: self.ends.get((origin, protocol, end, peer)) for end, peer in (addresses, addresses[::-1])}
        events = sum(isinstance(line, Event) for lines in logs.values() for line in lines or ())
        if len(captured) > 1 or len(logged) > 1 or (bool(packets) != bool(captured)) or not (events or packets):
            return
        parts = [self.report.connections[index] for index in (*captured, *logged)]
        joined = [*packets, *(line for lines in logs.values() for line in lines or ())]
        first = min(joined, key=lambda record: record.number)
        if isinstance(first, Packet):
            a, b = first.source, first.destination
        else:
            a, b = addresses if first in (logs[addresses[0]] or ()) else addresses[::-1]
        if parts:
            a, b = parts[0].a, parts[0].b
        found: list[Found] = []
        states: dict[str, tuple[str, ...]] = {}
        wrong = [item.place for one in parts for item in one.diagnostics if item.severity == "violation"]
        for end, lines in logs.items():
            if lines and (packets or any(isinstance(line, Event) for line in lines)):
                seen = [packet for packet in packets if packet.at in ("", end)]
                result = self._joiner(protocol).host((a, b), seen, end, lines, self.report.inputs[origin].source)
                if result is not None:
                    # What follows from a violation is none of its own.
                    result.findings = [item for item in result.findings if not wrong or item.place < min(wrong)]
                    found.append(result)
                    states[end] = result.states
            found += self._answers(protocol, lines or (), self.report.inputs[origin].source)
        number = len(self.report.connections) + 1
        whole = parts[0] if parts else self._of_events(protocol, number, origin, a, b)
        merged = _merged(whole, parts[1:], found, events, states)
        if parts:
            index = (*captured, *logged)[0]
            self.report.connections[index] = merged
            self.gone.extend((*captured, *logged)[1:])
        else:
            self.report.connections.append(merged)

    def _answers(self, protocol: str, lines: Sequence[Line], source: str) -> list[Found]:
        """Whether the calls on one socket can follow each other, whatever the packets say."""
        told = next((line for line in lines if isinstance(line, Event)), None)
        source = (told.source if told is not None else "") or source
        if told is None or not source:
            return []
        key = (protocol, source)
        if key not in self.calls:
            spec = spec_of_calls(self.specs.values(), protocol, source)
            self.calls[key] = Calls(spec, source) if spec is not None else None
        calls = self.calls[key]
        wrong = calls.wrong(lines) if calls is not None else None
        return [Found([wrong])] if wrong is not None else []

    def _of_events(self, protocol: str, number: int, origin: int, a: str, b: str) -> ConnectionReport:
        reasons = ("neither packets nor states are shown",)
        name = f"{self.specs[protocol].name}-{number}"
        return ConnectionReport(name, protocol, a, b, INCONCLUSIVE, reasons, (), (), 0, (), origin, True)

    # ------------------------------------------------------------------------------------------------ between inputs

    def _across(self, pair: Pair, packets: list[Packet]) -> None:
        """The packets of one input, and the logs of others."""
        own, protocol = pair[:2]
        index = self.captured[pair][0]
        one = self.report.connections[index]
        ends = self.views.before_translation(one.a, one.b)
        for origin, ways in sorted(self.elsewhere.get((protocol, *_sorted(*ends)), {}).items()):
            if origin == own:
                continue
            keys = [ways.get(way) for way in (ends, ends[::-1])]
            first, second = (self.ends[key] if key is not None else None for key in keys)
            pairs = dict.fromkeys((*key[:2], *_sorted(*key[2:])) for key in keys if key is not None)
            logged = [self.report.connections[at] for pair in pairs for at in self.logged.get(pair, ())]
            told = [line.time for line in (*(first or ()), *(second or ())) if line.time is not None]
            if apart([packet.time for packet in packets if packet.time is not None], told):
                continue
            if one.verdict == VIOLATES or any(other.verdict == VIOLATES or other.diagnostics for other in logged):
                continue
            item = self.report.inputs[origin]
            found = self._joiner(protocol).beside(one, packets, (first, second), item.source)
            if found is not None:
                one = self.report.connections[index] = _beside(one, found, item)


def _merged(
    whole: ConnectionReport,
    others: Sequence[ConnectionReport],
    found: Sequence[Found],
    events: int,
    states: dict[str, tuple[str, ...]],
) -> ConnectionReport:
    """One report of what one input tells; the first of the parts says whether it is complete."""
    diagnostics = [item for one in (whole, *others) for item in one.diagnostics]
    diagnostics += [item for each in found for item in each.findings]
    diagnostics.sort(key=lambda item: item.place)
    reasons = list(whole.reasons)
    if any(each.lost for each in found):
        reasons.append(UNHEARD)
    verdict = INCONCLUSIVE if reasons else CONFORMS
    if any(item.severity == "violation" for item in diagnostics):
        verdict = VIOLATES
    return replace(
        whole,
        verdict=verdict,
        reasons=tuple(reasons),
        packets=whole.packets + events + sum(one.packets for one in others),
        diagnostics=tuple(diagnostics),
        a_states=states.get(whole.a) or whole.a_states,
        b_states=states.get(whole.b) or whole.b_states,
    )


def _beside(one: ConnectionReport, found: Found, log: InputReport) -> ConnectionReport:
    """The report of a capture, after a log was held against it."""
    for finding in found.findings:
        if finding.severity == "violation":
            finding.message = f"{log.path} tells another story of {finding.endpoint} than its packets"
            every = sorted((*one.diagnostics, finding), key=lambda item: item.place)
            return replace(one, verdict=VIOLATES, diagnostics=tuple(every))
    if one.verdict != CONFORMS or not found.lost:
        # A capture that is known to be incomplete cannot lead to all that a log tells.
        return one
    every = [*one.diagnostics, *(item for item in found.findings if item.severity == "capture")]
    reason = f"{log.path} tells of something that the packets do not show"
    return replace(one, verdict=INCONCLUSIVE, reasons=(*one.reasons, reason), diagnostics=tuple(every))


def _sorted(end: str, peer: str) -> tuple[str, str]:
    return (end, peer) if end <= peer else (peer, end)


class _Joiner:
    """Judges packets together with logs, for one spec."""

    def __init__(self, spec: Spec, profiles: Sequence[str]) -> None:
        self.spec = spec
        choice = choose_profiles(spec, profiles) if profiles else {}
        self.abilities = Abilities(Program(with_position(spec), choice, seen_fields=FIELD_KEYS))
        self.follower = Follower(self.abilities)
        self._tellers: dict[str, Teller] = {}

    def log(self, lines: Sequence[Line] | None, source: str) -> Log | None:
        """The log of one end; None if it has none that can be used. ``source`` is that of its input."""
        if not lines:
            return None
        names = {line.source or source for line in lines}
        name = names.pop()
        if names:
            return None
        if name not in self._tellers:
            declared = next((item for item in self.spec.sources if item.name == name), None)
            if declared is None:
                return None
            self._tellers[name] = Teller(self.abilities, declared)
        return self._tellers[name].log(lines)

    def host(
        self, addresses: tuple[str, str], packets: list[Packet], end: str, lines: Sequence[Line], source: str
    ) -> Found | None:
        """What one host wrote of one end, in its order; None if its log cannot be used."""
        log = self.log(lines, source)
        if log is None:
            return None
        side = addresses.index(end)
        logs = (log, None) if side == 0 else (None, log)
        hears = any(packet.source != end for packet in packets)
        return self.follower.follow(Job(addresses, packets, logs, side, hears))

    def beside(
        self,
        one: ConnectionReport,
        packets: list[Packet],
        lines: tuple[Sequence[Line] | None, Sequence[Line] | None],
        source: str,
    ) -> Found | None:
        """What packets and the lines of both ends, written elsewhere, tell together; None if no log can be used."""
        first, second = (self.log(each, source) for each in lines)
        if first is None and second is None:
            return None
        return self.follower.follow(Job((one.a, one.b), packets, (first, second)))
