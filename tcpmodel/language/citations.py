"""Reads what stands in the brackets of a citation.

Owns: the forms of a citation.
Must never hold: which documents a spec may cite.
"""

from __future__ import annotations

import re

from tcpmodel.language.errors import SpecError
from tcpmodel.language.span import Span
from tcpmodel.language.syntax import Cite

_ENTRY = re.compile(r'\s*((?:"[^"\n]*"|[^,"])*)(?:,|$)', re.S)
_DOCUMENT = r"[A-Za-z][A-Za-z0-9]*(?:[.\-_][A-Za-z0-9]+)*"
_FORM = re.compile(
    rf"""(?:(?P<requirement>(?:MUST|SHLD|MAY)-[0-9]+[a-z]?)
      |(?P<erratum>erratum\ [0-9]+)
      |"(?P<label>[^"]*)"
      |(?:(?P<document>{_DOCUMENT})(?:\ |$))?(?P<place>§\ ?[0-9A-Za-z]+(?:\.[0-9A-Za-z]+)*(?:\ [A-Za-z0-9()\-.]+)*)?
    )$""",
    re.X,
)

FORMS = (
    "a citation is one of: §3.10.7.4 fifth, RFC5961 §4.2, RFC768, MUST-11, erratum 8710, or a label in double quotes"
)


def read_citations(text: str, place: Span, errors: list[SpecError]) -> list[Cite]:
    """The entries of ``[...]``; ``place`` is that of the brackets. Unknown forms go to ``errors``."""
    cites: list[Cite] = []
    inner = text[1:-1]
    position = 0
    while position <= len(inner):
        found = _ENTRY.match(inner, position)
        if found is None:
            break
        entry = " ".join(found[1].split())
        span = _span(text, 1 + found.start(1), len(found[1].rstrip()), place)
        form = _FORM.match(entry) if entry else None
        if form is None:
            what = f"unknown form of citation: {entry}" if entry else "empty citation"
            errors.append(SpecError("TS006", what, span, FORMS))
        elif form["requirement"]:
            cites.append(Cite("", entry, True, False, span))
        elif form["label"] is not None:
            cites.append(Cite("", form["label"], False, True, span))
        else:
            cites.append(Cite(form["document"] or "", form["erratum"] or form["place"] or "", False, False, span))
        if found.end() == position or inner[found.end() - 1 : found.end()] != ",":
            break
        position = found.end()
    return cites


def _span(text: str, offset: int, length: int, place: Span) -> Span:
    before = text[:offset]
    breaks = before.count("\n")
    start = place.column + offset if not breaks else offset - before.rfind("\n")
    line = place.line + breaks
    return Span(line, start, line, start + max(length, 1), place.path)
