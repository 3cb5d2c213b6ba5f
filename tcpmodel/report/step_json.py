"""The outcomes of one event as JSON for programs: see docs/step.md, which is the contract.

Owns: the names and the shape of the document.
Must never hold: words for people, or what an event does.
"""

from __future__ import annotations

from typing import Any

from tcpmodel.semantics.stepping import Step, Stepped


def document(done: Stepped) -> dict[str, Any]:
    """The answer as dictionaries, lists, texts and numbers."""
    return {"outcomes": [_outcome(step) for step in done.outcomes]}


def line(document: dict[str, Any]) -> str:
    """A document as one line of JSON with its line end; all characters are ASCII."""
    import json

    return json.dumps(document) + "\n"


def _outcome(step: Step) -> dict[str, Any]:
    return {
        "path": list(step.path),
        "next": step.next,
        "sent": list(step.sent),
        "signals": list(step.signals),
        "rules": [{"id": rule.id, "cites": [str(cite) for cite in rule.cites]} for rule in step.rules],
        "variables": step.variables,
    }
