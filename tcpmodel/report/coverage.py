"""Which rules of the specs were made use of, as text for people and as JSON for programs.

Owns: the layout of both, and reading the JSON again.
Must never hold: how the use of a rule is found out (see ``checking.exercised``).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import groupby
from typing import Any

from tcpmodel._version import __version__
from tcpmodel.checking.exercised import Coverage, Use
from tcpmodel.model.spec import Spec
from tcpmodel.report.style import Style, counted

KEY = "tcpmodel coverage"
VERSION = 1


class CoverageError(Exception):
    """A document that tells no coverage; the text says what is wrong with it."""


def lines(coverages: Iterable[Coverage], style: Style, *, verbose: bool = False) -> Iterator[str]:
    """For each spec a summary, and state by state the rules that were used; ``verbose`` adds those that were not."""
    for coverage in coverages:
        total = len(coverage.uses)
        never = total - coverage.certain - coverage.perhaps
        yield style.paint(
            "strong",
            style.clean(
                f"{coverage.spec.name}: of {counted(total, 'rule')} {coverage.certain:,} fired, {coverage.perhaps:,} "
                f"more perhaps, {never:,} never ({counted(coverage.ends, 'endpoint')})"
            ),
        )
        width = max((len(use.rule.id) for use in coverage.uses if verbose or use.certain or use.perhaps), default=0)
        for state, uses in groupby(coverage.uses, key=lambda use: use.rule.state):
            each = list(uses)
            used = sum(1 for use in each if use.certain)
            yield style.clean(f"  {state}  {used} of {len(each)}")
            for use in each:
                if verbose or use.certain or use.perhaps:
                    yield from _use(use, width, style)
        yield ""
    yield from style.wrap("fired: in each of the likeliest explanations of an endpoint; perhaps: in some of them", 0)


def _use(use: Use, width: int, style: Style) -> Iterator[str]:
    sign, role = ("✓", "good") if use.certain else ("?", "unclear") if use.perhaps else ("-", "faint")
    rule = use.rule
    where = "" if rule.target == rule.state else f" → {rule.target}"
    counts = "  ".join(
        part
        for part in (f"{use.certain:,}×" if use.certain else "", f"perhaps {use.perhaps:,}×" if use.perhaps else "")
        if part
    )
    mark = style.paint(role, style.clean(sign))
    event = "at any time" if rule.event.kind == "own" else f"on {rule.event}"
    yield f"    {mark} " + style.clean(f"{rule.id:<{width}}  {event}{where}  {counts}".rstrip())


def document(coverages: Iterable[Coverage]) -> dict[str, Any]:
    """What ``--output-format json`` prints: each rule of each spec with how many endpoints fired it."""
    return {
        KEY: VERSION,
        "tcpmodel": __version__,
        "specs": [
            {
                "spec": coverage.spec.name,
                "endpoints": coverage.ends,
                "rules": [
                    {
                        "id": use.rule.id,
                        "state": use.rule.state,
                        "event": str(use.rule.event),
                        "target": use.rule.target,
                        "fired": use.certain,
                        "perhaps": use.perhaps,
                    }
                    for use in coverage.uses
                ],
            }
            for coverage in coverages
        ],
    }


def read(path: str, spec: Spec) -> dict[tuple[str, str], tuple[int, int]]:
    """How many endpoints fired each rule (state, id) of ``spec``, for certain and perhaps, as ``document`` told it.

    CoverageError when the file is no such document or does not know the spec; OSError when it cannot be read.
    """
    import json

    with open(path, "rb") as file:
        data = file.read()
    try:
        found = json.loads(data)
    except (ValueError, RecursionError):
        raise CoverageError(f"{path}: not JSON as 'check --coverage --output-format json' writes it") from None
    if not isinstance(found, dict) or found.get(KEY) != VERSION or not isinstance(found.get("specs"), list):
        raise CoverageError(f"{path}: no coverage: 'check --coverage --output-format json -o {path} TRACE' writes one")
    for each in found["specs"]:
        if isinstance(each, dict) and each.get("spec") == spec.name:
            try:
                return {
                    (str(rule["state"]), str(rule["id"])): (int(rule["fired"]), int(rule["perhaps"]))
                    for rule in each["rules"]
                }
            except (KeyError, TypeError, ValueError):
                raise CoverageError(f"{path}: a rule of {spec.name} lacks a key") from None
    names = ", ".join(str(each.get("spec")) for each in found["specs"] if isinstance(each, dict)) or "none"
    raise CoverageError(f"{path}: tells nothing of the spec {spec.name}; specs in it: {names}")
