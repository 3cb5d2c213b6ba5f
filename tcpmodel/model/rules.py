"""Resolves what states do: rules, groups and actions.

Owns: the order of rules in a state, the event of an ``otherwise``, ids, steps, and the actions of a rule.
Must never hold: types of expressions (see ``typing``).
"""

from __future__ import annotations

from dataclasses import dataclass

from tcpmodel.language import syntax
from tcpmodel.language.span import NOWHERE, Span
from tcpmodel.language.syntax import Word
from tcpmodel.model import spec
from tcpmodel.model.actions import Actions
from tcpmodel.model.definitions import Definitions
from tcpmodel.model.names import OWN, Names, Report
from tcpmodel.model.typical import typical_values
from tcpmodel.model.typing import Typer

MOST_RULES = 5_000
"""Most rules of a spec, after groups have been put in place."""


@dataclass(slots=True)
class Template:
    """A rule before it is known which state it belongs to; ``target`` is None for ``stay`` and ``drop``."""

    node: syntax.RuleNode
    event: spec.Event
    number: int
    guard: spec.Expr | None
    target: str | None
    drops: bool
    actions: tuple[spec.Action, ...]
    profiles: tuple[tuple[str, bool], ...]
    cites: tuple[spec.Citation, ...]


Element = Template | int | str
"""A rule, the index of a step that begins here, or the name of a group that is used here."""


