"""The messages with which connections begin, host by host: whether a number in them grows evenly.

Owns: the counts of one input, in bounded memory.
Must never hold: which messages and which number count, or how many are too many: both stand in the rules ``over run``
of the spec that ask whether something is ``steady``.
"""

from __future__ import annotations

from collections.abc import Mapping

from tcpmodel.checking.ends.over_run import OverRun
from tcpmodel.checking.outcome.findings import SEVERITY_OF, Diagnostic
from tcpmodel.model import spec as m
from tcpmodel.semantics.program import Program
from tcpmodel.semantics.values import MODULUS

MOST = 1 << 11
"""So many hosts are followed; beyond, those that opened nothing for the longest time are forgotten, and begin anew."""


class _Host:
    """The latest number, its distance from the one before, how many in a row have it, and the longest such row."""

    __slots__ = ("latest", "longest", "place", "row", "step")

    def __init__(self, number: int) -> None:
        self.latest = number
        self.step = -1
        self.row = 1
        self.longest = 0
        self.place = 0

    def take(self, number: int, place: int, most: int) -> None:
        step = (number - self.latest) % MODULUS
        self.latest = number
        self.row = self.row + 1 if step == self.step else 2
        self.step = step
        if self.row > most and self.row > self.longest:
            self.longest = self.row
            self.place = self.place or place


class Beginnings:
    """The counts of one spec."""

    def __init__(self, program: Program) -> None:
        self._program = program
        self._over = OverRun(program, program.steady_rules)
        keys = {
            (message.name, field.name): field.source for message in program.spec.messages for field in message.fields
        }
        self._keys = [keys[rule.message, rule.steady] for rule, _ in program.steady_rules]
        self._hosts: list[dict[str, _Host]] = [{} for _ in self._keys]
        self._told: list[dict[str, _Host]] = [{} for _ in self._keys]

    def keys(self, flags: int) -> list[str]:
        """The fields that matter of a message with these flags (as the spec numbers them) if it begins a connection."""
        return [self._keys[rule] for rule in self._over.of(flags)]

    def began(self, source: str, place: int, flags: int, fields: Mapping[str, int]) -> None:
        """A connection began with a packet of this sender and these fields; ``flags`` as the spec numbers them."""
        for rule in self._over.of(flags):
            number = fields.get(self._keys[rule])
            if number is None:
                continue
            hosts, address = self._hosts[rule], source.rpartition(":")[0]
            host = hosts.pop(address, None)
            if host is None:
                if len(hosts) >= MOST:
                    del hosts[next(iter(hosts))]
                hosts[address] = _Host(number)
                continue
            hosts[address] = host
            host.take(number, place, self._most(rule))
            if host.longest and len(self._told[rule]) < MOST:
                self._told[rule][address] = host

    def _most(self, rule: int) -> int:
        return self._program.steady_rules[rule][0].beyond or 0

    def findings(self, in_lines: bool) -> list[Diagnostic]:
        """What breaks a rule: the hosts whose number grows evenly."""
        found = []
        for (rule, _), told in zip(self._program.steady_rules, self._told, strict=True):
            for address, host in sorted(told.items(), key=lambda each: -each[1].longest):
                found.append(_finding(rule, address, host, in_lines))
        return found


def _finding(rule: m.PacketRule, address: str, host: _Host, in_lines: bool) -> Diagnostic:
    cites = tuple(str(cite) for cite in rule.cites)
    words = (
        f"{rule.title}: {host.longest:,} connections from {address} in a row, each with a number as far from the last"
    )
    return Diagnostic(rule.id, SEVERITY_OF[rule.severity], address, host.place, in_lines, words, cites)
