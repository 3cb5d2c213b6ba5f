"""The course of a connection as text: one line for each message, with the states of both ends beside it.

Owns: the columns of that picture, and where findings stand in it.
Must never hold: what is kept of a course (see ``checking.sequence``).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import chain

from tcpmodel.checking.outcome.findings import ConnectionReport, Diagnostic, Report
from tcpmodel.checking.sequence import Course, Step
from tcpmodel.report.check_text import seconds_text
from tcpmodel.report.style import Style, counted

MARKS = {"violation": ("✗", "bad"), "warning": ("!", "unclear"), "note": ("-", "faint"), "capture": ("-", "faint")}


def lines(one: ConnectionReport, course: Course, report: Report, style: Style) -> Iterator[str]:
    """The lines of the picture, without line ends."""
    start = report.inputs[one.input].first_time if 0 <= one.input < len(report.inputs) else None
    steps = list(chain(course.first, course.last))
    left = max([len(one.a), *(len(states_text(step.states[0])) for step in steps)])
    middle = max([len(step.message) for step in steps], default=0) + 6
    clock = max([len(time_text(step, start)) for step in steps], default=0)
    number = max([len(str(step.number)) for step in steps], default=1)
    margin = " " * (number + 2 + clock + 2)
    yield style.paint("strong", style.clean(f"{one.id}  {one.protocol}  {one.verdict}"))
    yield f"{margin}{style.clean(f'{one.a:<{left}}')}  {'':{middle}}  {style.clean(one.b)}".rstrip()
    found = sorted(one.diagnostics, key=lambda item: item.place)
    for index, step in enumerate(steps):
        if index == len(course.first) and course.left_out:
            yield margin + style.clean(f"… {counted(course.left_out, 'message')} left out …")
        while found and found[0].place < step.number:
            yield from _finding(found.pop(0), margin, style)
        a, b = (states_text(states) for states in step.states)
        head = f"{step.number:>{number}}  {time_text(step, start):>{clock}}  "
        yield style.clean(f"{head}{a:<{left}}  {_arrow(step, middle)}  {b}")
        while found and found[0].place == step.number:
            yield from _finding(found.pop(0), margin, style)
    for item in found:
        yield from _finding(item, margin, style)


def states_text(states: Sequence[str]) -> str:
    """Where an end may be, in little room."""
    if not states:
        return "?"
    if len(states) > 2:
        return f"one of {len(states)} states"
    return " or ".join(states)


def time_text(step: Step, start: int | None) -> str:
    """Seconds since the first packet of the input."""
    return "" if step.time is None else seconds_text(step.time - (start or 0))


def finding_text(item: Diagnostic) -> str:
    """A finding in one line."""
    what = "line" if item.in_lines else "packet"
    ignored = f" (ignored: {item.ignored})" if item.ignored else ""
    return f"{what} {item.place}: {item.message} [{item.code}]{ignored}"


def _arrow(step: Step, width: int) -> str:
    room = width - len(step.message) - 3
    if step.side == 0:
        return f"-{step.message}{'-' * room}->"
    return f"<-{'-' * room}{step.message}-"


def _finding(item: Diagnostic, margin: str, style: Style) -> Iterator[str]:
    mark, role = MARKS[item.severity]
    yield margin + style.paint(role, style.clean(f"{mark} {finding_text(item)}"))
