"""The proofs about a spec as JSON for programs: see docs/verify.md, which is the contract.

Owns: the names and the shape of the document.
Must never hold: words for people, or how anything is proved.
"""

from __future__ import annotations

from typing import Any

from tcpmodel._version import __version__
from tcpmodel.analysis.results import Check, Verification, Witness


def document(result: Verification) -> dict[str, Any]:
    """The whole answer as dictionaries, lists, texts and numbers."""
    known: set[tuple[str, tuple[str, ...]]] = set()
    sections = []
    for section in result.sections:
        checks = [_check(check, known) for check in section.checks]
        sections.append({"name": section.name, "on": list(section.on), "checks": checks})
    return {
        "tcpmodel": __version__,
        "spec": result.spec,
        "path": result.path,
        "profiles": sections,
        "summary": {"hold": result.holding, "fail": result.failing},
    }


def text(result: Verification) -> str:
    """The document as indented JSON with a line end."""
    import json

    return json.dumps(document(result), indent=1, ensure_ascii=False) + "\n"


def _check(check: Check, known: set[tuple[str, tuple[str, ...]]]) -> dict[str, Any]:
    """One check. An overlap is given once, in the first section that has it: profiles hardly change them."""
    overlaps = [overlap for overlap in check.overlaps if (overlap.state, overlap.rules) not in known]
    known.update((overlap.state, overlap.rules) for overlap in overlaps)
    found: dict[str, Any] = {
        "name": check.name,
        "verdict": "holds" if check.holds else "fails",
        "message": check.message,
        "witness": [_witness(witness) for witness in check.witnesses],
        "notes": list(check.notes),
    }
    if overlaps:
        found["overlaps"] = [_witness(overlap) for overlap in overlaps]
    return found


def _witness(witness: Witness) -> dict[str, Any]:
    found: dict[str, Any] = {"text": witness.text}
    if witness.state:
        found["state"] = witness.state
    if witness.event:
        found["event"] = witness.event
    if witness.rules:
        found["rules"] = list(witness.rules)
    if witness.line:
        found["line"] = witness.line
    if witness.part:
        found["file"] = witness.part
    if witness.path:
        found["path"] = [
            {"state": step.state, "event": step.event, "rule": step.rule, "target": step.target}
            for step in witness.path
        ]
    if witness.values:
        found["values"] = dict(witness.values)
    if witness.details:
        found["details"] = [{"what": what, "words": words} for what, words in witness.details]
    return found
