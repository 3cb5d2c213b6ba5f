"""A resolved, typed spec: what every other part of the project consumes.

Owns: the data classes of a spec, after all names are resolved and all types are checked.
Must never hold: how a spec is written (see ``language``) or what it means (see ``semantics``). Expressions and events
stand in ``expr``, scenarios in ``scenario``, marks in ``marks``; their names can be had from here as well.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from tcpmodel.language.span import Span
from tcpmodel.model.expr import After as After
from tcpmodel.model.expr import And as And
from tcpmodel.model.expr import Arithmetic as Arithmetic
from tcpmodel.model.expr import Cases as Cases
from tcpmodel.model.expr import Citation as Citation
from tcpmodel.model.expr import Compare as Compare
from tcpmodel.model.expr import DefinitionRef as DefinitionRef
from tcpmodel.model.expr import Event as Event
from tcpmodel.model.expr import Expr as Expr
from tcpmodel.model.expr import FieldRef as FieldRef
from tcpmodel.model.expr import HasFlags as HasFlags
from tcpmodel.model.expr import IsSet as IsSet
from tcpmodel.model.expr import Literal as Literal
from tcpmodel.model.expr import LocalRef as LocalRef
from tcpmodel.model.expr import Not as Not
from tcpmodel.model.expr import Or as Or
from tcpmodel.model.expr import VarRef as VarRef
from tcpmodel.model.marks import Claim as Claim
from tcpmodel.model.marks import Reference as Reference
from tcpmodel.model.marks import Requirement as Requirement
from tcpmodel.model.observer import Jotting as Jotting
from tcpmodel.model.observer import Need as Need
from tcpmodel.model.observer import Note as Note
from tcpmodel.model.observer import Observation as Observation
from tcpmodel.model.observer import SeenField as SeenField
from tcpmodel.model.observer import SeenMessage as SeenMessage
from tcpmodel.model.scenario import Example as Example
from tcpmodel.model.scenario import Line as Line
from tcpmodel.model.scenario import Scenario as Scenario
from tcpmodel.model.scenario import ShownLine as ShownLine
from tcpmodel.model.scenario import StatesLine as StatesLine
from tcpmodel.model.types import Type

# --------------------------------------------------------------------------------------------------- declarations


@dataclass(frozen=True, slots=True)
class Profile:
    """A named choice or deviation. ``turns_on``/``turns_off`` name other profiles it brings with it or excludes."""

    name: str
    title: str
    default: bool
    turns_on: tuple[str, ...]
    turns_off: tuple[str, ...]
    cites: tuple[Citation, ...]
    doc: str
    span: Span


@dataclass(frozen=True, slots=True)
class Constant:
    """``values`` maps a profile name, or ``""`` for the default, to an expression."""

    name: str
    type: Type
    values: tuple[tuple[str, Expr], ...]
    cites: tuple[Citation, ...]
    doc: str
    span: Span


@dataclass(frozen=True, slots=True)
class Variable:
    """``optional``: may be unset. ``free``: the implementation may change it at any time (a receive window).

    ``initial`` is the value in the initial state, or None when nothing is known before the first assignment.
    """

    name: str
    type: Type
    optional: bool
    free: bool
    initial: Expr | None
    title: str
    cites: tuple[Citation, ...]
    doc: str
    span: Span


@dataclass(frozen=True, slots=True)
class Field:
    """``type`` may be ``Seq("sender")`` or ``Seq("receiver")``. ``source`` is the key that trace readers use.

    ``only_with`` names a flag without which the field means nothing. ``default`` is what a ``send`` that does not name
    the field carries; without it such a field is free. ``typical``: what a step takes when nobody gave the field.
    """

    name: str
    type: Type
    source: str
    only_with: str | None
    title: str
    span: Span
    default: int | None = None
    typical: int | None = None


@dataclass(frozen=True, slots=True)
class Message:
    """What endpoints send each other. ``flags`` decide, ``marks`` may accompany any message without changing it."""

    name: str
    title: str
    flags: tuple[str, ...]
    marks: tuple[str, ...]
    fields: tuple[Field, ...]
    cites: tuple[Citation, ...]
    doc: str
    span: Span


@dataclass(frozen=True, slots=True)
class Definition:
    """``define``: a named expression. A dotted name of a message (``SEG.LEN``) is a derived field of it."""

    name: str
    type: Type
    body: Expr
    cites: tuple[Citation, ...]
    doc: str
    span: Span


# ---------------------------------------------------------------------------------------------------------- rules


@dataclass(frozen=True, slots=True)
class Assign:
    """``variable <- value``; value None means ``any`` (the implementation chooses); ``unset`` clears an optional."""

    variable: str
    value: Expr | None
    unset: bool
    span: Span


@dataclass(frozen=True, slots=True)
class Choose:
    """``choose n : type [where condition]``: a value that the endpoint picks, local to the rule."""

    name: str
    type: Type
    where: Expr | None
    span: Span


@dataclass(frozen=True, slots=True)
class Send:
    """``send <SEQ=..><ACK=..><CTL=..> [when g] [where g] [within t] [or nothing]``.

    ``fields`` gives the fields that the rule fixes; a field that is not named is free (but a field whose type is
    octets and whose message names it as payload is not special: name it). ``flags`` is the exact set of flags.
    ``when``: sent only if it holds. ``where``: what the values must satisfy; may use the message's fields as sent.
    ``within``: may be delayed by that time and merged into another message. ``optional``: may be left out.
    """

    message: str
    fields: tuple[tuple[str, Expr], ...]
    flags: tuple[str, ...]
    when: Expr | None
    where: Expr | None
    within: Expr | None
    optional: bool
    text: str
    span: Span


@dataclass(frozen=True, slots=True)
class Signal:
    """``signal "connection refused"``: what the user is told."""

    text: str
    when: Expr | None
    span: Span


Action = Assign | Choose | Send | Signal


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule of one state. A group's rule stands here once per state that uses it.

    ``id``: as written, or made from the place. ``target`` equals ``state`` for ``stay`` and ``drop``.
    ``continues``: processing goes on with the next rule, or after a change of state with the new state's rules of a
    later step. ``step``: index of the step heading, -1 without. ``profiles``: (name, wanted) pairs, all must hold.
    ``drawn``: the label in the figure view, or None when the figure does not draw it. ``group``: the group it is from.
    """

    id: str
    state: str
    event: Event
    guard: Expr | None
    target: str
    drops: bool
    continues: bool
    step: int
    profiles: tuple[tuple[str, bool], ...]
    actions: tuple[Action, ...]
    drawn: str | None
    group: str | None
    cites: tuple[Citation, ...]
    doc: str
    span: Span


