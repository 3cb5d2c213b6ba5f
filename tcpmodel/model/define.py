"""Resolves what ``define`` and ``const`` name.

Owns: the types of definitions and constants, and in which views a definition can be used.
Must never hold: the order of definitions (see ``definitions``), or rules.
"""

from __future__ import annotations

from tcpmodel.language import syntax
from tcpmodel.model import spec
from tcpmodel.model.definitions import VIEWS, Definitions, Seen, walk
from tcpmodel.model.names import Report
from tcpmodel.model.types import BOOL, DURATION, OCTETS, Type
from tcpmodel.model.typing import Typer, is_number


class Definer:
    """Fills the table of definitions; errors go to the report of the table."""

    def __init__(self, table: Definitions) -> None:
        self.table = table
        self.names = table.names
        self.report = table.report

    def resolve(self) -> None:
        """Resolves all, each one after those that it uses."""
        for name in self.table.in_order():
            declaration = self.names.definitions[name]
            if isinstance(declaration, syntax.ConstDecl):
                self._constant(name, declaration)
            else:
                self.table.note(name, *(self._try(declaration, view) for view in VIEWS))

    def _constant(self, name: str, declaration: syntax.ConstDecl) -> None:
        typer = Typer(self.names, self.table, self.report, "none", "")
        typer.closed = "a constant does not depend on variables"
        values: list[tuple[str, spec.Expr]] = []
        for profile, node in declaration.values:
            known = profile is None or self.names.known("profile", profile, self.names.profiles, "TS015")
            if profile is not None and any(profile.text == other for other, _ in values):
                self.report.error("TS020", f"`{profile.text}` has two values", profile.span, "leave one of them")
            if values:
                value = typer.value(node, values[0][1].type)
            else:
                value = typer.expression(node)
                if value is not None and value.type not in (OCTETS, DURATION):
                    message = f"a constant is octets or a duration, this is {value.type}"
                    self.report.error("TS030", message, node.span, "a number, or a duration such as 120 s")
                    value = None
            if value is None:
                return
            if known:
                values.append((profile.text if profile else "", value))
        self.table.constants[name] = tuple(values)
        seen = Seen(values[0][1], "", "", [], False)
        self.table.note(name, *(seen for _ in VIEWS))

    def _try(self, declaration: syntax.DefineDecl, view: str) -> Seen:
        report = Report()
        typer = Typer(self.names, self.table, report, "sent" if view == "watched" else view, "")
        typer.open = True
        typer.watching = view == "watched"
        typer.message = self.names.message_of(declaration.name.text)
        body = self._body(declaration, typer, report)
        parts = [node for guard, value, _ in declaration.cases for node in (guard, value) if node is not None]
        reads = [node.name for part in parts for node in walk(part) if isinstance(node, syntax.Name)]
        variable = next((name for name in reads if name in self.names.variables), "") or next(
            (found for name in reads if (found := self.table.seen(name, view).variable)), ""
        )
        return Seen(None if report.errors else body, typer.message, variable, report.errors, False)

    def _body(self, declaration: syntax.DefineDecl, typer: Typer, report: Report) -> spec.Expr | None:
        if declaration.plain:
            return typer.expression(declaration.cases[0][1])
        cases: list[tuple[spec.Expr, spec.Expr]] = []
        type_: Type | None = None
        last = len(declaration.cases) - 1
        for at, (guard, value, span) in enumerate(declaration.cases):
            if (guard is None) != (at == last):
                help_ = "the last case, and only the last, is `| otherwise => ...`"
                report.error(
                    "TS046", f"the cases of `{declaration.name.text}` do not end with one `otherwise`", span, help_
                )
                break
            condition = spec.Literal(BOOL, span, "otherwise", 1) if guard is None else typer.condition(guard)
            found = typer.expression(value) if type_ is None else typer.value(value, type_)
            if condition is None or found is None:
                continue
            if type_ is None:
                type_ = OCTETS if is_number(found.type) else found.type
            cases.append((condition, found))
        if report.errors or type_ is None:
            return None
        text = " ".join(f"| {guard.text} => {value.text}" for guard, value in cases)
        first, last_span = declaration.cases[0][2], cases[-1][1].span
        whole = first.to(last_span)
        return spec.Cases(type_, whole, text, tuple(cases))
