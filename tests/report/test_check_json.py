"""The document for programs: the contract of docs/json.md and its schema."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import tcpmodel
from tcpmodel.checking.outcome.findings import ConnectionReport, Diagnostic, InputReport, Report
from tcpmodel.report import check_json

ROOT = Path(__file__).resolve().parents[2]
SCHEMA: dict[str, Any] = json.loads((ROOT / "docs" / "check.schema.json").read_text(encoding="utf-8"))
Reports = dict[str, Callable[[], Report]]

TYPES: dict[str, Callable[[object], bool]] = {
    "object": lambda value: isinstance(value, dict),
    "array": lambda value: isinstance(value, list),
    "string": lambda value: isinstance(value, str),
    "integer": lambda value: isinstance(value, int) and not isinstance(value, bool),
    "number": lambda value: isinstance(value, (int, float)) and not isinstance(value, bool),
    "null": lambda value: value is None,
    "boolean": lambda value: isinstance(value, bool),
}
KNOWN = {"$schema", "$ref", "$defs", "title", "description", "type", "required", "properties", "additionalProperties"}
KNOWN |= {"items", "enum", "minimum", "pattern", "oneOf"}


def faults(value: Any, schema: dict[str, Any], at: str = "document") -> list[str]:
    """Where ``value`` is not what ``schema`` says. Knows as much of JSON Schema as ours uses."""
    assert set(schema) <= KNOWN, set(schema) - KNOWN
    found: list[str] = []
    if "$ref" in schema:
        found += faults(value, SCHEMA["$defs"][schema["$ref"].removeprefix("#/$defs/")], at)
    types = schema.get("type", [])
    types = [types] if isinstance(types, str) else types
    if types and not any(TYPES[name](value) for name in types):
        return [*found, f"{at}: not {types}: {value!r}"]
    if "enum" in schema and value not in schema["enum"]:
        found.append(f"{at}: not one of {schema['enum']}: {value!r}")
    if "minimum" in schema and TYPES["number"](value) and value < schema["minimum"]:
        found.append(f"{at}: too small: {value!r}")
    if "pattern" in schema and isinstance(value, str) and not re.search(schema["pattern"], value):
        found.append(f"{at}: not like {schema['pattern']}: {value!r}")
    if "oneOf" in schema and sum(not faults(value, each, at) for each in schema["oneOf"]) != 1:
        found.append(f"{at}: not exactly one of the alternatives")
    if isinstance(value, list) and "items" in schema:
        for index, item in enumerate(value):
            found += faults(item, schema["items"], f"{at}[{index}]")
    if isinstance(value, dict):
        found += [f"{at}: {key} is missing" for key in schema.get("required", ()) if key not in value]
        properties = schema.get("properties", {})
        others = schema.get("additionalProperties", True)
        for key, item in value.items():
            if key in properties:
                found += faults(item, properties[key], f"{at}.{key}")
            elif others is False:
                found.append(f"{at}: {key} is not in the schema")
            elif isinstance(others, dict):
                found += faults(item, others, f"{at}.{key}")
    return found


def parsed(report: Report) -> Any:
    return json.loads("\n".join(check_json.lines(report)))


def test_document_follows_the_schema(report: Report) -> None:
    assert faults(parsed(report), SCHEMA) == []


@pytest.mark.parametrize(
    ("break_it", "fault"),
    [
        (lambda d: d.pop("summary"), "document: summary is missing"),
        (lambda d: d["connections"][0].update(verdict="fine"), "document.connections[0].verdict: not one of"),
        (lambda d: d["connections"][1]["diagnostics"][0].pop("frame"), "not exactly one of the alternatives"),
        (lambda d: d["connections"][1]["diagnostics"][0].update(line=3), "not exactly one of the alternatives"),
        (lambda d: d["inputs"][0].update(packets=-1), "document.inputs[0].packets: too small"),
        (lambda d: d["inputs"][0].update(packets=True), "document.inputs[0].packets: not ['integer']"),
        (lambda d: d["inputs"][0].update(start="yesterday"), "document.inputs[0].start: not like"),
        (lambda d: d["inputs"][0].update(more=1), "document.inputs[0]: more is not in the schema"),
        (lambda d: d["inputs"][0]["skipped_reasons"].update(ARP="x"), "skipped_reasons.ARP: not ['integer']"),
    ],
)
def test_schema_is_strict(reports: Reports, break_it: Callable[[Any], object], fault: str) -> None:
    document = parsed(reports["small"]())
    break_it(document)
    assert any(fault in found for found in faults(document, SCHEMA))


def test_lines_and_document_are_the_same(report: Report) -> None:
    assert parsed(report) == json.loads(json.dumps(check_json.report_document(report)))


def test_each_connection_has_a_line(report: Report) -> None:
    lines = list(check_json.lines(report))
    assert sum(line.startswith('  {"id": ') for line in lines) == len(report.connections)
    assert sum(line.startswith('  {"path": ') for line in lines) == len(report.inputs)
    assert all(line.isascii() and line.isprintable() for line in lines)


def test_values(reports: Reports) -> None:
    document = parsed(reports["small"]())
    assert document["tcpmodel"] == tcpmodel.__version__
    assert document["inputs"] == [
        {
            "path": "a.pcap",
            "format": "pcap",
            "packets": 30,
            "skipped": 11,
            "skipped_reasons": {"ARP": 2, "ICMPv6": 9},
            "source": None,
            "start": "1795247195.805680000",
            "notes": [],
            "error": None,
        }
    ]
    assert document["summary"] == {
        "conforms": 1,
        "violates": 1,
        "inconclusive": 1,
        "packets": 30,
        "skipped": 11,
        "errors": 0,
        "ignored": 0,
        "failing": 1,
    }
    one = document["connections"][1]
    assert (one["id"], one["input"], one["verdict"], one["packets"]) == ("tcp-2", 0, "violates", 10)
    assert (one["a_states"], one["b_states"]) == (["TIME-WAIT"], ["CLOSED", "LAST-ACK"])
    found = one["diagnostics"][0]
    assert (found["frame"], found["time"], found["timestamp"]) == (9, 0.002799, "1795247195.808479000")
    assert found["cites"] == ["RFC9293 §3.10.2", "RFC9293 §3.6"]
    assert document["connections"][0]["diagnostics"][1]["line"] == 3
    assert document["connections"][2]["reasons"] == ["the beginning was not captured", "the end was not captured"]


def test_errors_do_not_repeat_the_path(reports: Reports) -> None:
    errors = [item["error"] for item in parsed(reports["several"]())["inputs"]]
    assert errors == [None, None, "byte offset 999: the file ends early", "the format is not known"]


def test_unknown_input(reports: Reports) -> None:
    report = reports["small"]()
    report.connections = [replace(one, input=-1) for one in report.connections]
    document = parsed(report)
    assert faults(document, SCHEMA) == []
    assert document["connections"][1]["input"] is None
    assert document["connections"][1]["diagnostics"][0]["time"] is None
    assert document["connections"][1]["diagnostics"][0]["timestamp"] == "1795247195.808479000"


@given(st.text(), st.one_of(st.none(), st.integers(-(2**63), 2**63)))
def test_any_text_and_time(text: str, time: int | None) -> None:
    item = Diagnostic(text, "note", text, 1, False, text, (text,), time, text, (text,), (text,), text)
    one = ConnectionReport(text, text, text, text, "conforms", (text,), (text,), (), 1, (item,), 0)
    document = parsed(Report([InputReport(text, text, 1, {text: 1}, text, time)], [one]))
    assert faults(document, SCHEMA) == []
    assert document["connections"][0]["a"] == text


@pytest.mark.parametrize("part", [SCHEMA, SCHEMA["properties"]["summary"], *SCHEMA["$defs"].values()])
def test_page_names_every_key(part: dict[str, Any]) -> None:
    page = (ROOT / "docs" / "json.md").read_text(encoding="utf-8")
    assert [key for key in part.get("properties", {}) if f"`{key}`" not in page] == []
