"""Gives every expression its type, and says what is wrong with it.

Owns: which operands an operator takes and what comes out; what a name in an expression means.
Must never hold: rules, states, or the syntax of the language.

The same words mean different things in two views: of a message that arrived (``received``) the sender is the peer; of
one that is sent (``sent``) the sender is this end. Where there is no message at all, the view is ``none``.
"""

from __future__ import annotations

from tcpmodel.language import syntax
from tcpmodel.language.span import Span
from tcpmodel.language.syntax import Word
from tcpmodel.model import spec
from tcpmodel.model.definitions import Definitions, Seen
from tcpmodel.model.names import Names, Report
from tcpmodel.model.observer import PEER
from tcpmodel.model.types import BOOL, DURATION, LOCAL, OCTETS, Duration, Enum, Octets, Range, Seq, Type
from tcpmodel.model.types import PEER as PEER_NUMBERS


def is_number(type_: Type) -> bool:
    """Whether values of the type are plain amounts."""
    return isinstance(type_, Octets | Range)


def in_view(type_: Type, view: str) -> Type:
    """The type of a message field where the message is at hand."""
    if not isinstance(type_, Seq) or type_.space not in ("sender", "receiver"):
        return type_
    return PEER_NUMBERS if (type_.space == "sender") == (view == "received") else LOCAL


def read_type(node: syntax.TypeName, report: Report, spaces: tuple[str, ...]) -> Type | None:
    """The type that is written there; ``spaces`` are the words that ``seq`` takes here."""
    words = [word.text for word in node.words]
    if node.kind == "range":
        if node.low <= node.high:
            return Range(node.low, node.high)
        report.error("TS033", f"an empty range: {node.low}..{node.high}", node.span, f"{node.high}..{node.low}")
        return None
    if node.kind == "call":
        if words[0] == "seq" and words[1] in spaces:
            return Seq(words[1])
    elif words == ["octets"]:
        return OCTETS
    elif words == ["duration"]:
        return DURATION
    elif len(words) > 1:
        if len(set(words)) < len(words):
            report.error("TS020", "a word stands twice in one type", node.span, "leave one of them")
        return Enum(tuple(dict.fromkeys(words)))
    help_ = f"a type is one of: {', '.join(f'seq({space})' for space in spaces)}, octets, duration, 0..1, this | that"
    report.error("TS033", f"unknown type `{'('.join(words)}{')' if node.kind == 'call' else ''}`", node.span, help_)
    return None


