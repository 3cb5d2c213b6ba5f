"""Resolves the actions of one rule.

Owns: assignments, choices, what is sent, signals.
Must never hold: the header of a rule (see ``rules``).
"""

from __future__ import annotations

from tcpmodel.language import syntax
from tcpmodel.language.syntax import Word
from tcpmodel.model import spec
from tcpmodel.model.types import DURATION, Seq
from tcpmodel.model.typing import Typer, in_view, read_type


class Actions:
    """The actions of one rule; chosen values are known to the actions after them."""

    def __init__(self, typer: Typer) -> None:
        self.typer = typer
        self.names = typer.names
        self.report = typer.report

    def resolve(self, nodes: list[syntax.ActionNode]) -> tuple[spec.Action, ...]:
        """All actions in order; those with errors are left out."""
        out: list[spec.Action] = []
        for node in nodes:
            match node:
                case syntax.AssignAction():
                    out += self._assign(node)
                case syntax.AnewAction():
                    out += self._anew(node)
                case syntax.ChooseAction():
                    out += self._choose(node)
                case syntax.SendAction():
                    out += self._send(node)
                case syntax.SignalAction():
                    when = self.typer.conditions([node.condition] if node.condition else [])
                    out += [spec.Signal(node.text.text, self.typer.all_of(when or []), node.span)]
        return tuple(out)

    def _assign(self, node: syntax.AssignAction) -> list[spec.Action]:
        name = node.target.text
        variable = self.names.variables.get(name)
        if variable is None:
            self._not_a_variable(node.target)
            if node.value is not None:
                self.typer.expression(node.value)
            return []
        if node.how == "any":
            return [spec.Assign(name, None, False, node.span)]
        if node.how == "unset":
            if variable.optional:
                return [spec.Assign(name, None, True, node.span)]
            help_ = f"declare it as `{name} : optional {variable.type}`"
            self.report.error("TS036", f"`{name}` cannot be unset", node.span, help_)
            return []
        assert node.value is not None
        value = self.typer.value(node.value, variable.type)
        return [spec.Assign(name, value, False, node.span)] if value is not None else []

    def _anew(self, node: syntax.AnewAction) -> list[spec.Action]:
        """What is free stays, for it belongs to the host; so does what has no value at first: a rule must set it."""
        return [
            spec.Assign(variable.name, variable.initial, variable.initial is None, node.span)
            for variable in self.names.variables.values()
            if not variable.free and (variable.initial is not None or variable.optional)
        ]

    def _not_a_variable(self, word: Word) -> None:
        name, message = word.text, self.names.message_of(word.text)
        what = ""
        if name in self.typer.local:
            what = "a value that this rule chose"
        elif name in self.names.definitions:
            constant = isinstance(self.names.definitions[name], syntax.ConstDecl)
            what = "a constant" if constant else "a definition"
        elif message:
            what = f"a field of {message}"
        if what:
            help_ = "only variables (`var`) can be assigned"
            self.report.error("TS034", f"`{name}` is {what} and cannot be assigned", word.span, help_)
        elif name not in self.names.broken:
            self.report.unknown("TS011", "variable", word, self.names.variables)

    def _choose(self, node: syntax.ChooseAction) -> list[spec.Action]:
        out: list[spec.Choose] = []
        for word, type_node in node.choices:
            type_ = read_type(type_node, self.report, ("local", "peer"))
            name = word.text
            taken = name in self.typer.local or name in self.names.variables or name in self.names.definitions
            if taken or self.names.message_of(name):
                help_ = "give the chosen value a name of its own"
                self.report.error("TS020", f"`{name}` already means something else", word.span, help_)
            elif type_ is not None:
                self.typer.local[name] = type_
                out.append(spec.Choose(name, type_, None, word.span))
        if node.where is not None:
            where = self.typer.condition(node.where)
            if out:
                last = out[-1]
                out[-1] = spec.Choose(last.name, last.type, where, last.span)
        return list(out)

    # ---------------------------------------------------------------------------------------------------------- send

    def _send(self, node: syntax.SendAction) -> list[spec.Action]:
        typer = self.typer
        message = self._message(node)
        if message is None:
            return []
        fields: list[tuple[str, spec.Expr]] = []
        flags: list[str] = []
        seen: set[str] = set()
        for word, values in node.fields:
            if word.text in seen:
                self.report.error("TS020", f"`{word.text}` stands twice in one send", word.span, "leave one of them")
                continue
            seen.add(word.text)
            if word.text == "CTL" and all(field.name != "CTL" for field in message.fields):
                flags = self._flags(values, message)
            else:
                fields += self._field(word, values, message)
        when = typer.conditions(node.conditions)
        where = self._wheres(node, message)
        within = [typer.value(value, DURATION) for value in node.within]
        for extra in node.within[1:]:
            self.report.error("TS004", "a second `within` in one send", extra.span, "leave one of them")
        return [
            spec.Send(
                message.name,
                tuple(fields),
                tuple(flags),
                typer.all_of(when or []),
                where,
                within[0] if within else None,
                node.optional,
                node.text,
                node.span,
            )
        ]

    def _message(self, node: syntax.SendAction) -> spec.Message | None:
        messages = self.names.messages
        if node.message is not None:
            if self.names.known("message", node.message, messages, "TS018"):
                return messages[node.message.text]
        elif len(messages) == 1:
            return next(iter(messages.values()))
        elif not messages:
            self.report.error("TS018", "the spec declares no message to send", node.span, "declare one: message SEG")
        else:
            help_ = "write: send " + next(iter(messages)) + " <...>"
            self.report.error("TS018", "the spec has several messages: which one is sent?", node.span, help_)
        return None

    def _flags(self, values: list[syntax.Node], message: spec.Message) -> list[str]:
        flags: list[str] = []
        for value in values:
            word = Word(value.text, value.span)
            if not isinstance(value, syntax.Name):
                self.report.error("TS013", f"`{value.text}` is not a flag", value.span, "write: <CTL=SYN,ACK>")
            elif value.name in message.marks:
                help_ = "marks may accompany any message: leave it away"
                self.report.error("TS013", f"`{value.name}` is a mark, not a flag", value.span, help_)
            elif self.names.known("flag", word, message.flags, "TS013"):
                if value.name in flags:
                    self.report.error("TS020", f"`{value.name}` stands twice", value.span, "leave one of them")
                else:
                    flags.append(value.name)
        return flags

    def _field(self, word: Word, values: list[syntax.Node], message: spec.Message) -> list[tuple[str, spec.Expr]]:
        field = next((field for field in message.fields if field.name == word.text), None)
        for extra in values[1:]:
            self.report.error("TS030", "a field has one value", extra.span, "leave one of them")
        if field is None:
            if f"{message.name}.{word.text}" in self.names.definitions:
                text = f"`{message.name}.{word.text}` is computed from other fields and cannot be sent"
                self.report.error("TS034", text, word.span, "give the fields that it is computed from")
            elif message.name not in self.names.broken:
                known = [field.name for field in message.fields] + ["CTL"]
                self.report.unknown("TS014", "field", word, known)
            self.typer.expression(values[0])
            return []
        self.names.used.add(("value", f"{message.name}.{word.text}"))
        type_ = in_view(field.type, "sent")
        value = self.typer.value(values[0], type_, zero=isinstance(type_, Seq))
        return [] if value is None else [(field.name, value)]

    def _wheres(self, node: syntax.SendAction, message: spec.Message) -> spec.Expr | None:
        """``where`` is about the message as it is sent."""
        sent = Typer(self.names, self.typer.definitions, self.report, "sent", message.name)
        sent.local = self.typer.local
        found = [sent.condition(where) for where in node.wheres]
        return sent.all_of([where for where in found if where is not None])
