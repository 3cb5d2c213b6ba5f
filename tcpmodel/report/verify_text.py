"""The proofs about a spec as text for people.

Owns: what is shown of them, in which order and words.
Must never hold: how anything is proved (see ``analysis``). Escaping and colours are in ``style``.
"""

from __future__ import annotations

from collections.abc import Iterator

from tcpmodel.analysis.behaviour import SECTION as BEHAVIOUR
from tcpmodel.analysis.results import Check, Section, Step, Verification, Witness
from tcpmodel.analysis.scenarios import REFUSED, SECTION
from tcpmodel.language.span import Span, path_of
from tcpmodel.report.style import Style, counted

MOST_WITNESSES = 8
"""So many witnesses of one check are shown, unless all are asked for."""

MOST_NOTES = 4
"""So many notes on one check are shown, unless all are asked for."""


def lines(result: Verification, style: Style, *, verbose: bool = False) -> Iterator[str]:
    """The lines of the report, without line ends.

    Of a section after the first only what differs from the first is shown. ``verbose``: every section in full, every
    witness and note, and the overlaps that the order of the rules settles.
    """
    yield from _Writer(result, style, verbose).lines()


class _Writer:
    def __init__(self, result: Verification, style: Style, verbose: bool) -> None:
        self._result = result
        self._style = style
        self._verbose = verbose
        self._scenarios = next((each for each in result.sections if each.name == SECTION), None)
        self._sections = [each for each in result.sections if each.name != SECTION]
        names = [check.name for section in self._sections for check in section.checks]
        self._width = max(len(style.clean(name)) for name in names) if names else 0

    def lines(self) -> Iterator[str]:
        first, *others = self._sections
        yield from self._table(first, first.checks)
        same: list[str] = []
        later: list[tuple[Section, tuple[Check, ...]]] = []
        for section in others:
            checks = section.checks if self._verbose else differing(section, first)
            if checks:
                later.append((section, checks))
            else:
                same.append(section.name)
        if same:
            yield ""
            text = f"The same holds with {_words(same)} turned on."
            yield from (self._style.clean(line) for line in self._style.wrap(text, 0))
        for section, checks in later:
            yield ""
            yield from self._table(section, checks)
        run: list[tuple[Section, tuple[Check, ...]]] = []
        if self._scenarios is not None:
            run = [(self._scenarios, self._scenarios.checks)]
            yield ""
            yield from self._ran(self._scenarios.checks)
        for section, checks in [(first, first.checks), *later, *run]:
            for check in checks:
                if not check.holds:
                    yield ""
                    yield from self._failure(section, check)
        yield ""
        yield self._summary()

    def _table(self, section: Section, checks: tuple[Check, ...]) -> Iterator[str]:
        yield self._style.paint("strong", self._style.clean(self._title(section)))
        for check in checks:
            role, sign, word = ("good", "✓", "holds") if check.holds else ("bad", "✗", "fails")
            name = f"{self._style.clean(check.name):{self._width}}"
            indent = 2 + 2 + self._width + 2 + 5 + 2
            message = list(self._style.wrap(self._style.clean(check.message), indent))
            mark = self._style.paint(role, f"{self._style.clean(sign)} {name}  {word}")
            yield f"  {mark}  {message[0]}"
            yield from (" " * indent + line for line in message[1:])
            yield from self._notes(check)

    def _ran(self, checks: tuple[Check, ...]) -> Iterator[str]:
        """The scenarios: one line for all of them; each by itself if everything is to be shown."""
        yield self._style.paint("strong", self._style.clean(f"{self._result.spec}, scenarios"))
        if self._verbose:
            for check in checks:
                role, sign = ("good", "✓") if check.holds else ("bad", "✗")
                for number, line in enumerate(self._item(f"{check.name}: {check.message}", 4)):
                    mark = self._style.paint(role, self._style.clean(sign))
                    yield line if number else f"  {mark}{line[3:]}"
            return
        bad = sum(not check.holds for check in checks)
        refused = sum(check.holds and check.message.startswith(REFUSED) for check in checks)
        text = f"{counted(len(checks) - bad - refused, 'runs', 'run')}, {refused:,} are refused as they must be"
        text += f", {bad:,} {'fails' if bad == 1 else 'fail'}" if bad else ""
        role, sign = ("bad", "✗") if bad else ("good", "✓")
        yield self._style.paint(role, f"  {self._style.clean(sign)} ") + self._style.clean(text)

    def _title(self, section: Section) -> str:
        on = f"on: {', '.join(section.on)}" if section.on else "none on"
        if section.name == "all":
            return f"{self._result.spec}, the rules of all profiles together"
        if section.name == BEHAVIOUR:
            return f"{self._result.spec}, behaviour ({on})"
        if section.name == "default":
            return f"{self._result.spec}, default profiles ({on})" if section.on else self._result.spec
        if section is self._result.sections[0]:
            return f"{self._result.spec}, profiles {on}"
        return f"{self._result.spec}, profile {section.name} ({on})"

    def _notes(self, check: Check) -> Iterator[str]:
        shown = check.notes if self._verbose else check.notes[:MOST_NOTES]
        for note in shown:
            yield from self._item(note, 6, "faint")
        if len(check.notes) > len(shown):
            yield self._style.paint("faint", f"      and {len(check.notes) - len(shown)} more; --verbose shows all")
        if self._verbose:
            for overlap in check.overlaps:
                yield from self._item(f"{overlap.text} ({_place(overlap)})", 6, "faint")
                yield from self._values(overlap, 8)

    def _failure(self, section: Section, check: Check) -> Iterator[str]:
        named = {"all": "all profiles", "default": "default profiles", SECTION: "scenario", BEHAVIOUR: "behaviour"}
        where = named.get(section.name, f"profile {section.name}")
        where = f" ({where})" if len(self._result.sections) > 1 else ""
        yield self._style.paint("bad", self._style.clean(f"{check.name} fails")) + self._style.clean(where)
        shown = check.witnesses if self._verbose else check.witnesses[:MOST_WITNESSES]
        for witness in shown:
            yield from self._witness(witness)
        if len(check.witnesses) > len(shown):
            yield f"  and {len(check.witnesses) - len(shown)} more; --verbose shows all"

    def _witness(self, witness: Witness) -> Iterator[str]:
        path = path_of(self._result.path, witness.part) if self._result.path else ""
        place = f" ({path}:{witness.line})" if witness.line and path else ""
        yield from self._item(witness.text + place, 2)
        width = max((len(what) for what, _ in witness.details), default=0)
        for what, words in witness.details:
            yield from self._item(f"{what:{width}}  {words}", 6)
        if witness.path:
            yield from self._item("by " + ", ".join(_move(step) for step in witness.path), 6)
        yield from self._values(witness, 6)

    def _values(self, witness: Witness, indent: int) -> Iterator[str]:
        if witness.values:
            yield from self._item("with " + ", ".join(f"{name} = {value}" for name, value in witness.values), indent)

    def _item(self, text: str, indent: int, role: str = "") -> Iterator[str]:
        for number, line in enumerate(self._style.wrap(self._style.clean(text), indent + 2)):
            line = " " * (indent + 2 * bool(number)) + line
            yield self._style.paint(role, line) if role else line

    def _summary(self) -> str:
        failing = self._result.failing
        ran = sum(check.holds for check in self._scenarios.checks) if self._scenarios is not None else 0
        text = counted(self._result.holding - ran, "check holds", "checks hold")
        if self._scenarios is not None:
            text = f"{counted(self._result.holding - ran, 'check')} and {counted(ran, 'scenario')} hold"
        text += f", {failing:,} {'fails' if failing == 1 else 'fail'}."
        return self._style.paint("bad" if failing else "good", text)


def differing(section: Section, first: Section) -> tuple[Check, ...]:
    """The checks of a section whose verdict, witnesses or notes are not those of the first section."""
    known = {check.name: check for check in first.checks}

    def same(check: Check) -> bool:
        other = known.get(check.name)
        return other is not None and (check.holds, check.witnesses, check.notes) == (
            other.holds,
            other.witnesses,
            other.notes,
        )

    return tuple(check for check in section.checks if not same(check))


def _place(witness: Witness) -> str:
    return Span(witness.line, 1, witness.line, 1, witness.part).where


def _move(step: Step) -> str:
    return (
        f"{step.state} on {step.event} → {step.target}"
        if step.event != "own accord"
        else (f"{step.state} of its own accord → {step.target}")
    )


def _words(names: list[str]) -> str:
    return " or ".join([", ".join(names[:-1]), names[-1]]) if len(names) > 1 else names[0]
