"""The rules over messages that specs declare, as a page in Markdown.

Owns: the layout of that page.
Must never hold: the rules (specs declare them), or what other codes mean (see ``finding_codes``).
"""

from __future__ import annotations

from collections.abc import Sequence

from tcpmodel.model import spec as m
from tcpmodel.report.finding_codes import GENERAL
from tcpmodel.report.marks_md import Places, plain
from tcpmodel.report.rule_text import undecided

_SEVERITIES = {
    "must": "violation (MUST)",
    "normative": "violation",
    "should": "warning",
    "unusual": "note",
    "capture": "note on the capture",
    "legal": "never",
}
_HEADER = ("| rule | reported as | what | decided from | needs | exceptions | clause |", "| --- " * 7 + "|")
_INTRODUCTION = """\
# Rules over messages

What `tcpmodel check` says of single messages, of a direction of a connection, and of both. A rule is silent unless
all that it needs is known and no exception may hold. An exception without a condition is what only the reader can
know. Rows that are never reported are here on purpose: what is legal and must not alarm, and what no capture alone can
prove, with the reason.

`tcpmodel explain ID` says more of each, with examples that break it and examples that are legal; the tests check them
all."""
_GENERAL = """\
## Captures

What a report can say of a capture. These are notes: none of them is a violation, or changes the exit status unless
`--severity` asks for it. A code may be told of a connection, of a whole input, or of both; specs declare some."""
_VIEWS = """\
## Several views

What a report can say of several views of one connection: [views.md](views.md)."""
_NOTE = "<!-- Written by `tcpmodel doc rules` from the specs: change these, not this page. -->"


def page(specs: Sequence[m.Spec], folder: str) -> str:
    """The page with the rules of all specs, those whose ids begin alike together; links are relative to ``folder``."""
    places = [Places(spec, folder) for spec in specs]
    families: dict[str, list[str]] = {}
    counts = [0, 0, 0]
    for place in places:
        spec = place.spec
        found: list[m.PacketRule | m.Fault] = [*spec.packet_rules, *spec.faults]
        for rule in sorted(found, key=lambda one: one.id):
            never = isinstance(rule, m.PacketRule) and undecided(spec, rule)
            counts[2 if never else 1 if rule.severity == "legal" else 0] += 1
            row = _fault_row(place, rule) if isinstance(rule, m.Fault) else _row(place, rule)
            families.setdefault(rule.id.rpartition("-")[0], []).append(row)
    lines = [_INTRODUCTION, "", f"{sum(counts)} rules: {counts[0]} are decided, {counts[1]} say what is legal, and "]
    lines[-1] += f"{counts[2]} cannot be decided from packets alone, or are told under another name."
    lines += ["", _NOTE, ""]
    for family, rows in families.items():
        lines += [f"## {family}", "", *_HEADER, *rows, ""]
    lines += [_GENERAL, "", "| code | what | shown by | for the verdict | what to do |", "| --- " * 5 + "|"]
    views = [_VIEWS, "", "| code | what | |", "| --- | --- | --- |"]
    for code, general in sorted(GENERAL.items()):
        text = plain(" ".join(general.text.split()))
        if code.startswith("CAP-"):
            told = (general.shown, general.verdict, general.remedy)
            lines.append(f"| {code} | *{plain(general.title)}.* {text} | {' | '.join(map(plain, told))} |")
        else:
            views.append(f"| {code} | {plain(general.title)} | {text} |")
    lines += ["", *views]
    return "\n".join([*lines, ""])


def _row(place: Places, rule: m.PacketRule) -> str:
    spec = place.spec
    why_not = undecided(spec, rule)
    needs = [need.title or need.name for need in spec.needs if need.name in rule.needs and need.fact != "nothing"]
    excepts = [words or (condition.text if condition is not None else "") for condition, words in rule.excepts]
    decided = {
        "packet": "each message alone",
        "direction": "the messages of one end",
        "connection": "the messages of both ends",
        "run": f"counts over the whole trace: more than {rule.beyond}"
        + (f" in a row of one host, {rule.steady} growing by the same" if rule.steady else ""),
    }[rule.scope]
    if rule.once is not None or rule.lapses is not None:
        decided += ", and later ones"
    if rule.severity == "legal":
        decided = "legal: it must not alarm"
    if why_not:
        decided = f"*not decided:* {plain(why_not)}"
    severity = "never" if why_not else _SEVERITIES[rule.severity]
    if rule.blames in ("path", "capture") and severity.startswith("violation"):
        severity = "warning"
    return _joined(place, rule, severity, decided, needs, excepts)


def _fault_row(place: Places, rule: m.Fault) -> str:
    decided = f"the states of both ends: no rule of the sender explains it, and {plain(rule.when.text)}"
    return _joined(place, rule, _SEVERITIES[rule.severity], decided, [], [])


def _joined(
    place: Places, rule: m.PacketRule | m.Fault, severity: str, decided: str, needs: list[str], excepts: list[str]
) -> str:
    clause = ", ".join(str(cite) for cite in rule.cites)
    cells = [place.link(rule.id, rule.span), severity, plain(rule.title), decided]
    cells += [plain("; ".join(needs)), plain("; ".join(excepts)), plain(clause)]
    return "| " + " | ".join(cells) + " |"