class Typer:
    """Resolves expressions of one place. ``message`` is the message at hand, "" for none; ``local`` chosen values.

    ``closed`` holds the reason why variables cannot be read here, or "". ``open``: the first message that is named is
    the one at hand (in a definition). ``after``: values after an event can be asked for. ``watching``: an observer
    asks, who knows notes and what is seen besides the fields of a message.
    """

    def __init__(self, names: Names, definitions: Definitions, report: Report, view: str, message: str) -> None:
        self.names = names
        self.definitions = definitions
        self.report = report
        self.view = view
        self.message = message
        self.local: dict[str, Type] = {}
        self.closed = ""
        self.open = False
        self.after = False
        self.watching = False

    # ------------------------------------------------------------------------------------------------ entry points

    def condition(self, node: syntax.Node) -> spec.Expr | None:
        """The expression, which must be a condition."""
        found = self.expression(node)
        if found is None or found.type == BOOL:
            return found
        self.report.error("TS030", f"a condition is needed here, this is {found.type}", node.span, "compare it: a < b")
        return None

    def value(self, node: syntax.Node, want: Type, zero: bool = False, number: bool = False) -> spec.Expr | None:
        """The expression, which must fit the type.

        ``zero``: a literal 0 may stand for a sequence number; ``number``: any literal number may.
        """
        found = self.expression(node, want)
        if found is None:
            return None
        if isinstance(want, Seq) and (zero or number) and isinstance(found, spec.Literal) and is_number(found.type):
            if found.value == 0 or (number and found.value < 2**32):
                return spec.Literal(want, found.span, found.text, found.value)
        elif self.fits(want, found.type):
            if isinstance(want, Range) and isinstance(found, spec.Literal):
                if not want.low <= found.value <= want.high:
                    self.report.error("TS032", f"{found.value} is not in {want}", node.span, f"a value of {want}")
                    return None
                return found
            return found
        self._mismatch(node.span, want, found.type)
        return None

    def all_of(self, parts: list[spec.Expr]) -> spec.Expr | None:
        """The conjunction of conditions, in order; None if there are none."""
        flat: list[spec.Expr] = []
        for part in parts:
            flat += part.operands if isinstance(part, spec.And) else [part]
        if len(flat) < 2:
            return flat[0] if flat else None
        first, last = parts[0].span, parts[-1].span
        text = " and ".join(f"({p.text})" if isinstance(p, spec.Or) and p.text[0] != "(" else p.text for p in parts)
        return spec.And(BOOL, first.to(last), text, tuple(flat))

    def conditions(self, nodes: list[syntax.Condition]) -> list[spec.Expr] | None:
        """``when``/``unless`` parts as conditions; None if one of them is wrong."""
        out: list[spec.Expr] = []
        wrong = False
        for node in nodes:
            found = self.condition(node.expression)
            if found is None:
                wrong = True
            elif node.wanted:
                out.append(found)
            else:
                plain = isinstance(found, spec.DefinitionRef | spec.IsSet | spec.HasFlags | spec.Compare)
                text = found.text if plain or found.text.startswith("(") else f"({found.text})"
                out.append(spec.Not(BOOL, found.span, f"not {text}", found))
        return None if wrong else out

    @staticmethod
    def fits(want: Type, found: Type) -> bool:
        """Whether a value of type ``found`` may stand where ``want`` is needed."""
        return want == found or (is_number(want) and is_number(found))

    # ------------------------------------------------------------------------------------------------- expressions

    def expression(self, node: syntax.Node, want: Type | None = None) -> spec.Expr | None:
        """The resolved expression, or None after an error; ``want`` only helps to understand words of an enum."""
        match node:
            case syntax.Name():
                found_ = self._name(node, want)
                return self._after(found_, node.name, node.text) if node.after else found_
            case syntax.Number():
                return spec.Literal(OCTETS, node.span, node.text, node.value)
            case syntax.Time():
                return spec.Literal(DURATION, node.span, node.text, node.value)
            case syntax.Truth():
                return spec.Literal(BOOL, node.span, node.text, int(node.value))
            case syntax.Binary():
                return self._arithmetic(node)
            case syntax.Chain():
                return self._chain(node)
            case syntax.Negation():
                inner = self.condition(node.operand)
                return inner and spec.Not(BOOL, node.span, node.text, inner)
            case syntax.Junction():
                found = [self.condition(operand) for operand in node.operands]
                operands = tuple(operand for operand in found if operand is not None)
                if len(operands) < len(found):
                    return None
                return (spec.And if node.op == "and" else spec.Or)(BOOL, node.span, node.text, operands)
            case syntax.SetTest():
                return self._set_test(node)
            case syntax.FlagTest():
                return self.flags(node.message, node.present, node.absent, node.span, node.text)
        raise TypeError(node)

    def _name(self, node: syntax.Name, want: Type | None) -> spec.Expr | None:
        name, span, text, names = node.name, node.span, node.text, self.names
        if name in self.local:
            return spec.LocalRef(self.local[name], span, text, name)
        if isinstance(want, Enum) and name in want.words:
            return spec.Literal(want, span, text, want.words.index(name))
        if name in names.variables:
            names.used.add(("value", name))
            if self.closed:
                self.report.error("TS037", f"`{name}` cannot be used here: {self.closed}", span)
                return None
            return spec.VarRef(names.variables[name].type, span, text, name)
        if names.note_of(name) is not None or name in names.seen:
            return self._noted(name, span, text)
        message = names.message_of(name)
        if name in names.definitions:
            if message and not self._at_hand(Word(name, span), message):
                return None
            return self._definition(node)
        if message:
            return self._field(node, message)
        if name not in names.broken:
            known = [*self.local, *names.variables, *names.definitions, *self._fields()]
            if self.watching:
                known += names.notes
            self.report.unknown("TS011", "name", Word(name, span), known)
        return None

    def _noted(self, name: str, span: Span, text: str) -> spec.Expr | None:
        """A note, or a field that only observers see."""
        self.names.used.add(("value", name.removeprefix(PEER)))
        if not self.watching:
            help_ = "only what observers judge knows it: `rule ... over direction` or `over connection`, and `observe`"
            self.report.error("TS056", f"`{name}` cannot be used here", span, help_)
            return None
        seen = self.names.seen.get(name)
        if seen is not None:
            if not self._at_hand(Word(name, span), seen.message):
                return None
            return spec.FieldRef(in_view(seen.type, self.view), span, text, seen.message, seen.name)
        note = self.names.note_of(name)
        assert note is not None
        type_ = note.type
        if isinstance(type_, Seq) and name not in self.names.notes:
            type_ = PEER_NUMBERS if type_ == LOCAL else LOCAL
        return spec.VarRef(type_, span, text, name)

    def _fields(self) -> list[str]:
        fields = [
            f"{message.name}.{field.name}" for message in self.names.messages.values() for field in message.fields
        ]
        return fields + list(self.names.seen) if self.watching else fields

    def _seen(self, name: str) -> Seen:
        """The definition of that name as it is here."""
        return self.definitions.seen(name, "watched" if self.watching else self.view)

    def _definition(self, node: syntax.Name) -> spec.Expr | None:
        self.names.used.add(("value", node.name))
        found = self._seen(node.name)
        if found.body is None:
            if found.elsewhere:
                first = found.errors[0]
                help_ = first.help if first.help.startswith(_INSIDE) else f"{_INSIDE} {first.message}"
                self.report.error("TS035", f"`{node.name}` cannot be used {self._where()}", node.span, help_)
            return None
        if found.message and not self._at_hand(Word(node.name, node.span), found.message):
            return None
        if self.closed and found.variable:
            self.report.error("TS037", f"`{node.name}` reads `{found.variable}`: {self.closed}", node.span)
            return None
        return spec.DefinitionRef(found.body.type, node.span, node.text, node.name)

    def _field(self, node: syntax.Name, message: str) -> spec.Expr | None:
        word = Word(node.name, node.span)
        name = node.name[len(message) + 1 :]
        declared = self.names.messages.get(message)
        for field in declared.fields if declared is not None else ():
            if field.name == name:
                self.names.used.add(("value", node.name))
                if not self._at_hand(word, message):
                    return None
                return spec.FieldRef(in_view(field.type, self.view), node.span, node.text, message, name)
        if node.name not in self.names.broken and message not in self.names.broken:
            derived = [other for other in self.names.definitions if other.startswith(message + ".")]
            self.report.unknown("TS014", "field", word, [*self._fields(), *derived])
        return None

    def _at_hand(self, word: Word, message: str) -> bool:
        if self.open:
            self.message = self.message or message
        if self.message == message:
            return True
        help_ = f"only a rule about {message} can use it"
        self.report.error("TS035", f"`{word.text}` cannot be used {self._where()}", word.span, help_)
        return False

    def _where(self) -> str:
        if not self.message:
            return "here: there is no message at hand"
        return "here: the message is " + (f"{self.message}, and it is sent" if self.view == "sent" else self.message)

    def _set_test(self, node: syntax.SetTest) -> spec.Expr | None:
        name = node.name.text
        if name in self.names.seen or self.names.note_of(name) is not None:
            return self._noted_test(node, name)
        variable = self.names.variables.get(name)
        if variable is None:
            if name not in self.names.broken:
                self.report.unknown("TS011", "variable", node.name, self.names.variables)
            return None
        self.names.used.add(("value", name))
        if self.closed:
            self.report.error("TS037", f"`{name}` cannot be used here: {self.closed}", node.span)
            return None
        return self._whether_set(node, name, variable.optional, variable.type)

    def _noted_test(self, node: syntax.SetTest, name: str) -> spec.Expr | None:
        if self._noted(name, node.span, name) is None:
            return None
        declared = self.names.seen.get(name) or self.names.note_of(name)
        assert declared is not None
        return self._whether_set(node, name, declared.optional, declared.type)

    def _whether_set(self, node: syntax.SetTest, name: str, optional: bool, type_: Type) -> spec.Expr | None:
        """Is what was declared as ``name`` set? An error for what always is."""
        if not optional:
            help_ = f"declare it as `{name} : optional {type_}`, or leave the test away"
            self.report.error("TS036", f"`{name}` is never unset", node.span, help_)
            return None
        test: spec.Expr | None = spec.IsSet(BOOL, node.span, f"{name} is set", name)
        if node.after:
            test = self._after(test, name, f"{name}' is set")
        return test if node.wanted or test is None else spec.Not(BOOL, node.span, node.text, test)

    def _after(self, operand: spec.Expr | None, name: str, text: str) -> spec.Expr | None:
        """The value after the event."""
        if operand is None:
            return None
        named = isinstance(operand, spec.DefinitionRef) and (self.watching or self._seen(name).message)
        if not self.after:
            help_ = "only `each step`, `never A -> B when`, `once` and `lapses` know values after an event"
            self.report.error("TS055", f"`{name}'` cannot be used here", operand.span, help_)
            return None
        if (
            named
            or name in self.definitions.constants
            or not isinstance(operand, spec.VarRef | spec.DefinitionRef | spec.IsSet)
        ):
            self.report.error("TS055", f"`{name}` has no value after an event", operand.span, "leave the apostrophe")
            return None
        return spec.After(operand.type, operand.span, text, operand)

    def flags(
        self, message: Word, present: list[Word], absent: list[Word], span: Span, text: str
    ) -> spec.HasFlags | None:
        """``message with present without absent``."""
        if message.text not in self.names.messages:
            if message.text not in self.names.broken:
                self.report.unknown("TS018", "message", message, self.names.messages)
            return None
        if not self._at_hand(message, message.text):
            return None
        declared = self.names.messages[message.text]
        known = (*declared.flags, *declared.marks)
        right = [self.names.known("flag", word, known, "TS013") for word in (*present, *absent)]
        if not all(right):
            return None
        for word in absent:
            if word.text in {other.text for other in present}:
                self.report.error("TS020", f"`{word.text}` is asked for and excluded", word.span, "leave one of them")
        return spec.HasFlags(
            BOOL, span, text, message.text, tuple(word.text for word in present), tuple(word.text for word in absent)
        )

    # --------------------------------------------------------------------------------------------------- operators

    def _arithmetic(self, node: syntax.Binary) -> spec.Expr | None:
        left, right = self.expression(node.left), self.expression(node.right)
        if left is None or right is None:
            return None
        type_ = _result(node.op, left.type, right.type)
        if type_ is None:
            self._operands(node.op, node.span, left.type, right.type)
            return None
        return spec.Arithmetic(type_, node.span, node.text, node.op, left, right)

    def _chain(self, node: syntax.Chain) -> spec.Expr | None:
        operands = self._operands_of(node)
        parts: list[spec.Expr] = []
        wrong = False
        for at, op in enumerate(node.ops):
            left, right = operands[at], operands[at + 1]
            if left is None or right is None:
                wrong = True
                continue
            if not self._comparable(op, left, right):
                wrong = True
                continue
            first, last = left.span, right.span
            span = first.to(last)
            text = node.text if len(node.ops) == 1 else f"{left.text} {op} {right.text}"
            if op in (">", ">="):
                op, left, right = ("<" if op == ">" else "=<"), right, left
            parts.append(spec.Compare(BOOL, span, text, op, left, right))
        if wrong:
            return None
        return parts[0] if len(parts) == 1 else spec.And(BOOL, node.span, node.text, tuple(parts))

    def _operands_of(self, node: syntax.Chain) -> list[spec.Expr | None]:
        """The operands; a word of an enum gets its meaning from its neighbour."""
        operands: list[spec.Expr | None] = [None] * len(node.operands)
        later: list[int] = []
        for at, operand in enumerate(node.operands):
            if isinstance(operand, syntax.Name) and not self._declared(operand.name):
                later.append(at)
            else:
                operands[at] = self.expression(operand)
        for at in later:
            around = [operands[other] for other in (at - 1, at + 1) if 0 <= other < len(operands)]
            want = next((o.type for o in around if o is not None and isinstance(o.type, Enum)), None)
            operand = node.operands[at]
            assert isinstance(operand, syntax.Name)
            if want is not None and operand.name not in want.words:
                word = Word(operand.name, operand.span)
                if operand.name not in self.names.broken:
                    self.report.unknown("TS011", "word", word, want.words)
                continue
            operands[at] = self.expression(operand, want)
        return operands

    def _declared(self, name: str) -> bool:
        names = self.names
        if name in self.local or name in names.variables or name in names.definitions:
            return True
        return bool(names.message_of(name)) or names.note_of(name) is not None

    def _comparable(self, op: str, left: spec.Expr, right: spec.Expr) -> bool:
        one, other = left.type, right.type
        span = left.span.to(right.span)
        if not self.fits(one, other):
            self._operands(op, span, one, other)
            return False
        if op not in ("=", "!=") and (isinstance(one, Enum) or one == BOOL):
            self.report.error("TS030", f"`{op}` has no meaning for {one}", span, "use `=` or `!=`")
            return False
        return True

    def _operands(self, op: str, span: Span, left: Type, right: Type) -> None:
        if isinstance(left, Seq) and isinstance(right, Seq) and left != right:
            message = f"`{op}` between {left} and {right}: the two ends number their octets independently"
            self.report.error("TS031", message, span, "use a variable or field that is numbered by the same end")
        else:
            self.report.error("TS030", f"`{op}` cannot take {left} and {right}", span, _OPERANDS.get(op, _SAME))

    def _mismatch(self, span: Span, want: Type, found: Type) -> None:
        if isinstance(want, Seq) and isinstance(found, Seq):
            message = f"{want} is needed here, this is {found}: the two ends number their octets independently"
            self.report.error("TS031", message, span, "use a variable or field that is numbered by the same end")
        else:
            self.report.error("TS030", f"{want} is needed here, this is {found}", span, f"give a value of type {want}")


_INSIDE = "inside it:"
_SAME = "both sides must have the same type"
_OPERANDS = {
    "+": "seq + octets, octets + octets and duration + duration can be added",
    "-": "seq - octets, seq - seq of the same end, octets - octets and duration - duration can be subtracted",
    "*": "octets * octets and octets * duration can be multiplied",
    "/": "octets / octets and duration / octets can be divided",
    "mod": "octets mod octets is a remainder",
    "shifted": "shifted(octets, bits) moves a number to the left",
}


def _result(op: str, left: Type, right: Type) -> Type | None:
    numbers = is_number(left), is_number(right)
    if numbers == (True, True):
        return OCTETS
    if op in ("max", "min"):
        return left if left == right and isinstance(left, Seq | Duration) else None
    if isinstance(left, Seq):
        if op in "+-" and numbers[1]:
            return left
        return OCTETS if op == "-" and left == right else None
    if isinstance(right, Seq):
        return right if op == "+" and numbers[0] else None
    if left == right == DURATION:
        return DURATION if op in "+-" else OCTETS if op == "/" else None
    if (left == DURATION and numbers[1] and op in "*/") or (right == DURATION and numbers[0] and op == "*"):
        return DURATION
    return None
