"""One violation as text for people: what was seen, what was possible, and what was in the way of it.

Owns: which details of a finding are shown, in which order and words, and how many unless all are asked for.
Must never hold: where on the page they stand (see ``check_text``), colours, or a judgement.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from tcpmodel.checking.outcome.findings import Candidate, Compared, Diagnostic
from tcpmodel.report.style import counted, either

MOST_ALLOWED = 2
"""So many alternatives are shown, the nearest first."""

MOST_RULES = 3
"""So many rules are shown with what was in their way."""

MOST_ELSEWHERE = 6
"""So many other states are named that could have sent it."""


def evidence(item: Diagnostic) -> str:
    """The values that a fault of the capture is known by, as they stand behind its words; "" if there are none."""
    if item.severity != "capture" or not item.values:
        return ""
    return f" ({', '.join(f'{name}={value}' for name, value in item.values)})"


def details(item: Diagnostic, *, verbose: bool = False) -> Iterator[tuple[str, list[str]]]:
    """Labels of at most eight letters, each with its texts: one paragraph for each text."""
    if item.observed:
        yield "seen", [item.observed]
    if item.states:
        yield "state", [either(item.states)]
    if item.values:
        yield "since", [listed(item.values)]
    if item.allowed:
        most = len(item.allowed) if verbose else MOST_ALLOWED
        yield "allowed", [*item.allowed[:most], *_more(len(item.allowed) - most, "way")]
    differing = [each for each in item.compared if not each.agrees]
    if differing:
        yield "differs", [compared(each) for each in differing]
    if item.elsewhere:
        yield "rules", [f"no rule sends that here; {_elsewhere(item.elsewhere)} could"]
    elif item.candidates:
        yield "rules", list(_rules(item, verbose))
    if item.cites or item.requirements:
        yield "clause", [clauses((*item.cites, *_numbered(item)))]
    if item.excuse:
        yield "excuse", [item.excuse]


def listed(values: Sequence[tuple[str, str]]) -> str:
    """Names with their values."""
    return ", ".join(f"{name}={value}" for name, value in values)


def compared(each: Compared) -> str:
    """A field that is not what it should be: ``ACK is 110, 10 above 90..100``."""
    if not each.off:
        return f"{each.name} is {each.actual}, not {each.expected}"
    way = "above" if each.off > 0 else "below"
    return f"{each.name} is {each.actual}, {abs(each.off):,} {way} {each.expected}"


def clauses(cites: Sequence[str]) -> str:
    """Clauses, the document named only where it changes: ``RFC9293 §3.4, §3.6, RFC5961 §4``."""
    parts: list[str] = []
    current = ""
    for cite in cites:
        document, _, place = cite.partition(" ")
        parts.append(place if place and document == current else cite)
        current = document
    return ", ".join(parts)


def obstacle(each: Candidate) -> str:
    """What was in the way of a rule."""
    if each.problem == "guard":
        told = f" ({listed(each.values)})" if each.values else ""
        return f"not now: {each.condition}{told}"
    if each.problem == "where":
        told = f" ({listed(each.values)})" if each.values else ""
        return f"not with these values: {each.condition}{told}"
    if not each.differing:
        return "not any more: another rule comes first"
    return "; ".join(compared(field) for field in each.differing)


def _rules(item: Diagnostic, verbose: bool) -> Iterator[str]:
    shown = list(item.candidates)
    if not verbose and len(shown) > MOST_RULES:
        # Both kinds of answer: what the nearest rules would have sent, and why another one did not fire.
        unable = [each for each in shown if each.problem == "guard"][:1]
        shown = [*[each for each in shown if each not in unable][: MOST_RULES - len(unable)], *unable]
    states = {each.state for each in item.candidates}
    for each in shown:
        where = f" in {each.state}" if len(states) > 1 and not each.rule.startswith(f"{each.state}.") else ""
        cites = f" [{clauses(each.cites)}]" if verbose and each.cites else ""
        event = "" if each.rule.startswith(f"{each.state}.") else f" {each.event}"
        yield f"{each.rule}{where}{event}: {obstacle(each)}{cites}"
    yield from _more(len(item.candidates) - len(shown), "rule")


def _more(number: int, what: str) -> list[str]:
    return [f"… and {counted(number, f'more {what}')}: --verbose"] if number > 0 else []


def _elsewhere(states: Sequence[str]) -> str:
    if len(states) > MOST_ELSEWHERE:
        return f"{len(states)} other states"
    return either(states)


def _numbered(item: Diagnostic) -> list[str]:
    """The requirements that the clauses do not name already."""
    return [each for each in item.requirements if not any(cite.endswith(f" {each}") for cite in item.cites)]
