"""Named expressions: ``define`` and ``const``, in an order in which each one's parts come first.

Owns: what a definition is in each view, and that it does not use itself.
Must never hold: how an expression gets its type (see ``typing``).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from tcpmodel.language import syntax
from tcpmodel.language.errors import SpecError
from tcpmodel.model import spec
from tcpmodel.model.names import Names, Report

DEEPEST = 100
"""Most levels of a definition with all the definitions inside it."""

LARGEST = 50_000
"""Most parts of a definition with all the definitions inside it."""


VIEWS = ("received", "sent", "watched")
"""What a definition can be about: a message that arrived, one that is sent, and what an observer knows besides."""


class Seen(NamedTuple):
    """A definition in one view: ``body`` is None where it is wrong; ``elsewhere``: it is right in another view.

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
    """All constants and definitions of a spec, as far as they are resolved (see ``define``)."""

    def __init__(self, names: Names, report: Report) -> None:
        self.names = names
        self.report = report
        self._seen: dict[tuple[str, str], Seen] = {}
        self._depth: dict[str, int] = {}
        self._size: dict[str, int] = {}
        self.constants: dict[str, tuple[tuple[str, spec.Expr], ...]] = {}

    def seen(self, name: str, view: str) -> Seen:
        """The definition of that name in one of ``VIEWS``, or in any other for none at all."""
        return self._seen.get((name, view if view in VIEWS else VIEWS[0]), _NOTHING)

    def body(self, name: str) -> spec.Expr | None:
        """The definition as the spec keeps it: in the first view in which it is right."""
        return next((body for view in VIEWS if (body := self.seen(name, view).body) is not None), None)

    def note(self, name: str, *seen: Seen) -> None:
        """Keeps what became of a definition in each of ``VIEWS``; if it is wrong in all, its errors are reported.

        The errors are those of the view in which it has the fewest.
        """
        right = any(each.body is not None for each in seen)
        if not right:
            self.report.errors += min(seen, key=lambda each: len(each.errors)).errors
        for view, each in zip(VIEWS, seen, strict=True):
            self._seen[name, view] = each._replace(elsewhere=right and each.body is None)

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

    def in_order(self) -> list[str]:
        """The names, each one after those that it uses; what uses itself or is too large is an error and left out."""
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
