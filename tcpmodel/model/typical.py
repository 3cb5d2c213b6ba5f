"""Resolves the typical values of a state.

Owns: which variables a typical value may use, and which it gives a value.
Must never hold: how a step uses them.
"""

from __future__ import annotations

from tcpmodel.language import syntax
from tcpmodel.model import spec
from tcpmodel.model.definitions import Definitions
from tcpmodel.model.names import Names, Report
from tcpmodel.model.typing import Typer
from tcpmodel.model.walk import opened


def typical_values(
    state: syntax.StateDecl, names: Names, definitions: Definitions, report: Report
) -> tuple[tuple[str, spec.Expr], ...]:
    """The ``typical`` lines of a state, in order."""
    out: dict[str, spec.Expr] = {}
    typer = Typer(names, definitions, report, "none", "")
    for item in state.items:
        for word, node in item.values if isinstance(item, syntax.TypicalNode) else ():
            if word.text in out:
                report.error("TS020", f"`{word.text}` has two typical values", word.span, "leave one of them")
            variable = names.variables.get(word.text)
            if variable is None:
                if word.text not in names.broken:
                    report.unknown("TS011", "variable", word, names.variables)
                continue
            value = typer.value(node, variable.type, number=True)
            if value is None:
                continue
            for name in _reads(value, definitions):
                if name not in out and names.variables[name].initial is None:
                    message = f"`{name}` has no value here from which `{word.text}` could be worked out"
                    report.error("TS049", message, value.span, f"give it before this one: typical {name} = ...")
            out[word.text] = value
    return tuple(out.items())


def _reads(expr: spec.Expr, definitions: Definitions) -> list[str]:
    """The variables whose values an expression needs."""
    parts = opened([expr], definitions.body)
    return list(dict.fromkeys(part.name for part in parts if isinstance(part, spec.VarRef)))
