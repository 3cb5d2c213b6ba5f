"""Which rules of the specs the connections made use of.

Owns: collecting, over all connections, the rules that the likeliest explanations took.
Must never hold: how a message is explained (see ``endpoint``), or how the result is shown.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from tcpmodel.checking.connection import Connection
from tcpmodel.model.spec import Rule, Spec
from tcpmodel.traces.records import Packet


@dataclass(slots=True)
class Use:
    """A rule, and how many endpoints fired it: for ``certain`` in each of the likeliest explanations, or ``perhaps``,
    in some of them."""

    rule: Rule
    certain: int = 0
    perhaps: int = 0


@dataclass(slots=True)
class Coverage:
    """The rules of one spec in its order. ``ends``: how many endpoints were followed."""

    spec: Spec
    uses: list[Use]
    ends: int = 0

    @property
    def certain(self) -> int:
        """How many rules fired for certain."""
        return sum(1 for use in self.uses if use.certain)

    @property
    def perhaps(self) -> int:
        """How many rules fired only perhaps."""
        return sum(1 for use in self.uses if use.perhaps and not use.certain)


@dataclass(slots=True)
class Exercised:
    """Watches connections; ``coverages`` tells what they used."""

    counts_rules = True
    _latest: dict[str, tuple[Spec, list[tuple[int, int]]]] = field(default_factory=dict)

    def __call__(self, connection: Connection, packet: Packet, side: int) -> None:
        """Note what explains a connection now that it has taken a packet; later packets may tell more."""
        found: list[tuple[int, int]] = []
        for end in connection.ends:
            configurations = end.closed().values()
            least = min((each.cost for each in configurations), default=0)
            likely = [each for each in configurations if each.cost == least]
            must, may = (likely[0].must, 0) if likely else (0, 0)
            for each in likely:
                must &= each.must
                may |= each.may
            found.append((must, may))
        self._latest[connection.id] = (connection.abilities.program.spec, found)

    def coverages(self) -> list[Coverage]:
        """One for each spec that judged anything."""
        found: dict[str, Coverage] = {}
        for spec, ends in self._latest.values():
            coverage = found.get(spec.name)
            if coverage is None:
                uses = [Use(rule) for state in spec.states for rule in state.rules]
                coverage = found[spec.name] = Coverage(spec, uses)
            for must, may in ends:
                coverage.ends += 1
                for number in _bits(may):
                    use = coverage.uses[number]
                    if must >> number & 1:
                        use.certain += 1
                    else:
                        use.perhaps += 1
        return list(found.values())


def _bits(number: int) -> list[int]:
    return [index for index in range(number.bit_length()) if number >> index & 1]
