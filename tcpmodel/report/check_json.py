"""The report of a check as JSON for programs: see docs/json.md, which is the contract.

Owns: the names and the shape of the document.
Must never hold: words for people, or anything that is not in the report.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from tcpmodel._version import __version__
from tcpmodel.checking.outcome.findings import (
    CONFORMS,
    INCONCLUSIVE,
    VIOLATES,
    Candidate,
    Compared,
    ConnectionReport,
    Diagnostic,
    InputReport,
    Report,
)
from tcpmodel.checking.outcome.reports import since


def report_document(report: Report) -> dict[str, Any]:
    """The whole report as dictionaries, lists, texts and numbers: what ``--output-format json`` prints."""
    return {
        "tcpmodel": __version__,
        "inputs": [input_object(item) for item in report.inputs],
        "connections": [connection_object(one, report) for one in report.connections],
        "summary": summary_object(report),
    }


def lines(report: Report) -> Iterator[str]:
    """The document as lines of JSON text: each input and each connection on one line, so that no text grows large."""
    import json

    encode = json.JSONEncoder(check_circular=False).encode
    yield "{"
    yield f'"tcpmodel": {encode(__version__)},'
    yield from _list("inputs", [encode(input_object(item)) for item in report.inputs])
    yield from _list("connections", (encode(connection_object(one, report)) for one in report.connections))
    yield f'"summary": {encode(summary_object(report))}'
    yield "}"


def _list(name: str, items: list[str] | Iterator[str]) -> Iterator[str]:
    waiting = None
    yield f'"{name}": ['
    for item in items:
        if waiting is not None:
            yield f"  {waiting},"
        waiting = item
    if waiting is not None:
        yield f"  {waiting}"
    yield "],"


def record_lines(report: Report, known_inputs: int = 0, known_connections: int = 0) -> Iterator[str]:
    """JSON Lines of what was added to a report since it had so many inputs and connections.

    Each line is an object with a ``kind``: ``connection`` or ``input``, which ends those of its connections.
    """
    import json

    encode = json.JSONEncoder(check_circular=False).encode
    for one in since(report.connections, known_connections):
        yield encode({"kind": "connection", **connection_object(one, report)})
    for item in report.inputs[known_inputs:]:
        yield encode({"kind": "input", **input_object(item)})


def finding_line(one: ConnectionReport, item: Diagnostic) -> str:
    """A finding of a connection that is not over, as one of the JSON Lines."""
    import json

    return json.dumps(
        {"kind": "finding", "connection": one.id, "a": one.a, "b": one.b, **diagnostic_object(item, None)}
    )


def summary_line(report: Report) -> str:
    """The last of the JSON Lines."""
    import json

    return json.dumps({"kind": "summary", "tcpmodel": __version__, **summary_object(report)})


def input_object(item: InputReport) -> dict[str, Any]:
    """One input."""
    return {
        "path": item.path,
        "format": item.format,
        "packets": item.packets,
        "skipped": sum(item.skipped.values()),
        "skipped_reasons": dict(item.skipped),
        "source": item.source or None,
        "start": _timestamp(item.first_time),
        "notes": [diagnostic_object(note, item.first_time) for note in item.notes],
        "error": item.error.removeprefix(f"{item.path}: ") or None,
    }


def connection_object(one: ConnectionReport, report: Report) -> dict[str, Any]:
    """One connection of the report."""
    known = 0 <= one.input < len(report.inputs)
    start = report.inputs[one.input].first_time if known else None
    return {
        "id": one.id,
        "input": one.input if known else None,
        "protocol": one.protocol,
        "a": one.a,
        "b": one.b,
        "verdict": one.verdict,
        "reasons": list(one.reasons),
        "a_states": list(one.a_states),
        "b_states": list(one.b_states),
        "packets": one.packets,
        "views": [
            {"input": view.input, "id": view.id, "packets": view.packets, "verdict": view.verdict} for view in one.views
        ],
        "diagnostics": [
            diagnostic_object(item, start if item.input < 0 else report.inputs[item.input].first_time)
            for item in one.diagnostics
        ],
    }


def diagnostic_object(item: Diagnostic, start: int | None) -> dict[str, Any]:
    """One finding; ``start`` is the time of the first record of its input."""
    return {
        "code": item.code,
        "severity": item.severity,
        "endpoint": item.endpoint,
        "line" if item.in_lines else "frame": item.place,
        **({"input": item.input} if item.input >= 0 else {}),
        "time": None if item.time is None or start is None else (item.time - start) / 10**9,
        "timestamp": _timestamp(item.time),
        "message": item.message,
        "cites": list(item.cites),
        "observed": item.observed or None,
        "states": list(item.states),
        "allowed": list(item.allowed),
        "excuse": item.excuse or None,
        "requirements": list(item.requirements),
        "values": dict(item.values),
        "compared": [compared_object(each) for each in item.compared],
        "candidates": [candidate_object(each) for each in item.candidates],
        "elsewhere": list(item.elsewhere),
        "ignored": item.ignored or None,
    }


def compared_object(each: Compared) -> dict[str, Any]:
    """One field of a message beside what would have been allowed."""
    return {
        "field": each.name,
        "expected": each.expected,
        "actual": each.actual,
        "agrees": each.agrees,
        "off": each.off,
    }


def candidate_object(each: Candidate) -> dict[str, Any]:
    """One rule, and what was in its way."""
    return {
        "rule": each.rule,
        "state": each.state,
        "event": each.event,
        "problem": each.problem,
        "condition": each.condition or None,
        "values": dict(each.values),
        "message": each.message or None,
        "differing": [compared_object(field) for field in each.differing],
        "cites": list(each.cites),
    }


def summary_object(report: Report) -> dict[str, int]:
    """The counts of the whole run."""
    return {
        "conforms": report.count(CONFORMS),
        "violates": report.count(VIOLATES),
        "inconclusive": report.count(INCONCLUSIVE),
        "packets": sum(item.packets for item in report.inputs),
        "skipped": sum(sum(item.skipped.values()) for item in report.inputs),
        "errors": sum(1 for item in report.inputs if item.error),
        "ignored": sum(1 for item in report.findings() if item.ignored),
        "failing": report.failing,
    }


def _timestamp(time: int | None) -> str | None:
    """Decimal seconds with nine digits after the point, as text: more digits than a number of JSON may carry."""
    if time is None:
        return None
    sign = "-" if time < 0 else ""
    seconds, rest = divmod(abs(time), 10**9)
    return f"{sign}{seconds}.{rest:09}"
