"""The report of a check as workflow commands of GitHub Actions: annotations beside the run.

Owns: the syntax of these commands, and what they must not contain.
Must never hold: a verdict or a rule: those come from the report.
"""

from __future__ import annotations

from collections.abc import Iterator

from tcpmodel.checking.outcome.findings import Diagnostic, Report
from tcpmodel.report.check_text import shown_path
from tcpmodel.report.finding_text import clauses, compared
from tcpmodel.report.style import counted, printable

_COMMANDS = {"violation": "error", "warning": "warning", "note": "notice"}
_OF_INPUTS = {**_COMMANDS, "capture": "notice"}


def lines(report: Report) -> Iterator[str]:
    """One command for each finding that is not ignored, and one for each input in error.

    Faults of the capture are told where they are said of a whole input. The last line is a sentence for people.
    """
    for one in report.connections:
        path = report.inputs[one.input].path if 0 <= one.input < len(report.inputs) else ""
        for item in one.diagnostics:
            if item.ignored or item.severity not in _COMMANDS:
                continue
            place = f"{'line' if item.in_lines else 'packet'} {item.place}"
            file = report.inputs[item.input].path if item.input >= 0 else path
            properties = {
                "file": file if file != "-" else "",
                "line": str(item.place) if item.in_lines else "",
                "title": f"{item.code} ({one.id}, {place})",
            }
            yield command(_COMMANDS[item.severity], properties, _words(item, place))
    for each in report.inputs:
        for item in each.notes:
            if not item.ignored:
                place = f"{'line' if item.in_lines else 'packet'} {item.place}"
                properties = {"file": each.path if each.path != "-" else "", "title": item.code}
                yield command(_OF_INPUTS[item.severity], properties, f"{item.message}, the first with {place}")
        if each.error:
            properties = {"file": each.path if each.path != "-" else "", "title": "not readable"}
            yield command("error", properties, f"{shown_path(each.path)}: {each.error.removeprefix(f'{each.path}: ')}")
    failing = counted(report.failing, "finding")
    yield f"tcpmodel: {counted(len(report.connections), 'connection')} checked, {failing} to act upon"


def command(name: str, properties: dict[str, str], message: str) -> str:
    """``::error file=x::message``; properties that are empty are left out."""
    given = ",".join(f"{key}={_property(value)}" for key, value in properties.items() if value)
    return f"::{name}{' ' if given else ''}{given}::{_data(message)}"


def _data(text: str) -> str:
    """The text of a command: percent and line ends are its syntax; what else could act on a terminal is shown."""
    kept = "\n".join(printable(line) for line in text.split("\n"))
    return kept.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")


def _words(item: Diagnostic, place: str) -> str:
    told = item.message if item.message.startswith(item.endpoint) else f"{item.endpoint} {item.message}"
    texts = [f"{place}: {told}"]
    if item.observed:
        texts.append(f"seen: {item.observed}")
    texts += [compared(each) for each in item.compared if not each.agrees]
    if item.cites:
        texts.append(f"clause: {clauses(item.cites)}")
    return "\n".join(texts)
