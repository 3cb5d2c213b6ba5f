"""What a run need not try: rules that cannot lead to an outcome that is wanted.

Owns: for each rule that an event may fire, whether taking it can end in a run in which nothing had to be sent that was
not seen, and, where a message is looked for, whether that message can still be sent, and with which fields.
Must never hold: how a rule is carried out (see ``execution``), or anything of a protocol.

Leaving such rules out changes no outcome that is wanted: it only asks less of the numbers.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from tcpmodel.semantics.expressions import Environment, Evaluate
from tcpmodel.semantics.program import (
    CompiledAction,
    CompiledAssign,
    CompiledRule,
    CompiledSend,
    EventKey,
    Program,
)
from tcpmodel.semantics.slicing import only_reads
from tcpmodel.semantics.values import Interval, apart

What = tuple[str, int]
"""A message and its flags."""


class Prospects(NamedTuple):
    """For each rule, in the order in which they are tried. ``taken``: is it worth while to take it? ``left``: is it to
    try it, or one behind it?"""

    taken: list[bool]
    left: list[bool]


def prospects(
    program: Program, state: int, event: EventKey, flags: int | None, wanted: What | None, unseen: bool = False
) -> Prospects:
    """Those of the rules of ``state`` while nothing that is wanted was sent.

    ``wanted``: only outcomes that send this message are; None if all are. ``unseen``: what must be sent beside it may
    be sent unseen.
    """
    key = (state, event, flags, wanted, unseen)
    known: Prospects | None = program.prospects.get(key)
    if known is None:
        rules = program.rules_for(state, event, flags)
        taken = [_hopeful(program, state, event, rules, index, wanted, unseen) for index in range(len(rules))]
        left = [wanted is None or any(taken[index:]) for index in range(len(rules))]
        known = program.prospects[key] = Prospects(taken, left)
    return known


def _hopeful(
    program: Program,
    state: int,
    event: EventKey,
    rules: list[CompiledRule],
    index: int,
    wanted: What | None,
    unseen: bool,
) -> bool:
    rule = rules[index]
    for action in rule.actions:
        if isinstance(action, CompiledSend):
            if (action.message, action.flags) == wanted:
                return True
            if action.required and action.when is None and not unseen:
                return False
    if wanted is None:
        return True
    if not rule.continues:
        return False
    if rule.target != state:
        return wanted in program.sends[rule.target].get(event, ())
    return any(_hopeful(program, state, event, rules, later, wanted, unseen) for later in range(index + 1, len(rules)))


Fields = tuple[tuple[int, Evaluate], ...]
"""Slots of a message that is sent, and what stands there."""


def settled_fields(
    program: Program, state: int, event: EventKey, flags: int | None, wanted: What
) -> tuple[Fields, ...] | None:
    """For each way to send what is wanted, the fields of which all is known before any rule is tried.

    They hold values of which rules may only narrow what is known. None: some way has no such field.
    """
    key = ("fields", state, event, flags, wanted)
    if key not in program.prospects:
        rules = _reached(program, state, event, flags)
        set_before: set[str] = set()
        for rule in rules:
            if rule.continues:
                set_before |= _set_by(rule.actions)
        found: dict[tuple[tuple[int, str], ...], Fields] = {}
        for rule in rules:
            for place, action in enumerate(rule.actions):
                if isinstance(action, CompiledSend) and (action.message, action.flags) == wanted:
                    changed = set_before | _set_by(rule.actions[:place])
                    named = _settled(program, action, changed)
                    told = tuple([(slot, text) for slot, text, _ in named])
                    found[told] = tuple([(slot, evaluate) for slot, _, evaluate in named])
        program.prospects[key] = tuple(found.values()) if all(found.values()) else None
    known: tuple[Fields, ...] | None = program.prospects[key]
    return known


def _reached(program: Program, state: int, event: EventKey, flags: int | None) -> list[CompiledRule]:
    """The rules that one event may fire, one after the other."""
    found: list[CompiledRule] = []
    seen = {state}
    waiting = [state]
    while waiting:
        for rule in program.rules_for(waiting.pop(), event, flags):
            found.append(rule)
            if rule.continues and rule.target not in seen:
                seen.add(rule.target)
                waiting.append(rule.target)
    return found


def _set_by(actions: Sequence[CompiledAction]) -> set[str]:
    return {action.source.variable for action in actions if isinstance(action, CompiledAssign)}


def _settled(program: Program, action: CompiledSend, changed: set[str]) -> list[tuple[int, str, Evaluate]]:
    free = {slot for slot, _ in program.free}
    names = {name for name, slot in program.layout.variables.items() if slot not in free} - changed
    given = dict(action.source.fields)
    spec = program.spec
    message = next(each for each in spec.messages if each.name == action.message)
    exprs = {program.layout.fields[message.name, item.name]: given.get(item.name) for item in message.fields}
    found: list[tuple[int, str, Evaluate]] = []
    for slot, value, raw in action.fields:
        expr = exprs[slot]
        if raw is None and (expr is None or only_reads(expr, spec, names)):
            found.append((slot, "" if expr is None else expr.text, value.evaluate))
    return found


def possible(fields: tuple[Fields, ...], environment: Environment, seen: Mapping[int, Interval | None]) -> bool:
    """May one of these be the message that was seen?"""
    for way in fields:
        for slot, evaluate in way:
            known = seen[slot]
            if known is not None and apart(evaluate(environment), known):
                break
        else:
            return True
    return False
