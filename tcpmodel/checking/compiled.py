"""What was recorded, as plain functions.

Owns: making a function of the bounds and results of a recorded computation. Its text is made of numbers alone.
Must never hold: what is computed.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tcpmodel.checking.recording import Base, Number, Recorder


def compile_way(recorder: Recorder, target: Any, outputs: Sequence[Number | int], own: int) -> Any:
    """A function of the first ``own`` inputs and of the others that gives (target, outputs) within the bounds."""
    used: set[int] = set()

    def sum_of(base: Base) -> str:
        parts: list[str] = []
        for index, factor in base:
            used.add(index)
            name = f"n{index}"
            sign = "-" if factor < 0 else "+"
            parts.append(f"{sign}{name}" if abs(factor) == 1 else f"{sign}{abs(factor)}*{name}")
        return "".join(parts).removeprefix("+")

    tests: list[str] = []
    for base, low, high in recorder.conditions():
        text = sum_of(base)
        if low == high:
            tests.append(f"{text}=={low}")
        else:
            lower = f"{low}<=" if low > -(1 << 61) else ""
            upper = f"<={high}" if high < 1 << 61 else ""
            tests.append(f"{lower}{text}{upper}")
    values: list[str] = []
    for number in outputs:
        if isinstance(number, Number):
            text = sum_of(recorder.bases[number.base])
            values.append(f"{text}{number.constant:+d}" if number.constant else text)
        else:
            values.append(str(number))
    lines = ["def way(s,p):"]
    for index in sorted(used):
        lines.append(f" n{index}={f's[{index}]' if index < own else f'p[{index - own}]'}")
    lines.append(f" if {' and '.join(tests) or 'True'}:")
    lines.append(f"  return target,({','.join(values)}{',' if values else ''})")
    scope: dict[str, Any] = {"target": target}
    exec("\n".join(lines), scope)
    return scope["way"]
