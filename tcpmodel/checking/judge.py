"""What judges the packets of one protocol.

Owns: a spec compiled to judge what was observed, what was learned with it, and who is told of what it finds.
Must never hold: which packet belongs to which connection (see ``table``), or how a connection is judged.
"""

from __future__ import annotations

from collections.abc import Callable

from tcpmodel.checking.connection import Connection
from tcpmodel.checking.crowds.alone import Alone
from tcpmodel.checking.ends.configurations import Abilities
from tcpmodel.checking.ends.observer import WatchProgram
from tcpmodel.checking.ends.sightings import Interpreter
from tcpmodel.checking.faults.vantage import Standpoint
from tcpmodel.checking.memory.memo import Memo
from tcpmodel.checking.outcome.findings import ConnectionReport, Diagnostic
from tcpmodel.checking.outcome.patterns import Pattern
from tcpmodel.checking.outcome.standing import Standing
from tcpmodel.model.profiles import choose_profiles
from tcpmodel.model.spec import Spec
from tcpmodel.semantics.program import Program
from tcpmodel.traces.records import FIELD_KEYS, Packet

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

Found = Callable[[str, str, str, Diagnostic], None]
"""Called with the id of a connection, its two addresses and a finding."""


class Judge:
    """One spec, compiled to judge what was observed.

    Real endpoints may run any of the spec's profiles, so each profile is left open unless ``profiles`` names some: then
    exactly those are on.
    """

    def __init__(self, spec: Spec, profiles: Sequence[str] = ()) -> None:
        choice: Mapping[str, bool | None] = {}
        if profiles:
            choice = choose_profiles(spec, profiles)
        self.spec = spec
        self.abilities = Abilities(Program(spec, choice, seen_fields=FIELD_KEYS))
        self.interpreter = Interpreter(self.abilities.program)
        self.rules = WatchProgram(self.abilities.program)
        self.memo = Memo(self.abilities, self.interpreter, self.rules)
        self.patterns: dict[tuple[Standing, bool], Pattern] = {}
        """What is reported of connections without findings whose ends stand there, of few or several packets."""
        self.alone = Alone(self.memo, self._judged_alone)
        self.observe = self.memo.observe
        """Has a connection take a packet of one of its sides."""
        self.watched = self.telling = False

    def _judged_alone(self, packet: Packet, stand: Standpoint | None) -> ConnectionReport:
        connection = Connection(
            0, self.abilities, self.interpreter, self.rules, packet.source, packet.destination, False, None
        )
        connection.standpoint = stand
        self.memo.observe(connection, packet, 0)
        return self.memo.report(connection)

    def watch(self, watch: Callable[[Connection, Packet, int], None]) -> None:
        """Call this after each packet with its connection and side; both ends are then followed step by step."""

        def observe(connection: Connection, packet: Packet, side: int) -> None:
            connection.observe(packet, side)
            watch(connection, packet, side)

        self.observe = observe
        self.watched = True
        if getattr(watch, "counts_rules", False):
            self.abilities.count_rules()

    def tell(self, found: Found) -> None:
        """Call this for each finding as soon as it is made."""
        self.telling = True
        taking = self.observe

        def observe(connection: Connection, packet: Packet, side: int) -> None:
            taking(connection, packet, side)
            if len(connection.diagnostics) > connection.told:
                a, b = connection.ends
                for item in connection.diagnostics[connection.told :]:
                    found(connection.id, a.address, b.address, item)
            connection.told = len(connection.diagnostics)

        self.observe = observe
