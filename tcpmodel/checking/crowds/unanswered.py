"""Connections that end because nobody answers, counted by address: how floods and scans look.

Owns: the counts of one input, in bounded memory, and which addresses have too many.
Must never hold: which messages count, or how many are too many: both stand in the rules ``over run`` of the spec.
"""

from __future__ import annotations

from tcpmodel.checking.ends.over_run import OverRun
from tcpmodel.checking.outcome.findings import SEVERITY_OF, Diagnostic
from tcpmodel.semantics.program import Program

MOST = 1 << 16
"""So many addresses are counted; beyond, those met least are forgotten, so that a count may be too low."""


class _Count:
    """How often each address was met, and the number of the first packet."""

    def __init__(self) -> None:
        self.of: dict[str, list[int]] = {}
        self._least = 1

    def add(self, address: str, place: int) -> None:
        entry = self.of.get(address)
        if entry is not None:
            entry[0] += 1
            entry[1] = min(entry[1], place)
            return
        while len(self.of) >= MOST:
            self.of = {key: entry for key, entry in self.of.items() if entry[0] > self._least}
            self._least += 1 if len(self.of) >= MOST else 0
        self.of[address] = [1, place]


class Unanswered:
    """The counts of one spec."""

    def __init__(self, program: Program) -> None:
        self._program = program
        self._over = OverRun(program, program.run_rules)
        self._counts = [(_Count(), _Count(), _Count()) for _ in program.run_rules]

    def counts(self, flags: int) -> bool:
        """Does it matter where a connection ends with a message of these flags (as the spec numbers them)?"""
        return bool(self._over.of(flags))

    def ended(self, flags: int, a: str, b: str, place: int) -> None:
        """A connection that ``a`` began ended with a message of these flags (as the spec numbers them)."""
        for rule in self._over.of(flags):
            endpoint, host, source = self._counts[rule]
            endpoint.add(b, place)
            host.add(b.rpartition(":")[0], place)
            source.add(a.rpartition(":")[0], place)

    def findings(self, in_lines: bool) -> list[Diagnostic]:
        """What breaks a rule: for each, the addresses that answer nothing, else those whose messages nobody answers."""
        found = []
        for (rule, _), (endpoints, hosts, sources) in zip(self._program.run_rules, self._counts, strict=True):
            most = rule.beyond or 0
            told: list[tuple[str, str, int, int]] = []
            for address, (number, place) in endpoints.of.items():
                if number > most:
                    told.append((address, f"towards {address}", number, place))
                    host = hosts.of.get(address.rpartition(":")[0])
                    if host is not None:
                        host[0] -= number
            told += _too_many(hosts, most, "towards ports of")
            if not told:
                told = _too_many(sources, most, "from")
            cites = tuple(str(cite) for cite in rule.cites)
            for address, where, number, place in sorted(told, key=lambda each: (-each[2], each[3], each[0])):
                words = f"{rule.title}: {number:,} connections {where}"
                found.append(Diagnostic(rule.id, SEVERITY_OF[rule.severity], address, place, in_lines, words, cites))
        return found


def _too_many(counts: _Count, most: int, words: str) -> list[tuple[str, str, int, int]]:
    return [(host, f"{words} {host}", number, place) for host, (number, place) in counts.of.items() if number > most]
