"""Observers and stand-ins with which the memory tries what is judged of a packet.

Owns: what such a trial notes of broken rules, and what it may not depend on.
Must never hold: what a rule says, or what is remembered of a trial.
"""

from __future__ import annotations

from typing import Any

from tcpmodel.checking.ends.observer import Observer, WatchProgram
from tcpmodel.checking.outcome.findings import Diagnostic
from tcpmodel.model.spec import PacketRule
from tcpmodel.semantics.expressions import Environment
from tcpmodel.semantics.recording import Unrecordable
from tcpmodel.semantics.watching import Watch


class Counting(Observer):
    """It only counts what is told."""

    def finding(self, rule: PacketRule, watch: Watch, environment: Environment) -> Diagnostic:
        """Nothing but the code."""
        return Diagnostic(rule.id, "", "", 0, False, "")


class Noting(Observer):
    """It only notes which rules are broken, by their places in the program."""

    def __init__(self, program: WatchProgram) -> None:
        super().__init__(program)
        self.broken: list[int] = []

    def finding(self, rule: PacketRule, watch: Watch, environment: Environment) -> Diagnostic:
        """Nothing but the code."""
        self.broken += [place for place, each in enumerate(watch.rules) if each.source is rule]
        return Diagnostic(rule.id, "", "", 0, False, "")


class _Unused:
    """Stands for what no remembered way may depend on: the number of a packet and its time."""

    def _refuse(self, *_: object) -> Any:
        raise Unrecordable

    __add__ = __radd__ = __sub__ = __rsub__ = __mul__ = __rmul__ = __floordiv__ = __mod__ = _refuse
    __lt__ = __le__ = __gt__ = __ge__ = __eq__ = __ne__ = __hash__ = __bool__ = __int__ = __index__ = _refuse


UNUSED: Any = _Unused()