@dataclass(frozen=True, slots=True)
class State:
    """``rules`` in the order in which they are tried.

    ``typical``: values of variables that fit the state, in the order in which they are worked out; a step takes them
    for what nobody gave.
    """

    name: str
    title: str
    initial: bool
    final: bool
    rules: tuple[Rule, ...]
    doc: str
    span: Span
    typical: tuple[tuple[str, Expr], ...] = ()


# ------------------------------------------------------------------------------- judging single messages, naming faults


@dataclass(frozen=True, slots=True)
class PacketRule:
    """``rule ID severity over packet``: a condition that must never hold of what an endpoint sends.

    ``severity``: must, normative, should, unusual, capture or legal. ``forbid`` is the condition; ``excepts`` are
    (condition or None, words) pairs that excuse it; ``needs`` are the names of what must be known before the rule may
    report anything. A rule with ``once`` waits until this condition holds; one for which ``lapses`` comes true while it
    waits was none. Both know the values of notes as they are then (``After``) and as they were.
    A rule ``over run`` is asked of the message that ends a connection because nobody answers it; more than ``beyond``
    of them at one address break it. With ``steady``, it is asked of the message that begins a connection: more than
    ``beyond`` of one host break it, if that field of theirs grows from each to the next by the same.
    """

    id: str
    severity: str
    scope: str
    message: str
    blames: str
    title: str
    forbid: Expr
    excepts: tuple[tuple[Expr | None, str], ...]
    needs: tuple[str, ...]
    cites: tuple[Citation, ...]
    doc: str
    span: Span
    once: Expr | None = None
    lapses: Expr | None = None
    beyond: int | None = None
    steady: str = ""


@dataclass(frozen=True, slots=True)
class Fault:
    """``fault ID severity "words" when condition``: names a message that no rule of the sender explains.

    In ``when``, the message is the one sent and its fields have the sender's types.
    """

    id: str
    severity: str
    message: str
    title: str
    when: Expr
    cites: tuple[Citation, ...]
    doc: str
    span: Span


