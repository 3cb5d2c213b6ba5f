"""The syntax tree: what a spec says, word by word, before any name is looked up.

Owns: the classes that the parser produces.
Must never hold: a look-up of a name, a type check, or a meaning.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

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


@dataclass(slots=True)
class Node:
    """Base of expressions. ``start``/``end`` are offsets in the parsed piece, ``text`` is the source, single-spaced."""

    span: Span
    start: int
    end: int
    text: str
    depth: int


@dataclass(slots=True)
class Number(Node):
    value: int


@dataclass(slots=True)
class Time(Node):
    """A duration; ``value`` in microseconds."""

    value: int


@dataclass(slots=True)
class Truth(Node):
    value: bool


@dataclass(slots=True)
class Name(Node):
    name: str


@dataclass(slots=True)
class Binary(Node):
    """``op`` is one of ``+ - * / mod max min``."""

    op: str
    left: Node
    right: Node


@dataclass(slots=True)
class Chain(Node):
    """``a < b =< c``: one more operand than ops; ops are ``< =< > >= = !=``."""

    operands: list[Node]
    ops: list[str]


@dataclass(slots=True)
class Negation(Node):
    operand: Node


@dataclass(slots=True)
class Junction(Node):
    """``op`` is ``and`` or ``or``."""

    op: str
    operands: list[Node]


@dataclass(slots=True)
class SetTest(Node):
    """``NAME is set`` / ``NAME is unset``."""

    name: Word
    wanted: bool


@dataclass(slots=True)
class FlagTest(Node):
    message: Word
    present: list[Word]
    absent: list[Word]


# ---------------------------------------------------------------------------------------------------------- types


@dataclass(slots=True)
class TypeName:
    """``kind``: ``call`` (``seq(local)``: name, argument), ``range`` (low, high) or ``words``."""

    span: Span
    kind: str
    words: list[Word]
    low: int = 0
    high: int = 0


# --------------------------------------------------------------------------------------------------- declarations


@dataclass(slots=True)
class Declaration:
    """Base of all top-level declarations: ``span`` is the declared name, ``doc`` the ``///`` lines before it."""

    span: Span
    doc: str = field(default="", init=False)


@dataclass(slots=True)
class SpecHead(Declaration):
    name: Word
    title: Word | None
    over: Word | None
    documents: list[Word]


@dataclass(slots=True)
class Steps(Declaration):
    names: list[Word]


@dataclass(slots=True)
class ProfileDecl(Declaration):
    name: Word
    title: Word | None
    default: bool
    turns_on: list[Word]
    turns_off: list[Word]
    cites: list[Cite]


@dataclass(slots=True)
class ConstDecl(Declaration):
    """``values``: (profile or None for the default, expression)."""

    name: Word
    values: list[tuple[Word | None, Node]]
    cites: list[Cite]


@dataclass(slots=True)
class VarDecl(Declaration):
    names: list[Word]
    optional: bool
    type: TypeName
    initial: Node | None
    free: bool
    title: Word | None
    cites: list[Cite]


@dataclass(slots=True)
class FieldDecl:
    span: Span
    name: Word
    type: TypeName
    source: Word | None
    only_with: list[Word]
    title: Word | None
    default: int | None


@dataclass(slots=True)
class MessageDecl(Declaration):
    name: Word
    title: Word | None
    flags: list[Word]
    marks: list[Word]
    fields: list[FieldDecl]
    cites: list[Cite]


@dataclass(slots=True)
class EventDecl(Declaration):
    """``kind``: call, timer or notice; ``names``: (name, duration or None)."""

    kind: str
    names: list[tuple[Word, Node | None]]
    title: Word | None
    cites: list[Cite]


@dataclass(slots=True)
class DefineDecl(Declaration):
    """``cases``: (guard or None for ``otherwise``, value); ``plain`` when written with ``=``."""

    name: Word
    plain: bool
    cases: list[tuple[Node | None, Node, Span]]
    cites: list[Cite]


# ---------------------------------------------------------------------------------------------------------- rules


@dataclass(slots=True)
class EventRef:
    """``kind``: ``timer``, ``notice`` or ``plain`` (a message or a call, one or two words)."""

    span: Span
    kind: str
    words: list[Word]
    present: list[Word]
    absent: list[Word]


@dataclass(slots=True)
class AssignAction:
    """``how``: ``value``, ``any`` or ``unset``."""

    span: Span
    target: Word
    how: str
    value: Node | None


@dataclass(slots=True)
class ChooseAction:
    span: Span
    choices: list[tuple[Word, TypeName]]
    where: Node | None


@dataclass(slots=True)
class Condition:
    """``when`` (wanted) or ``unless`` (not wanted) and what follows."""

    span: Span
    wanted: bool
    expression: Node


@dataclass(slots=True)
class SendAction:
    span: Span
    message: Word | None
    fields: list[tuple[Word, list[Node]]]
    conditions: list[Condition]
    wheres: list[Node]
    within: list[Node]
    optional: bool
    text: str


@dataclass(slots=True)
class SignalAction:
    span: Span
    text: Word
    condition: Condition | None


ActionNode = AssignAction | ChooseAction | SendAction | SignalAction


@dataclass(slots=True)
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


@dataclass(slots=True)
class StepNode:
    span: Span
    name: Word
    doc: str = field(default="", init=False)


@dataclass(slots=True)
class UseNode:
    span: Span
    groups: list[Word]
    doc: str = field(default="", init=False)


Item = RuleNode | StepNode | UseNode


@dataclass(slots=True)
class GroupDecl(Declaration):
    name: Word
    title: Word | None
    items: list[Item]
    damaged: bool = field(default=False, init=False)


@dataclass(slots=True)
class StateDecl(Declaration):
    name: Word
    title: Word | None
    initial: bool
    final: bool
    items: list[Item]
    damaged: bool = field(default=False, init=False)


# ----------------------------------------------------------------------------------- single messages, logs, properties


@dataclass(slots=True)
class FaultDecl(Declaration):
    name: Word
    severity: Word
    message: Word | None
    title: Word | None
    conditions: list[Condition]
    cites: list[Cite]


@dataclass(slots=True)
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


@dataclass(slots=True)
class PropertyDecl(Declaration):
    """``kind``: ``reachable-from-all``, ``never-pair`` or ``pair``."""

    name: Word
    kind: str
    states: list[Word]
    title: Word | None
    cites: list[Cite]


@dataclass(slots=True)
class SourceDecl(Declaration):
    name: Word
    title: Word | None
    names: list[tuple[Word, Word]]
    hides: list[Word]
    reads: list[tuple[Word, Word, list[Word]]]
    births: list[tuple[Word, Word]]
    repeats: bool
    cites: list[Cite]


@dataclass(slots=True)
class File:
    """A whole file. ``broken``: names whose declarations could not be read; to use them is no second error."""

    doc: str
    declarations: list[Declaration]
    broken: frozenset[str]
