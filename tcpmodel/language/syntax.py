"""The syntax tree: what a spec says, word by word, before any name is looked up.

Owns: the classes that the parser produces.
Must never hold: a look-up of a name, a type check, or a meaning.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple, TypeVar

from tcpmodel.language.span import Span


class Word(NamedTuple):
    """A name, a string (without quotes) or a keyword, and where it stands."""

    text: str
    span: Span


class Cite(NamedTuple):
    """One entry of a citation list. ``document`` is "" where the first cited document of the spec is meant.

    ``label`` is true for free text in double quotes, ``requirement`` for MUST-11 and the like.
    """

    document: str
    place: str
    requirement: bool
    label: bool
    span: Span


# ---------------------------------------------------------------------------------------------------- expressions


@dataclass(slots=True, eq=False, repr=False)
class Node:
    """Base of expressions. ``start``/``end`` are offsets in the parsed piece, ``text`` is the source, single-spaced."""

    span: Span
    start: int
    end: int
    text: str
    depth: int


@dataclass(slots=True, eq=False, repr=False)
class Number(Node):
    value: int


@dataclass(slots=True, eq=False, repr=False)
class Time(Node):
    """A duration; ``value`` in microseconds."""

    value: int


@dataclass(slots=True, eq=False, repr=False)
class Truth(Node):
    value: bool


@dataclass(slots=True, eq=False, repr=False)
class Name(Node):
    """``after``: with an apostrophe."""

    name: str
    after: bool = False


@dataclass(slots=True, eq=False, repr=False)
class Binary(Node):
    """``op`` is one of ``+ - * / mod max min``."""

    op: str
    left: Node
    right: Node


@dataclass(slots=True, eq=False, repr=False)
class Chain(Node):
    """``a < b =< c``: one more operand than ops; ops are ``< =< > >= = !=``."""

    operands: list[Node]
    ops: list[str]


@dataclass(slots=True, eq=False, repr=False)
class Negation(Node):
    operand: Node


@dataclass(slots=True, eq=False, repr=False)
class Junction(Node):
    """``op`` is ``and`` or ``or``."""

    op: str
    operands: list[Node]


@dataclass(slots=True, eq=False, repr=False)
class SetTest(Node):
    """``NAME is set`` / ``NAME is unset``; ``after``: with an apostrophe."""

    name: Word
    wanted: bool
    after: bool


@dataclass(slots=True, eq=False, repr=False)
class FlagTest(Node):
    message: Word
    present: list[Word]
    absent: list[Word]


# ---------------------------------------------------------------------------------------------------------- types


@dataclass(slots=True, eq=False, repr=False)
class TypeName:
    """``kind``: ``call`` (``seq(local)``: name, argument), ``range`` (low, high) or ``words``."""

    span: Span
    kind: str
    words: list[Word]
    low: int = 0
    high: int = 0


# --------------------------------------------------------------------------------------------------- declarations


@dataclass(slots=True, eq=False, repr=False)
class Declaration:
    """Base of all top-level declarations: ``span`` is the declared name, ``doc`` the ``///`` lines before it."""

    span: Span
    doc: str = field(default="", init=False)


@dataclass(slots=True, eq=False, repr=False)
class SpecHead(Declaration):
    name: Word
    title: Word | None
    over: Word | None
    documents: list[Word]
    by: Word | None = None
    port: Word | None = None


@dataclass(slots=True, eq=False, repr=False)
class Include(Declaration):
    """The declarations of another file stand here; the parser puts them in its place."""

    path: Word


@dataclass(slots=True, eq=False, repr=False)
class Steps(Declaration):
    names: list[Word]


@dataclass(slots=True, eq=False, repr=False)
class ProfileDecl(Declaration):
    name: Word
    title: Word | None
    default: bool
    turns_on: list[Word]
    turns_off: list[Word]
    cites: list[Cite]


@dataclass(slots=True, eq=False, repr=False)
class ConstDecl(Declaration):
    """``values``: (profile or None for the default, expression)."""

    name: Word
    values: list[tuple[Word | None, Node]]
    cites: list[Cite]


@dataclass(slots=True, eq=False, repr=False)
class VarDecl(Declaration):
    names: list[Word]
    optional: bool
    type: TypeName
    initial: Node | None
    free: bool
    title: Word | None
    cites: list[Cite]


@dataclass(slots=True, eq=False, repr=False)
class FieldDecl:
    span: Span
    name: Word
    type: TypeName
    source: Word | None
    only_with: list[Word]
    title: Word | None
    default: int | None
    typical: Word | None


@dataclass(slots=True, eq=False, repr=False)
class MessageDecl(Declaration):
    name: Word
    title: Word | None
    flags: list[Word]
    marks: list[Word]
    fields: list[FieldDecl]
    cites: list[Cite]


@dataclass(slots=True, eq=False, repr=False)
class EventDecl(Declaration):
    """``kind``: call, timer or notice; ``names``: (name, duration or None)."""

    kind: str
    names: list[tuple[Word, Node | None]]
    title: Word | None
    cites: list[Cite]


@dataclass(slots=True, eq=False, repr=False)
class DefineDecl(Declaration):
    """``cases``: (guard or None for ``otherwise``, value); ``plain`` when written with ``=``."""

    name: Word
    plain: bool
    cases: list[tuple[Node | None, Node, Span]]
    cites: list[Cite]


