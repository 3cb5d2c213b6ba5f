"""The report of a check as JUnit XML: each input a test suite, each connection a test case.

Owns: the elements and attributes of that document, and what XML cannot hold.
Must never hold: a verdict or a rule: those come from the report.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from tcpmodel.checking.outcome.findings import INCONCLUSIVE, ConnectionReport, Diagnostic, InputReport, Report
from tcpmodel.checking.outcome.reports import by_input
from tcpmodel.report.check_text import shown_path
from tcpmodel.report.finding_text import clauses, details, evidence


def lines(report: Report) -> Iterator[str]:
    """The document. A connection fails by its findings that make the exit status 1; inconclusive ones are skipped."""
    yield '<?xml version="1.0" encoding="UTF-8"?>'
    *parts, stray = by_input(report.connections, len(report.inputs))
    suites = list(zip(report.inputs, parts, strict=True))
    if stray:
        suites.append((InputReport("connections", "", 0, {}), stray))
    everything = report.connections
    yield f'<testsuites name="tcpmodel" {_counts(everything, [item for item, _ in suites], report)}>'
    for item, found in suites:
        name = shown_path(item.path)
        yield f'<testsuite name="{escape(name)}" {_counts(found, [item], report)}>'
        for one in found:
            yield from _case(one, name, report)
        yield from _whole(item, name, report)
        if item.error:
            text = escape(item.error)
            yield f'<testcase classname="{escape(name)}" name="reading the input">'
            yield f'<error type="input" message="{text}">{text}</error>'
            yield "</testcase>"
        yield "</testsuite>"
    yield "</testsuites>"


def escape(text: str) -> str:
    """Text for XML, in an element or a quoted attribute; what XML cannot hold or hides is written as U+FFFD."""
    text = "".join(char if char.isprintable() or char == "\n" else "\ufffd" for char in text)
    text = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace('"', "&quot;")
    return text.replace("\n", "&#10;").encode("ascii", "xmlcharrefreplace").decode()


def _failures(one: ConnectionReport, report: Report) -> list[Diagnostic]:
    return [item for item in one.diagnostics if report.counts(item)]


def _is_skipped(one: ConnectionReport, report: Report) -> bool:
    return one.verdict == INCONCLUSIVE and not _failures(one, report)


def _counts(found: Iterable[ConnectionReport], inputs: Sequence[InputReport], report: Report) -> str:
    errors = sum(1 for item in inputs if item.error)
    whole = sum(1 for item in inputs if item.notes)
    failed = sum(1 for item in inputs if any(map(report.counts, item.notes)))
    number = skipped = 0
    for one in found:
        number += 1
        failed += bool(_failures(one, report))
        skipped += _is_skipped(one, report)
    return f'tests="{number + whole + errors}" failures="{failed}" errors="{errors}" skipped="{skipped}"'


def _case(one: ConnectionReport, name: str, report: Report) -> Iterator[str]:
    title = f"{one.id} {one.protocol} {one.a} to {one.b}"
    head = f'<testcase classname="{escape(name)}" name="{escape(title)}" assertions="{one.packets}"'
    failures = _failures(one, report)
    others = [item for item in one.diagnostics if item not in failures]
    if not failures and not others and not _is_skipped(one, report):
        yield head + "/>"
        return
    yield head + ">"
    if failures:
        first = failures[0]
        text = "\n\n".join("\n".join(_told(item)) for item in failures)
        yield f'<failure type="{escape(first.code)}" message="{escape(_sentence(first))}">{escape(text)}</failure>'
    elif _is_skipped(one, report):
        yield f'<skipped message="{escape("; ".join(one.reasons))}"/>'
    yield from _output([(_sentence(item), item) for item in others])
    yield "</testcase>"


def _whole(item: InputReport, name: str, report: Report) -> Iterator[str]:
    """What is said of the input as a whole: a test case of its own."""
    if not item.notes:
        return
    yield f'<testcase classname="{escape(name)}" name="the input as a whole" assertions="{item.packets}">'
    failures = [(_of_input(note), note) for note in item.notes if report.counts(note)]
    if failures:
        text = "\n".join(words for words, _ in failures)
        words, first = failures[0]
        yield f'<failure type="{escape(first.code)}" message="{escape(words)}">{escape(text)}</failure>'
    yield from _output([(_of_input(note), note) for note in item.notes if not report.counts(note)])
    yield "</testcase>"


def _output(others: Sequence[tuple[str, Diagnostic]]) -> Iterator[str]:
    if others:
        text = "\n".join(f"{words}{f' (ignored: {item.ignored})' if item.ignored else ''}" for words, item in others)
        yield f"<system-out>{escape(text)}</system-out>"


def _of_input(item: Diagnostic) -> str:
    place = f"{'line' if item.in_lines else 'packet'} {item.place}"
    return f"{item.severity}: {item.message}, the first with {place} [{item.code}]"


def _sentence(item: Diagnostic) -> str:
    place = f"{'line' if item.in_lines else 'packet'} {item.place}"
    told = item.message if item.message.startswith(item.endpoint) else f"{item.endpoint} {item.message}"
    return f"{item.severity}: {place}: {told}{evidence(item)} [{item.code}]"


def _told(item: Diagnostic) -> Iterator[str]:
    yield _sentence(item)
    for label, texts in details(item):
        if label != "clause":
            yield from (f"  {label}: {text}" for text in texts)
    if item.cites:
        yield f"  clause: {clauses(item.cites)}"