class Rules:
    """All states of a spec, rule by rule."""

    def __init__(self, names: Names, definitions: Definitions, report: Report) -> None:
        self.names = names
        self.definitions = definitions
        self.report = report
        self._groups: dict[str, list[Element]] = {}
        self._ids: dict[str, str] = {}
        self._count = 0
        self._cut: set[Span] = set()
        """Uses of a group by itself, which are left out."""

    def states(self) -> tuple[spec.State, ...]:
        """The states with their rules, groups put in place."""
        for name in self._groups_in_order():
            group = self.names.groups[name]
            self._groups[name] = self._elements(group.items, f"group {name}", group.damaged)
        return tuple(self._state(state) for state in self.names.states.values())

    # ---------------------------------------------------------------------------------------------- groups and states

    def _groups_in_order(self) -> list[str]:
        """The groups, each one after those that it uses; a circle is an error and is cut."""
        order: list[str] = []
        done: set[str] = set()
        for root in self.names.groups:
            stack = [(root, iter(self._used_by(root)))] if root not in done else []
            open_ = {root}
            while stack:
                name, uses = stack[-1]
                for word in uses:
                    if word.text in open_:
                        self.report.error("TS022", f"group `{word.text}` uses itself", word.span, "leave this `use`")
                        self._cut.add(word.span)
                    elif word.text not in done and word.text in self.names.groups:
                        open_.add(word.text)
                        stack.append((word.text, iter(self._used_by(word.text))))
                        break
                else:
                    stack.pop()
                    open_.discard(name)
                    if name not in done:
                        done.add(name)
                        order.append(name)
        return order

    def _used_by(self, group: str) -> list[Word]:
        items = self.names.groups[group].items
        return [word for item in items if isinstance(item, syntax.UseNode) for word in item.groups]

    def _state(self, node: syntax.StateDecl) -> spec.State:
        rules: list[spec.Rule] = []
        counts: dict[str, int] = {}
        step = -1
        seen: set[str] = set()
        todo: list[tuple[Element, str | None]] = [
            (element, None) for element in reversed(self._elements(node.items, f"state {node.name.text}", node.damaged))
        ]
        while todo:
            element, group = todo.pop()
            if isinstance(element, int):
                step = element
            elif isinstance(element, str):
                if element in seen:
                    help_ = "its rules come a second time and can never win: use it once"
                    self.report.error("TS045", f"`{node.name.text}` uses group `{element}` twice", node.span, help_)
                    continue
                seen.add(element)
                if self._count <= MOST_RULES:
                    todo += [(inner, element) for inner in reversed(self._groups.get(element, []))]
            else:
                self._count += 1
                if self._count == MOST_RULES + 1:
                    self.report.error("TS003", f"more than {MOST_RULES} rules", node.span, "use fewer rules")
                if self._count > MOST_RULES:
                    break
                rules.append(self._rule(node, element, group, step, counts))
        title = node.title.text if node.title else ""
        typical = typical_values(node, self.names, self.definitions, self.report)
        return spec.State(node.name.text, title, node.initial, node.final, tuple(rules), node.doc, node.span, typical)

    def _rule(
        self, state: syntax.StateDecl, template: Template, group: str | None, step: int, counts: dict[str, int]
    ) -> spec.Rule:
        node, name = template.node, state.name.text
        if node.id is not None:
            id_ = node.id.text if template.number == 1 else f"{node.id.text}.{template.number}"
        else:
            words = "own" if template.event.kind == "own" else str(template.event).replace(" ", "-")
            counts[words] = counts.get(words, 0) + 1
            id_ = f"{name}.{words}.{counts[words]}"
        return spec.Rule(
            id_,
            name,
            template.event,
            template.guard,
            name if template.target is None else template.target,
            template.drops,
            node.continues > 0,
            step,
            template.profiles,
            template.actions,
            node.drawn[0].text if node.drawn else None,
            group,
            template.cites,
            node.doc,
            node.span,
        )

    # ------------------------------------------------------------------------------------------------ items in order

    def _elements(self, items: list[syntax.Item], where: str, damaged: bool) -> list[Element]:
        out: list[Element] = []
        events: tuple[spec.Event, ...] | None = () if damaged else None
        """Events of the rule before; None if there is none, () if they are not known because of an error."""
        for item in items:
            if isinstance(item, syntax.StepNode):
                if self.names.known("step", item.name, self.names.steps, "TS017"):
                    out.append(self.names.steps[item.name.text])
            elif isinstance(item, syntax.UseNode):
                for word in item.groups:
                    if word.span in self._cut:
                        continue
                    if self.names.known("group", word, self.names.groups, "TS016"):
                        out.append(word.text)
                        events = self._last_events(word.text) or events
                    else:
                        events = ()
            elif isinstance(item, syntax.TypicalNode):
                if not where.startswith("state "):
                    help_ = "values fit a state: write them there"
                    self.report.error("TS049", "a group of rules has no typical values", item.span, help_)
            else:
                events = self._events(item, events)
                for number, event in enumerate(events, 1):
                    template = self._template(item, event, number)
                    if template is not None:
                        out.append(template)
                if not events:  # the rest of the rule can still be checked for unknown states and the like
                    self._header(item)
        return out

    def _last_events(self, group: str) -> tuple[spec.Event, ...]:
        while True:
            elements = self._groups.get(group, [])
            last = next((element for element in reversed(elements) if not isinstance(element, int)), None)
            if isinstance(last, Template):
                return tuple(e.event for e in elements if isinstance(e, Template) and e.node is last.node)
            if last is None:
                return ()
            group = last

    def events_of(self, events: list[syntax.EventRef], span: Span) -> tuple[spec.Event, ...]:
        """The events that stand after ``on`` elsewhere than in a rule."""
        node = syntax.RuleNode(span, None, [], "on", events, [], [], 0, [], [], [])
        return self._events(node, None)

    def _events(self, node: syntax.RuleNode, before: tuple[spec.Event, ...] | None) -> tuple[spec.Event, ...]:
        if node.trigger == "may":
            return (OWN,)
        if node.trigger == "otherwise":
            if before is None:
                help_ = "`otherwise` takes the event of the rule before it: write `on EVENT` instead"
                self.report.error("TS042", "`otherwise` without a rule before it", node.span, help_)
            return before or ()
        out: list[spec.Event] = []
        kind = ""
        for reference in node.events:
            event = self._event(reference, kind)
            if event is None:
                node.damaged = node.damaged or len(reference.words) > 1
                continue
            if kind and event.kind != kind:
                help_ = "the events of one rule are of one kind: write two rules"
                self.report.error("TS044", f"`{event}` is a {event.kind}, not a {kind}", reference.span, help_)
                continue
            kind = event.kind
            if event in out:
                self.report.error("TS020", f"`{event}` stands twice in one rule", reference.span, "leave one of them")
                continue
            out.append(event)
        return tuple(out)

    def _event(self, reference: syntax.EventRef, kind: str) -> spec.Event | None:
        events, name = self.names.events, " ".join(word.text for word in reference.words)
        kinds = ["message", "call"]
        if reference.kind != "plain" or kind in ("timer", "notice"):
            kinds = [kind if reference.kind == "plain" else reference.kind]
        for wanted in kinds:
            event = events.get((wanted, name))
            if event is not None:
                self.names.used.add(("event", f"{wanted} {name}"))
                if wanted != "message" and (reference.present or reference.absent):
                    word = (reference.present or reference.absent)[0]
                    message = f"`{event}` is a {wanted}: it has no flags"
                    self.report.error("TS013", message, word.span, "only messages have flags")
                return event
        if name in self.names.broken:
            return None
        if len(reference.words) > 1 and self._stray(reference.words[1]):
            return None
        other = next((event for (_, known), event in events.items() if known == name), None)
        if other is not None:
            help_ = f"write: on {other}"
            self.report.error("TS012", f"`{name}` is a {other.kind}", reference.span, help_)
        else:
            known = [known for wanted, known in events if wanted in kinds]
            self.report.unknown("TS012", "event", Word(name, reference.span), known)
        return None

    def _stray(self, word: Word) -> bool:
        """Whether the second word of an unknown call is a keyword with a slip; notes that."""
        from tcpmodel.language.words import RULE_WORDS, nearest

        near = nearest(word.text, RULE_WORDS)
        if near:
            self.report.error("TS001", f"syntax error: found `{word.text}`", word.span, f"did you mean `{near}`?")
        return bool(near)

    # --------------------------------------------------------------------------------------------------- one template

    def _header(self, node: syntax.RuleNode) -> tuple[str | None, bool, tuple[tuple[str, bool], ...]] | None:
        """Target (None for the same state), whether it drops, and profiles; None if there is no target."""
        profiles: list[tuple[str, bool]] = []
        for word, wanted in node.profiles:
            if self.names.known("profile", word, self.names.profiles, "TS015"):
                profiles.append((word.text, wanted))
        for extra in node.drawn[1:]:
            self.report.error("TS004", "a second `drawn` in one rule", extra.span, "leave one of them")
        if node.continues > 1:
            self.report.error("TS004", "`then continue` stands twice in one rule", node.span, "leave one of them")
        if not node.targets and node.damaged:
            return None
        if not node.targets:
            help_ = "end the first line with `-> STATE`, `stay` or `drop`"
            self.report.error("TS043", "the rule does not say where it leads", node.span, help_)
            return None
        for _, word in node.targets[1:]:
            self.report.error("TS043", "the rule has two targets", word.span, "leave one of them")
        how, word = node.targets[0]
        if how != "to":
            return None, how == "drop", tuple(profiles)
        if not self.names.known("state", word, self.names.states, "TS010"):
            return None
        return word.text, False, tuple(profiles)

    def _template(self, node: syntax.RuleNode, event: spec.Event, number: int) -> Template | None:
        if number > 1:  # what is wrong with the header has been said for the first event
            kept, self.report.errors = self.report.errors, []
            header = self._header(node)
            self.report.errors = kept
        else:
            header = self._header(node)
            self._note_id(node)
        message = event.name if event.kind == "message" else ""
        before = len(self.report.errors)
        typer = Typer(self.names, self.definitions, self.report, "received" if message else "none", message)
        tests = self.flag_tests(node.events, event, typer)
        conditions = typer.conditions(node.conditions)
        actions = Actions(typer).resolve(node.actions)
        cites = self.names.cite(node.cites) if number == 1 else ()
        if number > 1:
            fresh = [e for e in self.report.errors[before:] if e not in self.report.errors[:before]]
            del self.report.errors[before:]
            self.report.errors += fresh
            kept, self.report.errors = self.report.errors, []
            cites = self.names.cite(node.cites)
            self.report.errors = kept
        if header is None or conditions is None:
            return None
        guard = typer.all_of([*tests, *conditions])
        return Template(node, event, number, guard, header[0], header[1], actions, header[2], cites)

    def flag_tests(self, events: list[syntax.EventRef], event: spec.Event, typer: Typer) -> list[spec.Expr]:
        """``with`` and ``without`` behind the name of the event, as conditions."""
        for reference in events:
            name = " ".join(word.text for word in reference.words)
            if name != event.name or not (reference.present or reference.absent) or event.kind != "message":
                continue
            text = event.name
            if reference.present:
                text += " with " + ",".join(word.text for word in reference.present)
            if reference.absent:
                text += " without " + ",".join(word.text for word in reference.absent)
            word = Word(event.name, reference.span)
            test = typer.flags(word, reference.present, reference.absent, reference.span, text)
            return [test] if test is not None else []
        return []

    def _note_id(self, node: syntax.RuleNode) -> None:
        if node.id is None or node.span == NOWHERE:
            return
        first = self._ids.setdefault(node.id.text, node.id.span.where)
        if first != node.id.span.where:
            help_ = f"{first} has a rule with this id: ids are unique in a spec"
            self.report.error("TS021", f"id `{node.id.text}` is used twice", node.id.span, help_)
