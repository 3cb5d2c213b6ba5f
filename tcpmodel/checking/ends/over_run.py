"""Which rules ``over run`` a message with certain flags is of interest to.

Owns: asking each rule once for each combination of flags.
Must never hold: what is counted for a rule (see ``unanswered`` and ``beginnings``), or what it says.
"""

from __future__ import annotations

from collections.abc import Sequence

from tcpmodel.model import spec as m
from tcpmodel.semantics.expressions import Guard
from tcpmodel.semantics.program import Program
from tcpmodel.semantics.values import TRUE


class OverRun:
    """The rules of one kind, with what each forbids."""

    def __init__(self, program: Program, rules: Sequence[tuple[m.PacketRule, Guard]]) -> None:
        self._program = program
        self._rules = rules
        self._asked: dict[int, list[int]] = {}

    def of(self, flags: int) -> list[int]:
        """The indexes of the rules that a message with these flags (as the spec numbers them) breaks, one by itself."""
        found = self._asked.get(flags)
        if found is None:
            found = self._asked[flags] = self._of(flags)
        return found

    def _of(self, flags: int) -> list[int]:
        program = self._program
        found = []
        for index, (rule, forbid) in enumerate(self._rules):
            environment = program.environment([None] * program.tracked)
            for slot, known in program.message_slots(rule.message, flags, {}):
                environment[slot] = known
            if forbid.test(environment) == TRUE:
                found.append(index)
        return found
