"""The report of a check as SARIF 2.1.0, which platforms for code and tests read.

Owns: the names and the shape of that document.
Must never hold: anything that is not in the report or in the specs that judged.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from tcpmodel._version import __version__
from tcpmodel.checking.outcome.findings import ConnectionReport, Diagnostic, InputReport, Report
from tcpmodel.model.spec import Fault, PacketRule, Spec
from tcpmodel.report.finding_codes import GENERAL
from tcpmodel.report.finding_text import evidence
from tcpmodel.report.policy import identity
from tcpmodel.report.rule_text import SEVERITY_WORDS

SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
VERSION = "2.1.0"

_LEVELS = {"violation": "error", "warning": "warning", "note": "note", "capture": "none"}
_KINDS = {"violation": "fail", "warning": "fail", "note": "fail", "capture": "informational"}


def lines(report: Report, specs: Sequence[Spec]) -> Iterator[str]:
    """The document as lines of JSON text, each result on one line."""
    import json

    encode = json.JSONEncoder(check_circular=False).encode
    rules = _rules(report, specs)
    index = {rule["id"]: number for number, rule in enumerate(rules)}
    driver = {"name": "tcpmodel", "version": __version__, "rules": rules}
    yield "{"
    yield f'"$schema": {encode(SCHEMA)}, "version": {encode(VERSION)},'
    yield '"runs": [{'
    yield f'"tool": {{"driver": {encode(driver)}}},'
    yield f'"invocations": {encode([_invocation(report)])},'
    yield f'"artifacts": {encode([_artifact(item) for item in report.inputs])},'
    yield '"columnKind": "utf16CodeUnits",'
    yield '"results": ['
    waiting = ""
    for one in report.connections:
        for item in one.diagnostics:
            if waiting:
                yield waiting + ","
            waiting = encode(_result(item, one, report, index[item.code]))
    for number, each in enumerate(report.inputs):
        for item in each.notes:
            if waiting:
                yield waiting + ","
            waiting = encode(_of_input(item, number, each, index[item.code]))
    if waiting:
        yield waiting
    yield "]"
    yield "}]"
    yield "}"


def _invocation(report: Report) -> dict[str, Any]:
    failed = [
        {"level": "error", "message": {"text": item.error}, "locations": [_location(number, item)]}
        for number, item in enumerate(report.inputs)
        if item.error
    ]
    found: dict[str, Any] = {"executionSuccessful": not failed, "exitCode": report.exit_code}
    if failed:
        found["toolExecutionNotifications"] = failed
    return found


def _artifact(item: InputReport) -> dict[str, Any]:
    return {"location": {"uri": uri(item.path)}, "description": {"text": item.format or "not recognised"}}


def _location(number: int, item: InputReport, line: int = 0) -> dict[str, Any]:
    place: dict[str, Any] = {"artifactLocation": {"uri": uri(item.path), "index": number}}
    if line:
        place["region"] = {"startLine": line}
    return {"physicalLocation": place}


def uri(path: str) -> str:
    """A path as a reference: relative ones stay relative, what a URI cannot hold is written in percent."""
    import os
    from urllib.parse import quote

    if path == "-":
        return "stdin"
    text = quote(os.fsencode(path.replace(os.sep, "/")), safe="/!$&'()*+,;=@~-._")
    return f"file://{text}" if text.startswith("/") else text


def _result(item: Diagnostic, one: ConnectionReport, report: Report, rule: int) -> dict[str, Any]:
    what = f"{'line' if item.in_lines else 'packet'} {item.place}"
    origin = item.input if item.input >= 0 else one.input
    location: dict[str, Any] = {}
    if 0 <= origin < len(report.inputs):
        location = _location(origin, report.inputs[origin], item.place if item.in_lines else 0)
    location["logicalLocations"] = [
        {"name": what, "fullyQualifiedName": f"{one.id}/{what}", "kind": "member"},
        {"name": one.id, "fullyQualifiedName": f"{one.protocol} {one.a} {one.b}", "kind": "object"},
    ]
    properties = {
        "connection": one.id,
        "endpoint": item.endpoint,
        "observed": item.observed,
        "states": list(item.states),
        "allowed": list(item.allowed),
        "excuse": item.excuse,
    }
    return _finding(item, rule, _words(item, what), location, identity(item, one), properties)


def _of_input(item: Diagnostic, number: int, each: InputReport, rule: int) -> dict[str, Any]:
    """What is said of a whole input."""
    what = f"{'line' if item.in_lines else 'packet'} {item.place}"
    location = _location(number, each, item.place if item.in_lines else 0)
    location["logicalLocations"] = [{"name": what, "fullyQualifiedName": what, "kind": "member"}]
    words = f"{item.message}, the first with {what}"
    properties: dict[str, Any] = {"endpoint": item.endpoint, "values": dict(item.values)}
    return _finding(item, rule, words, location, identity(item, None), properties)


def _finding(
    item: Diagnostic, rule: int, words: str, location: dict[str, Any], name: str, properties: dict[str, Any]
) -> dict[str, Any]:
    found: dict[str, Any] = {
        "ruleId": item.code,
        "ruleIndex": rule,
        "kind": _KINDS[item.severity],
        "level": _LEVELS[item.severity],
        "message": {"text": words},
        "locations": [location],
        "partialFingerprints": {"tcpmodelIdentity/v1": name},
        "properties": properties,
    }
    if item.ignored:
        found["suppressions"] = [{"kind": "external", "justification": item.ignored}]
    return found


def _words(item: Diagnostic, what: str) -> str:
    told = item.message if item.message.startswith(item.endpoint) else f"{item.endpoint} {item.message}".lstrip()
    seen = f": {item.observed}" if item.observed else ""
    return f"{what}: {told}{seen}{evidence(item)}"


def _rules(report: Report, specs: Sequence[Spec]) -> list[dict[str, Any]]:
    met = {item.code: item for item in report.findings()}
    declared: dict[str, tuple[Fault | PacketRule, Spec]] = {}
    for spec in specs:
        declared |= {rule.id: (rule, spec) for rule in spec.packet_rules}
        declared |= {fault.id: (fault, spec) for fault in spec.faults}
    rules: list[dict[str, Any]] = []
    for code, item in sorted(met.items()):
        rule: dict[str, Any] = {"id": code, "shortDescription": {"text": item.message}}
        if code in GENERAL:
            rule["shortDescription"] = {"text": GENERAL[code].title}
            rule["fullDescription"] = {"text": GENERAL[code].text}
            rule["help"] = {"text": " ".join(filter(None, GENERAL[code][1:]))}
        severity = item.severity
        if code in declared:
            each, spec = declared[code]
            cites = ", ".join(str(cite) for cite in each.cites)
            rule["shortDescription"] = {"text": each.title}
            words = [each.doc or each.title, SEVERITY_WORDS.get(each.severity, each.severity)]
            rule["fullDescription"] = {"text": each.doc or each.title}
            rule["help"] = {"text": ". ".join([*words, cites]) if cites else ". ".join(words)}
            rule["properties"] = {"spec": spec.name, "severity": each.severity, "clauses": [str(c) for c in each.cites]}
        rule["defaultConfiguration"] = {"level": _LEVELS[severity]}
        rules.append(rule)
    return rules
