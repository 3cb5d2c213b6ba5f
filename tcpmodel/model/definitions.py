"""Named expressions: ``define`` and ``const``, in an order in which each one's parts come first.

Owns: what a definition is in each view, and that it does not use itself.
Must never hold: how an expression gets its type (see ``typing``).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from tcpmodel.language import syntax
from tcpmodel.language.errors import SpecError
from tcpmodel.language.span import Span
from tcpmodel.model import spec
from tcpmodel.model.names import Names, Report
from tcpmodel.model.types import BOOL, DURATION, OCTETS, Type

DEEPEST = 100
"""Most levels of a definition with all the definitions inside it."""

LARGEST = 50_000
"""Most parts of a definition with all the definitions inside it."""


class Seen(NamedTuple):
    """A definition in one view: ``body`` is None where it is wrong; ``elsewhere``: it is right in the other view.

    ``message``: the message that it is about, or ""; ``variable``: one that it reads, or "".
    """

    body: spec.Expr | None
    message: str
    variable: str
    errors: list[SpecError]
    elsewhere: bool


_NOTHING = Seen(None, "", "", [], False)


def walk(node: syntax.Node) -> Iterator[syntax.Node]:
    """The node and all below it, without recursion."""
    todo: list[syntax.Node] = [node]
    while todo:
        node = todo.pop()
        yield node
        match node:
            case syntax.Binary():
                todo += (node.right, node.left)
            case syntax.Chain() | syntax.Junction():
                todo += reversed(node.operands)
            case syntax.Negation():
                todo.append(node.operand)


class Definitions:
    """All constants and definitions of a spec; ``resolve`` first, then ``seen``."""

    def __init__(self, names: Names, report: Report) -> None:
        self.names = names
        self.report = report
        self._seen: dict[tuple[str, str], Seen] = {}
        self._depth: dict[str, int] = {}
        self._size: dict[str, int] = {}
        self.constants: dict[str, tuple[tuple[str, spec.Expr], ...]] = {}

    def seen(self, name: str, view: str) -> Seen:
        """The definition of that name in a view (``received``, ``sent``, or any other for none at all)."""
        return self._seen.get((name, "sent" if view == "sent" else "received"), _NOTHING)

    def body(self, name: str) -> spec.Expr | None:
        """The definition as the spec keeps it: of a message that arrived, or else of one that is sent."""
        return self.seen(name, "received").body or self.seen(name, "sent").body

    def resolve(self) -> None:
        """Resolves all, each one after those that it uses."""
        for name in self._in_order():
            declaration = self.names.definitions[name]
            if isinstance(declaration, syntax.ConstDecl):
                self._constant(name, declaration)
                continue
            received, sent = self._try(declaration, "received"), self._try(declaration, "sent")
            if received.body is None and sent.body is None:
                self.report.errors += received.errors
            self._seen[name, "received"] = received._replace(elsewhere=sent.body is not None)
            self._seen[name, "sent"] = sent._replace(elsewhere=received.body is not None)

    # ---------------------------------------------------------------------------------------------------- one by one

    def _constant(self, name: str, declaration: syntax.ConstDecl) -> None:
        from tcpmodel.model.typing import Typer

        typer = Typer(self.names, self, self.report, "none", "")
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
        self.constants[name] = tuple(values)
        seen = Seen(values[0][1], "", "", [], False)
        self._seen[name, "received"] = self._seen[name, "sent"] = seen

    def _try(self, declaration: syntax.DefineDecl, view: str) -> Seen:
        from tcpmodel.model.typing import Typer

        report = Report()
        typer = Typer(self.names, self, report, view, "")
        typer.open = True
        typer.message = self.names.message_of(declaration.name.text)
        body = self._body(declaration, typer, report)
        parts = [node for guard, value, _ in declaration.cases for node in (guard, value) if node is not None]
        reads = [node.name for part in parts for node in walk(part) if isinstance(node, syntax.Name)]
        variable = next((name for name in reads if name in self.names.variables), "") or next(
            (found for name in reads if (found := self.seen(name, view).variable)), ""
        )
        return Seen(None if report.errors else body, typer.message, variable, report.errors, False)

    def _body(self, declaration: syntax.DefineDecl, typer: object, report: Report) -> spec.Expr | None:
        from tcpmodel.model.typing import Typer, is_number

        assert isinstance(typer, Typer)
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
        whole = Span(first.line, first.column, last_span.end_line, last_span.end_column)
        return spec.Cases(type_, whole, text, tuple(cases))

    # --------------------------------------------------------------------------------------------------------- order

    def _uses(self, name: str) -> tuple[list[str], int, int]:
        """The definitions that one uses, its own depth and its own number of parts."""
        declaration = self.names.definitions[name]
        nodes: list[syntax.Node] = []
        if isinstance(declaration, syntax.ConstDecl):
            nodes += [node for _, node in declaration.values]
        else:
            nodes += [node for guard, value, _ in declaration.cases for node in (guard, value) if node is not None]
        uses: list[str] = []
        size = 0
        for node in nodes:
            for part in walk(node):
                size += 1
                if isinstance(part, syntax.Name) and part.name in self.names.definitions:
                    uses.append(part.name)
        return uses, 1 + max(node.depth for node in nodes), size

    def _in_order(self) -> list[str]:
        order: list[str] = []
        state: dict[str, int] = {}  # 1: begun, 2: done
        for root in self.names.definitions:
            stack = [(root, iter(self._uses(root)[0]))] if root not in state else []
            state.setdefault(root, 1)
            while stack:
                name, uses = stack[-1]
                for other in uses:
                    if other not in state:
                        state[other] = 1
                        stack.append((other, iter(self._uses(other)[0])))
                        break
                    if state[other] == 1:
                        names = [above for above, _ in stack]
                        circle = " -> ".join([*names[names.index(other) :], other][:8])
                        message = f"`{other}` uses itself: {circle}"
                        help_ = "a definition can only use what does not use it"
                        self.report.error("TS022", message, self.names.definitions[other].span, help_)
                        state[name] = 3
                else:
                    stack.pop()
                    if state[name] == 1 and self._measure(name):
                        order.append(name)
                    state[name] = 2
        return order

    def _measure(self, name: str) -> bool:
        uses, depth, size = self._uses(name)
        depth += max((self._depth.get(other, 0) for other in uses), default=0)
        size += sum(self._size.get(other, 0) for other in uses)
        self._depth[name], self._size[name] = depth, min(size, LARGEST + 1)
        if depth <= DEEPEST and size <= LARGEST:
            return True
        span = self.names.definitions[name].span
        self.report.error(
            "TS003", f"`{name}` is too large with all it uses", span, "use fewer definitions in each other"
        )
        self._depth[name], self._size[name] = 0, 0
        return False
