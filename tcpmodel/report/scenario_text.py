"""What was done to an endpoint, as a scenario of the spec language.

Owns: how events and their outcomes are written as a scenario with one end.
Must never hold: what a scenario means, or how it is run.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from tcpmodel.semantics.stepping import Step

Values = Mapping[str, "int | str | None"]

OFF = "no-"


class Done(NamedTuple):
    """One event that happened: its text, the variables before it, its outcome, and what was chosen for it."""

    event: str
    before: Values
    step: Step
    choose: Values


def scenario(title: str, state: str, let: Values, profiles: Sequence[str], done: Sequence[Done]) -> str:
    """A scenario from ``state`` with these variables and profiles, with what each event has to lead to."""
    head = f'scenario "{_quoted(title)}" from {state}'
    on = [name for name in profiles if not name.startswith(OFF)]
    off = [name.removeprefix(OFF) for name in profiles if name.startswith(OFF)]
    head += f" with {', '.join(on)}" if on else ""
    head += f" without {', '.join(off)}" if off else ""
    if let:
        head += f" let {_pairs(let, ', ')}"
    lines = [head]
    for each in done:
        lines += [f"  choose {name} = {value}" for name, value in each.choose.items()]
        event = f"< {each.event}" if "<" in each.event else each.event
        values = {name: value for name, value in each.step.variables.items() if each.before[name] != value}
        after = f"=> {each.step.next}" + (f" ({_pairs(values, ', ')})" if values else "")
        lines.append(f"  {event:40} {after}")
        lines += [f"  > {message}" for message in each.step.sent or ("nothing",)]
        lines += [f'  signal "{_quoted(text)}"' for text in each.step.signals]
    return "\n".join(lines) + "\n"


def _pairs(values: Values, between: str) -> str:
    return between.join(f"{name} = {'unset' if value is None else value}" for name, value in values.items())


def _quoted(text: str) -> str:
    return text.replace("\\", "/").replace('"', "'")
