"""What a run need not try: rules that cannot lead to an outcome that is wanted.

Owns: for each rule that an event may fire, whether taking it can end in a run in which nothing had to be sent that was
not seen, and, where a message is looked for, whether that message can still be sent.
Must never hold: how a rule is carried out (see ``execution``), or anything of a protocol.

Leaving such rules out changes no outcome that is wanted: it only asks less of the numbers.
"""

from __future__ import annotations

from typing import NamedTuple

from tcpmodel.semantics.program import CompiledRule, CompiledSend, EventKey, Program

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
