"""Resolves properties: what the graph of states must be like, and how an endpoint must behave.

Owns: which parts a property of each kind may have, and what its expressions may read.
Must never hold: how a property is proved.
"""

from __future__ import annotations

from tcpmodel.language import syntax
from tcpmodel.language.syntax import Word
from tcpmodel.model import spec
from tcpmodel.model.definitions import Definitions
from tcpmodel.model.judged import text_of
from tcpmodel.model.names import Names
from tcpmodel.model.rules import Rules
from tcpmodel.model.typing import Typer

STRUCTURAL = ("reachable-from-all", "one-event", "never-pair", "pair", "moves", "one-move", "only-in", "checks")
"""Kinds that are about the graph of states alone, or about other proofs."""

WITH_STATES = ("one-move",)
"""Structural kinds that ``in`` narrows."""

INTO = ("always-signals", "never-signals", "never-sends", "sends-nothing", "always-sends")
"""Kinds that ``into`` narrows."""

CHECKS = (
    "reachable",
    "closable",
    "deadlock-free",
    "livelock-free",
    "events-handled",
    "classes-handled",
    "deterministic",
)
"""The proofs that are made of every spec under each choice of profiles: a property may be one of them."""


class Properties:
    """All properties of a spec; names, definitions and states must be resolved."""

    def __init__(self, file: syntax.File, names: Names, definitions: Definitions, rules: Rules) -> None:
        self.file = file
        self.names = names
        self.definitions = definitions
        self.rules = rules
        self.report = names.report

    def all(self) -> tuple[spec.Property, ...]:
        """In the order of the file; those with errors are left out."""
        used = set(self.names.used)
        found = [self._property(node) for node in self.file.all(syntax.PropertyDecl)]
        # What is proved of an event does not handle it: an event that no rule is about is still to be said.
        self.names.used -= {(kind, name) for kind, name in self.names.used - used if kind == "event"}
        return tuple(one for one in found if one is not None)

    def _property(self, node: syntax.PropertyDecl) -> spec.Property | None:
        before = len(self.report.errors)
        kind = node.kind
        if kind == "never-pair" and node.conditions:
            kind = "never-step"
        self._parts(node, kind)
        states = [*node.states, *node.inside]
        moves = [word for pair in node.moves for word in pair]
        for word in (*states, *node.into, *moves):
            self.names.known("state", word, self.names.states, "TS010")
        for word in node.checks:
            self.names.known("proof", word, dict.fromkeys(CHECKS), "TS019")
        events = self.rules.events_of(node.events, node.span)
        message = events[0].name if len(events) == 1 and events[0].kind == "message" else ""
        typer = Typer(self.names, self.definitions, self.report, "received" if message else "none", message)
        typer.after = kind in ("each-step", "never-step")
        expr = typer.condition(node.expr) if node.expr is not None else None
        tests = self.rules.flag_tests(node.events, events[0], typer) if message else []
        conditions = typer.conditions(node.conditions) or []
        flags = tuple(self._flags(present, absent) for present, absent in node.flags)
        profiles = tuple(word.text for word in node.under if self.names.choice(word))
        cites = self.names.cite(node.cites)
        if any(error.severity == "error" for error in self.report.errors[before:]):
            return None
        return spec.Property(
            node.name.text,
            kind,
            tuple(dict.fromkeys(word.text for word in states)) if node.inside else tuple(w.text for w in node.states),
            text_of(node.title),
            cites,
            node.doc,
            node.span,
            expr,
            typer.all_of([*tests, *conditions]),
            events,
            flags,
            profiles,
            text_of(node.fails),
            tuple(dict.fromkeys(word.text for word in node.into)),
            text_of(node.words),
            tuple(dict.fromkeys((source.text, target.text) for source, target in node.moves)),
            tuple(word.text for word in node.checks),
        )

    def _parts(self, node: syntax.PropertyDecl, kind: str) -> None:
        """What a property of this kind cannot have."""
        if node.into and kind not in INTO:
            help_ = "leave it away, or write it in a property about what is sent or signalled"
            self.report.error("TS054", "`into` has no meaning for this property", node.into[0].span, help_)
        if node.inside and kind in (*STRUCTURAL, "never-step") and kind not in WITH_STATES:
            help_ = "leave it away: the property names its states"
            self.report.error("TS054", "`in` has no meaning for this property", node.inside[0].span, help_)
        asked = next((event for event in node.events if event.present or event.absent), None)
        if kind == "only-in" and asked is not None:
            help_ = "leave the flags away: the property is about the event"
            self.report.error("TS054", "this property has no condition", asked.span, help_)
        if node.conditions and kind in STRUCTURAL:
            help_ = "it is about the graph of states, which knows no values"
            self.report.error("TS054", "this property has no condition", node.conditions[0].span, help_)
        if node.fails is not None and not node.fails.text.strip():
            self.report.error("TS054", "it is not said why it fails", node.fails.span, 'fails "why"')
        if len(node.events) > 1 and any(self._is_message(event) for event in node.events):
            help_ = "write one property for each message"
            self.report.error("TS054", "a property is about one message at most", node.events[1].span, help_)

    def _is_message(self, event: syntax.EventRef) -> bool:
        return event.kind == "plain" and len(event.words) == 1 and event.words[0].text in self.names.messages

    def _flags(self, present: list[Word], absent: list[Word]) -> spec.FlagSet:
        known = [flag for message in self.names.messages.values() for flag in (*message.flags, *message.marks)]
        table = dict.fromkeys(known)
        for word in (*present, *absent):
            self.names.known("flag", word, table, "TS013")
        for word in absent:
            if any(word.text == other.text for other in present):
                self.report.error("TS020", f"`{word.text}` is asked for and excluded", word.span, "leave one of them")
        return spec.FlagSet(tuple(word.text for word in present), tuple(word.text for word in absent))