# ---------------------------------------------------------------------------------------------------------- rules


@dataclass(slots=True, eq=False, repr=False)
class EventRef:
    """``kind``: ``timer``, ``notice`` or ``plain`` (a message or a call, one or two words)."""

    span: Span
    kind: str
    words: list[Word]
    present: list[Word]
    absent: list[Word]


@dataclass(slots=True, eq=False, repr=False)
class AssignAction:
    """``how``: ``value``, ``any`` or ``unset``."""

    span: Span
    target: Word
    how: str
    value: Node | None


@dataclass(slots=True, eq=False, repr=False)
class AnewAction:
    """``all variables anew``."""

    span: Span


@dataclass(slots=True, eq=False, repr=False)
class ChooseAction:
    span: Span
    choices: list[tuple[Word, TypeName]]
    where: Node | None


@dataclass(slots=True, eq=False, repr=False)
class Condition:
    """``when`` (wanted) or ``unless`` (not wanted) and what follows."""

    span: Span
    wanted: bool
    expression: Node


@dataclass(slots=True, eq=False, repr=False)
class SendAction:
    span: Span
    message: Word | None
    fields: list[tuple[Word, list[Node]]]
    conditions: list[Condition]
    wheres: list[Node]
    within: list[Node]
    optional: bool
    text: str


@dataclass(slots=True, eq=False, repr=False)
class SignalAction:
    span: Span
    text: Word
    condition: Condition | None


ActionNode = AssignAction | AnewAction | ChooseAction | SendAction | SignalAction


@dataclass(slots=True, eq=False, repr=False)
class RuleNode:
    """``trigger``: ``on``, ``may`` or ``otherwise``. ``targets``: (how, word), how is ``to``, ``stay`` or ``drop``."""

    span: Span
    id: Word | None
    profiles: list[tuple[Word, bool]]
    trigger: str
    events: list[EventRef]
    conditions: list[Condition]
    targets: list[tuple[str, Word]]
    continues: int
    cites: list[Cite]
    drawn: list[Word]
    actions: list[ActionNode]
    doc: str = field(default="", init=False)
    damaged: bool = field(default=False, init=False)


@dataclass(slots=True, eq=False, repr=False)
class StepNode:
    span: Span
    name: Word
    doc: str = field(default="", init=False)


@dataclass(slots=True, eq=False, repr=False)
class UseNode:
    span: Span
    groups: list[Word]
    doc: str = field(default="", init=False)


@dataclass(slots=True, eq=False, repr=False)
class TypicalNode:
    """``typical NAME = value, ...``."""

    span: Span
    values: list[tuple[Word, Node]]
    doc: str = field(default="", init=False)


Item = RuleNode | StepNode | UseNode | TypicalNode


@dataclass(slots=True, eq=False, repr=False)
class GroupDecl(Declaration):
    name: Word
    title: Word | None
    items: list[Item]
    damaged: bool = field(default=False, init=False)


@dataclass(slots=True, eq=False, repr=False)
class StateDecl(Declaration):
    name: Word
    title: Word | None
    initial: bool
    final: bool
    items: list[Item]
    damaged: bool = field(default=False, init=False)


# ----------------------------------------------------------------------------------- single messages, logs, properties


@dataclass(slots=True, eq=False, repr=False)
class FaultDecl(Declaration):
    name: Word
    severity: Word
    message: Word | None
    title: Word | None
    conditions: list[Condition]
    cites: list[Cite]


@dataclass(slots=True, eq=False, repr=False)
class PacketRuleDecl(Declaration):
    name: Word
    severity: Word
    scope: Word | None
    blames: Word | None
    title: Word | None
    forbids: list[Node]
    excepts: list[tuple[Node | None, Word | None]]
    needs: list[Word]
    cites: list[Cite]
    onces: list[Node]
    lapses: list[Node]
    beyond: Word | None = None
    steady: Word | None = None


@dataclass(slots=True, eq=False, repr=False)
class PropertyDecl(Declaration):
    """``kind`` as in the model, but for ``never-step``. ``inside``: the states after ``in``; ``flags``: alternatives of
    flags that are there and flags that are not; ``moves``: pairs of states; ``checks``: names of other proofs.
    """

    name: Word
    kind: str
    states: list[Word]
    title: Word | None
    cites: list[Cite]
    expr: Node | None
    events: list[EventRef]
    flags: list[tuple[list[Word], list[Word]]]
    conditions: list[Condition]
    inside: list[Word]
    under: list[Word]
    fails: Word | None
    into: list[Word]
    words: Word | None
    moves: list[tuple[Word, Word]]
    checks: list[Word]


D = TypeVar("D", bound=Declaration)


@dataclass(slots=True, eq=False, repr=False)
class File:
    """A spec with all its parts. ``broken``: names whose declarations could not be read; to use them is no second
    error. ``incomplete``: a part could not be read.
    """

    doc: str
    declarations: list[Declaration]
    broken: frozenset[str]
    incomplete: bool = False

    def all(self, kind: type[D]) -> list[D]:
        """The declarations of one kind, in order."""
        return [declaration for declaration in self.declarations if isinstance(declaration, kind)]
