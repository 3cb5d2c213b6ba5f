"""What reports of many connections have in common that differ in addresses and numbers only.

Owns: leaving places for addresses and numbers in the texts of a report, and filling them in.
Must never hold: which connections are alike, or how reports are kept.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import fields, is_dataclass, replace
from typing import Any

from tcpmodel.checking.outcome.findings import ConnectionReport, Diagnostic

A, B = "\x01", "\x02"
"""What stands for the two addresses."""

NEAR = 2
"""A number in a text that lies so close to a mark, or as far behind it, is told by its distance."""

_PLACE = re.compile("\x03(\\d+):(-?\\d+)\x03")
_NUMBER = re.compile(r"\d+(?:,\d{3})*")

_TEXTS = (
    "endpoint",
    "message",
    "observed",
    "states",
    "allowed",
    "excuse",
    "values",
    "compared",
    "candidates",
    "elsewhere",
    "relative",
)
"""What of a finding may depend on addresses and numbers."""

Fill = Callable[[str], str]


class Pattern:
    """What connections have in common that differ in nothing but their number, addresses and how many packets.

    With findings, in some numbers besides: ``of`` then wants the place and the time of the findings and those numbers.
    """

    __slots__ = ("_name", "_parts", "key", "report")

    def __init__(self, report: ConnectionReport, marks: Sequence[int] = ()) -> None:
        """``report``: of one of them. With ``marks``, it has ``A`` and ``B`` for addresses, and each of these numbers,
        of which no two are near each other, wherever a number stands that may differ; all findings have one place."""
        self._name = report.id.rpartition("-")[0]
        names = sorted(((report.a, A), (report.b, B)), key=lambda pair: -len(pair[0]))
        reasons = report.reasons
        for address, mark in names:
            reasons = tuple(each.replace(address, mark) for each in reasons)
        self.report = replace(report, id=self._name, a="", b="", reasons=reasons, input=-1, packets=0)
        self._parts: list[list[str]] = []
        if report.diagnostics:

            def left(text: str) -> str:
                return _NUMBER.sub(lambda found: _place(found[0], marks), text)

            found = tuple(
                [
                    replace(each, **{name: _filled(getattr(each, name), left) for name in _TEXTS})
                    for each in report.diagnostics
                ]
            )
            self.report.diagnostics = found
            self._parts = [[name for name in _TEXTS if _varies(getattr(each, name))] for each in found]
        one = self.report
        self.key: tuple[object, ...] = (one.id, one.protocol, one.verdict, one.reasons, one.a_states, one.b_states)
        self.key += (one.logged, one.unseen, repr(one.diagnostics))
        """Equal for patterns that say the same."""

    def used(self) -> list[int]:
        """The places of those marks that stand anywhere."""
        return sorted({int(place) for place, _ in _PLACE.findall("".join(_texts(self.report.diagnostics)))})

    def of(
        self,
        number: int,
        a: str,
        b: str,
        origin: int,
        packets: int,
        place: int = 0,
        time: int | None = None,
        numbers: Sequence[int] = (),
    ) -> ConnectionReport:
        """The report of one of them; ``origin`` is the index of its input."""
        one = self.report
        reasons = tuple([each.replace(A, a).replace(B, b) for each in one.reasons])
        found: tuple[Diagnostic, ...] = ()
        if one.diagnostics:
            found = tuple(
                [
                    with_numbers(each, a, b, place, time, numbers, parts)
                    for each, parts in zip(one.diagnostics, self._parts, strict=True)
                ]
            )
        return ConnectionReport(
            f"{self._name}-{number}",
            one.protocol,
            a,
            b,
            one.verdict,
            reasons,
            one.a_states,
            one.b_states,
            packets,
            found,
            origin,
            one.logged,
            (),
            one.unseen,
        )

    def marked(self, like: ConnectionReport) -> Pattern:
        """This, its findings as severe, ignored and told as those of a report that it made."""
        diagnostics = tuple(
            [
                replace(one, severity=other.severity, ignored=other.ignored, told=other.told)
                for one, other in zip(self.report.diagnostics, like.diagnostics, strict=True)
            ]
        )
        made = Pattern(replace(self.report, diagnostics=()))
        made._name = self._name
        made.report = replace(self.report, diagnostics=diagnostics)
        made._parts = self._parts
        made.key = (*self.key[:-1], repr(diagnostics))
        return made


def with_numbers(
    item: Diagnostic,
    a: str,
    b: str,
    place: int,
    time: int | None,
    numbers: Sequence[int],
    parts: Sequence[str] = _TEXTS,
) -> Diagnostic:
    """The finding of a packet between these ends, of which one has the text with these numbers in it; ``parts`` of it
    differ."""

    def fill(text: str) -> str:
        text = text.replace(A, a).replace(B, b)
        return _PLACE.sub(lambda mark: str(numbers[int(mark[1])] + int(mark[2])), text)

    return replace(item, place=place, time=time, **{name: _filled(getattr(item, name), fill) for name in parts})


def _place(text: str, marks: Sequence[int]) -> str:
    number = int(text.replace(",", ""))
    for index, mark in enumerate(marks):
        if "," not in text and abs(number - mark) <= NEAR:
            return f"\x03{index}:{number - mark}\x03"
    return text


def _filled(thing: Any, fill: Fill) -> Any:
    """The same with each text in it changed."""
    if isinstance(thing, str):
        return fill(thing)
    if isinstance(thing, tuple):
        return tuple([_filled(each, fill) for each in thing])
    if is_dataclass(thing) and not isinstance(thing, type):
        return replace(thing, **{each.name: _filled(getattr(thing, each.name), fill) for each in fields(thing)})
    return thing


def _texts(thing: Any) -> Iterator[str]:
    """Each text in it."""
    if isinstance(thing, str):
        yield thing
    elif isinstance(thing, tuple):
        for each in thing:
            yield from _texts(each)
    elif is_dataclass(thing):
        for item in fields(thing):
            yield from _texts(getattr(thing, item.name))


def _varies(thing: Any) -> bool:
    return any(mark in text for text in _texts(thing) for mark in (A, B, "\x03"))
