"""What a proof says: checks, their verdicts, and the witnesses of those that fail.

Owns: the shape of the result of ``verify``.
Must never hold: how a check is decided (see the other modules of ``analysis``), or how a result is shown.
"""

from __future__ import annotations

from dataclasses import dataclass

from tcpmodel.model.spec import Rule


@dataclass(frozen=True, slots=True)
class Step:
    """One move: in ``state``, ``event`` takes the endpoint to ``target`` by the rule of that id."""

    state: str
    event: str
    rule: str
    target: str


@dataclass(frozen=True, slots=True)
class Witness:
    """One thing that shows why a check fails: what applies is filled in, the rest is empty.

    ``text`` says it in words. ``rules``: the ids at fault, ``line``: where the first of them stands. ``path``: how the
    machine gets there. ``values``: (name, value) pairs of variables, fields and flags that bring it about.

    ``part``: the file of ``line``, "" for that of the spec. ``details``: (what, words), such as expected and actual.
    """

    text: str
    state: str = ""
    event: str = ""
    rules: tuple[str, ...] = ()
    line: int = 0
    path: tuple[Step, ...] = ()
    values: tuple[tuple[str, str], ...] = ()
    part: str = ""
    details: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Check:
    """``notes`` are pieces of information that are no failure. ``overlaps``: see ``deterministic``."""

    name: str
    holds: bool
    message: str
    witnesses: tuple[Witness, ...] = ()
    notes: tuple[str, ...] = ()
    overlaps: tuple[Witness, ...] = ()


@dataclass(frozen=True, slots=True)
class Section:
    """All checks under one choice of profiles: those in ``on``.

    ``name`` is the profile that was turned on, ``default``, ``all`` for what concerns the rules of all profiles
    together, ``behaviour`` or ``scenarios``: one check for each, under its own profiles.
    """

    name: str
    on: tuple[str, ...]
    checks: tuple[Check, ...]


@dataclass(frozen=True, slots=True)
class Verification:
    """The whole answer about one spec."""

    spec: str
    path: str
    sections: tuple[Section, ...]

    @property
    def holding(self) -> int:
        """How many checks hold."""
        return sum(check.holds for section in self.sections for check in section.checks)

    @property
    def failing(self) -> int:
        """How many checks fail."""
        return sum(not check.holds for section in self.sections for check in section.checks)


def step_of(rule: Rule) -> Step:
    """The move that a rule makes."""
    return Step(rule.state, str(rule.event), rule.id, rule.target)


def count(number: int, one: str, many: str = "") -> str:
    """``1 rule``, ``3 rules``."""
    return f"{number} {one if number == 1 else many or one + 's'}"


def listed(names: list[str], most: int = 6) -> str:
    """Names in a sentence, the first ones only when there are many."""
    if len(names) > most:
        return f"{', '.join(names[:most])} and {len(names) - most} more"
    return " and ".join([", ".join(names[:-1]), names[-1]]) if len(names) > 1 else "".join(names)
