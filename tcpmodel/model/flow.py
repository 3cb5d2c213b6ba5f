"""Finds variables that are read before anything has set them.

Owns: which variables are set on every path, and on any path, from the initial state to a state.
Must never hold: values. Where only values could tell, nothing is reported.
"""

from __future__ import annotations

from collections.abc import Iterator

from tcpmodel.language.errors import SpecError
from tcpmodel.language.span import Span
from tcpmodel.model import spec
from tcpmodel.model.shadow import Guards, shadowed
from tcpmodel.model.types import Enum, Range
from tcpmodel.model.walk import expressions, opened, walk

Profiles = frozenset[tuple[str, bool]]


def read_before_set(spec_: spec.Spec) -> list[SpecError]:
    """Errors for variables that nothing has set on some path; warnings for optional ones that are never set there."""
    if not spec_.states or all(not state.initial for state in spec_.states):
        return []
    return _Flow(spec_).errors()


class _Flow:
    def __init__(self, spec_: spec.Spec) -> None:
        self.spec = spec_
        self.variables = {variable.name: variable for variable in spec_.variables}
        bodies = {definition.name: definition.body for definition in spec_.definitions}
        self._read: dict[str, frozenset[str]] = {}
        """By definition: the variables whose values it needs, also within others."""
        self._tested: dict[str, frozenset[str]] = {}
        """By definition: the variables that it tests with ``is set``, also within others."""
        for name, body in bodies.items():
            parts = list(opened([body], bodies.get))
            self._read[name] = frozenset(part.name for part in parts if isinstance(part, spec.VarRef))
            self._tested[name] = frozenset(part.name for part in parts if isinstance(part, spec.IsSet))
        self.given = frozenset(v.name for v in spec_.variables if v.initial is not None or v.free)
        """Set from the start."""
        self.plain = frozenset(v.name for v in spec_.variables if not v.optional) - self.given
        self.optional = frozenset(v.name for v in spec_.variables if v.optional) - self.given
        self._guards = Guards(spec_)
        self._known: dict[Profiles, tuple[dict[str, frozenset[str]], dict[str, frozenset[str]]]] = {}

    # -------------------------------------------------------------------------------------------------- what is read

    def _reads(self, expr: spec.Expr) -> Iterator[tuple[str, Span]]:
        for part in walk(expr):
            if isinstance(part, spec.VarRef):
                yield part.name, part.span
            elif isinstance(part, spec.DefinitionRef):
                for name in sorted(self._read.get(part.name, ())):
                    yield name, part.span

    def _tests(self, rule: spec.Rule) -> frozenset[str]:
        """Variables that the rule, or a definition that it uses, tests with ``is set``."""
        found: set[str] = set()
        for expr in (rule.guard, *(e for action in rule.actions for e in expressions(action))):
            for part in walk(expr) if expr is not None else ():
                if isinstance(part, spec.IsSet):
                    found.add(part.name)
                elif isinstance(part, spec.DefinitionRef):
                    found |= self._tested.get(part.name, frozenset())
        return frozenset(found)

    # --------------------------------------------------------------------------------------------------- what is set

    def _edges(self, profiles: Profiles) -> list[spec.Rule]:
        """Rules that can fire where these choices of profiles are made."""
        edges: list[spec.Rule] = []
        for state in self.spec.states:
            rules = [rule for rule in state.rules if not any((name, not on) in profiles for name, on in rule.profiles)]
            dead = {id(rule) for rule, _ in shadowed(rules, self._guards, profiles)}
            edges += [rule for rule in rules if id(rule) not in dead]
        return edges

    def _sets(self, profiles: Profiles) -> tuple[dict[str, frozenset[str]], dict[str, frozenset[str]]]:
        """For each state that can be reached: variables set on every path, and on some path."""
        if profiles in self._known:
            return self._known[profiles]
        initial = next(state.name for state in self.spec.states if state.initial)
        always: dict[str, frozenset[str]] = {initial: self.given}
        ever: dict[str, frozenset[str]] = {initial: self.given}
        edges = {(rule.state, rule.target, _assigned(rule)) for rule in self._edges(profiles)}
        changed = True
        while changed:
            changed = False
            for source, target, assigned in edges:
                if source not in always:
                    continue
                one, two = always[source] | assigned, ever[source] | assigned
                if target in always:
                    one, two = one & always[target], two | ever[target]
                if always.get(target) != one or ever.get(target) != two:
                    always[target], ever[target] = one, two
                    changed = True
        self._known[profiles] = always, ever
        return always, ever

    def _leak(self, state: str, name: str, profiles: Profiles) -> str:
        """The rule that leads to a state without the variable, in words."""
        always, _ = self._sets(profiles)
        for rule in self._edges(profiles):
            enters = rule.target == state != rule.state and rule.state in always
            if enters and name not in always[rule.state] | _assigned(rule):
                place = f"rule {rule.id} in {rule.span.where}"
                return f"{place} leads from {rule.state} to {state} without setting it"
        return f"{state} is the initial state"

    # -------------------------------------------------------------------------------------------------------- errors

    def errors(self) -> list[SpecError]:
        found: dict[tuple[str, Span], SpecError] = {}
        for state in self.spec.states:
            helped: dict[str, set[str]] = {}
            for rule in state.rules:
                extra = helped.setdefault(str(rule.event), set())
                for name, span in self._early(rule, frozenset(extra)):
                    if (name, span) not in found:
                        found[name, span] = self._error(rule, name, span)
                if rule.continues and rule.target == rule.state:
                    extra |= _assigned(rule)
        return list(found.values())

    def _early(self, rule: spec.Rule, extra: frozenset[str]) -> Iterator[tuple[str, Span]]:
        """What a rule reads too early; ``extra``: set by rules before it that let it continue."""
        profiles = frozenset(rule.profiles)
        always, ever = self._sets(profiles)
        if rule.state not in always:
            return
        set_, some = always[rule.state] | extra, ever[rule.state] | extra
        tests = self._tests(rule)
        if self._chosen(rule.guard):
            set_ = some  # which path was taken may be just what the guard asks
        for expr in (rule.guard, *rule.actions):
            parts = [] if expr is None else [expr] if isinstance(expr, spec.Expr) else expressions(expr)
            for part in parts:
                for name, span in self._reads(part):
                    if (name in self.plain and name not in set_) or (
                        name in self.optional and name not in some | tests
                    ):
                        yield name, span
            if isinstance(expr, spec.Assign) and not expr.unset:
                set_, some = set_ | {expr.variable}, some | {expr.variable}

    def _chosen(self, guard: spec.Expr | None) -> bool:
        """Whether the guard asks for a word, a small number or an optional variable, which may remember the path."""
        for part in walk(guard) if guard is not None else ():
            if isinstance(part, spec.IsSet) or (isinstance(part, spec.VarRef) and isinstance(part.type, Enum | Range)):
                return True
            if isinstance(part, spec.DefinitionRef):
                names = self._read.get(part.name, frozenset())
                if self._tested.get(part.name) or any(isinstance(self.variables[n].type, Enum | Range) for n in names):
                    return True
        return False

    def _error(self, rule: spec.Rule, name: str, span: Span) -> SpecError:
        message = f"`{name}` is read in {rule.state} before anything has set it"
        if name in self.optional:
            help_ = f"no rule sets it on the way to {rule.state}: ask `{name} is set` first"
            return SpecError("TS065", message, span, help_, "warning")
        leak = self._leak(rule.state, name, frozenset(rule.profiles))
        return SpecError("TS048", message, span, f"{leak}: set it there, or declare an initial value")


def _assigned(rule: spec.Rule) -> frozenset[str]:
    return frozenset(a.variable for a in rule.actions if isinstance(a, spec.Assign) and not a.unset)