@dataclass(frozen=True, slots=True)
class Reading:
    """What a word of a log may stand for: an event (kind, name), a signal that was told then, states reached by then.

    None of the three: the word says nothing about the machine.
    """

    event: tuple[str, str] | None
    signal: str | None
    states: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Source:
    """What a log source shows of the machine: ``source linux-states "..."``.

    ``names``: the source's word for a state (upper case, ``_`` as ``-``) -> state. ``hides``: states never printed.
    ``reads``: (old, new) as printed -> the states that it may really be in afterwards. ``births``: pairs (old, new)
    that create a new endpoint which starts in ``old``. ``self_records``: records without a change are normal.
    ``tells``: the source's word for an event (upper case) -> what it may stand for; a word that is missing stands for
    the event of that name. ``shows_calls``: a call that the log does not show did not happen.
    ``samples``: a record shows a state at a moment, and nothing is told of what happened since the last one.
    ``absent``: where an endpoint may be that a sample does not show. ``without``: profiles whose rules no change of
    state in such a log comes from.
    """

    name: str
    title: str
    names: tuple[tuple[str, str], ...]
    hides: tuple[str, ...]
    reads: tuple[tuple[str, str, tuple[str, ...]], ...]
    births: tuple[tuple[str, str], ...]
    self_records: bool
    samples: bool
    absent: tuple[str, ...]
    cites: tuple[Citation, ...]
    doc: str
    span: Span
    tells: tuple[tuple[str, tuple[Reading, ...]], ...] = ()
    shows_calls: bool = False
    without: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class FlagSet:
    """Matches a message with all of ``present`` and none of ``absent``."""

    present: tuple[str, ...]
    absent: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Property:
    """A property that is to be proved.

    Kinds about the graph of states: ``reachable-from-all`` and ``one-event`` (states: one target, by some path or by
    one event), ``never-pair`` (from, to), ``pair`` (from, to must exist), ``moves`` (these pairs, no others),
    ``one-move`` (when conditions are left away, an event leads from one of ``states`` to one state), ``only-in``
    (``events`` mean nothing but in ``states``); and ``checks``, for the proofs of these names. Kinds about behaviour:

    - ``always``: ``expr`` holds after every event; ``states``: only in these (all if there are none);
    - ``each-step``: ``expr`` holds of the values before and (``After``) after every event; ``states``: those before
      and after are both among these;
    - ``never-step``: no event leads from ``states[0]`` to ``states[1]`` where ``condition`` holds (it may use After);
    - ``never-sends``: what ``events`` make it send in ``states`` (those before the event) matches none of ``flags``;
    - ``sends-nothing``: ``events`` make it send nothing at all;
    - ``always-sends``: they make it send something that matches one of ``flags`` (anything if there are none);
    - ``always-signals``, ``never-signals``: events, all if there are none, tell the user ``words``, or anything;
    - ``sends-only``: what it sends by a rule of ``states``, at any event, matches one of ``flags``.

    ``each-step`` with ``events``: only of those, whatever state they lead to. ``into``: only events that lead there.

    ``condition``: where it does not hold, nothing is asked; of the values before the event, with the message that
    arrives, its flags included. ``profiles``: those turned on or off (``no-NAME``), for ``choose_profiles``; () if
    ``under`` is not written. ``expect_failure``: why a counterexample must be found, "" if none may be.
    """

    name: str
    kind: str
    states: tuple[str, ...]
    title: str
    cites: tuple[Citation, ...]
    doc: str
    span: Span
    expr: Expr | None = None
    condition: Expr | None = None
    events: tuple[Event, ...] = ()
    flags: tuple[FlagSet, ...] = ()
    profiles: tuple[str, ...] = ()
    expect_failure: str = ""
    into: tuple[str, ...] = ()
    words: str = ""
    moves: tuple[tuple[str, str], ...] = ()
    checks: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Spec:
    """A whole spec. ``over`` is the protocol name that trace readers give to its packets (``tcp``), or "" for none.

    ``port``: only packets from or to this port are judged, -1 for all. ``by``: the key by which readers give the field
    that tells one conversation between two sockets from another, "" for none.
    ``parts``: the files that it includes, relative to the folder of ``path``, as in the ``path`` of a span.
    """

    name: str
    title: str
    over: str
    documents: tuple[str, ...]
    steps: tuple[str, ...]
    profiles: tuple[Profile, ...]
    constants: tuple[Constant, ...]
    variables: tuple[Variable, ...]
    messages: tuple[Message, ...]
    events: tuple[Event, ...]
    definitions: tuple[Definition, ...]
    states: tuple[State, ...]
    packet_rules: tuple[PacketRule, ...]
    faults: tuple[Fault, ...]
    sources: tuple[Source, ...]
    properties: tuple[Property, ...]
    doc: str
    path: str = ""
    digest: str = field(default="", compare=False)
    parts: tuple[str, ...] = ()
    scenarios: tuple[Scenario, ...] = ()
    requirements: tuple[Requirement, ...] = ()
    claims: tuple[Claim, ...] = ()
    seen: tuple[SeenField, ...] = ()
    notes: tuple[Note, ...] = ()
    observations: tuple[Observation, ...] = ()
    needs: tuple[Need, ...] = ()
    told: tuple[SeenMessage, ...] = ()
    examples: tuple[Example, ...] = ()
    by: str = ""
    port: int = -1

    @property
    def initial(self) -> State:
        """The one initial state."""
        return next(state for state in self.states if state.initial)

    def state(self, name: str) -> State:
        """The state of that name; KeyError if there is none."""
        for state in self.states:
            if state.name == name:
                return state
        raise KeyError(name)
