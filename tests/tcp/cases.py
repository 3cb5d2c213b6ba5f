"""The cases of ``transitions.tsv``: reading them, and putting numbers for their names.

Owns: the two tables beside it and their small notation (sums of names and figures, the shorthands of their heads).
Must never hold: what an endpoint does.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent
MODULUS = 1 << 32
SUM = re.compile(r"^[A-Z0-9.]+([+-][A-Z0-9.]+)*$")
FIELD = re.compile(r"<([\w.-]+)=([^<>]*)>")

Value = int | str


@dataclass(frozen=True, slots=True)
class Start:
    """An endpoint before the event; values of variables are sums of names and figures, or words."""

    state: str
    variables: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class TransitionCase:
    """One line of the table for one start. ``path``: the states after the first one. ``signal``: "*" allows any."""

    id: str
    profiles: tuple[str, ...]
    start: str
    let: tuple[tuple[str, str], ...]
    choose: tuple[tuple[str, str], ...]
    after: tuple[tuple[str, str], ...]
    event: str
    path: tuple[str, ...]
    sent: tuple[str, ...]
    signal: str

    def __str__(self) -> str:
        with_ = f" with {','.join(self.profiles)}" if self.profiles else ""
        return f"{self.id} {self.start} {self.event}{with_}"


def _lines(name: str) -> Iterator[list[str]]:
    text = (HERE / name).read_text(encoding="utf-8")
    rows = [line.split("\t") for line in text.splitlines() if line and not line.startswith("#")]
    assert all(len(row) == len(rows[0]) for row in rows), f"{name}: a line with too few or too many columns"
    return iter(rows[1:])


def _pairs(words: list[str]) -> tuple[tuple[str, str], ...]:
    return tuple((name, value) for name, _, value in (word.partition("=") for word in words))


def starts() -> dict[str, Start]:
    """The endpoints that the cases start from, by their short names."""
    return {name: Start(state, _pairs(variables.split())) for name, state, variables in _lines("settings.tsv")}


def cases() -> list[TransitionCase]:
    """All cases, one for each line and start."""
    found = []
    for id_, profiles, names, let, event, path, sent, signal in _lines("transitions.tsv"):
        given: dict[str, list[str]] = {"let": [], "choose": [], "after": []}
        for word in let.split():
            kind, _, rest = word.partition(":")
            given[kind if rest else "let"].append(rest or word)
        for start in names.split():
            found.append(
                TransitionCase(
                    id_,
                    tuple(filter(None, profiles.split(","))),
                    start,
                    _pairs(given["let"]),
                    _pairs(given["choose"]),
                    _pairs(given["after"]),
                    event,
                    () if path == "=" else tuple(path.split()),
                    () if sent == "-" else tuple(sent.split()),
                    signal,
                )
            )
    return found


class Numbers:
    """Values of names, first come first known; a sum is worked out modulo 2^32."""

    def __init__(self, known: Mapping[str, int]) -> None:
        self.known: dict[str, Value] = dict(known)

    def value(self, text: str) -> Value:
        """What a sum of names and figures comes to; anything else is a word and stays one."""
        if not SUM.match(text):
            return text
        total = 0
        for sign, term in re.findall(r"([+-]?)([A-Z0-9.]+)", text):
            number = int(term) if term.isdigit() else self.known[term]
            assert isinstance(number, int), f"{term} is no number"
            total += -number if sign == "-" else number
        return total % MODULUS

    def set(self, pairs: tuple[tuple[str, str], ...]) -> dict[str, Value]:
        """Work out values one after the other; each may name those before it."""
        found: dict[str, Value] = {}
        for name, text in pairs:
            found[name] = self.known[name] = self.value(text)
        return found

    def message(self, text: str) -> str:
        """A message or event with its sums worked out; flags stay."""
        return FIELD.sub(lambda part: f"<{part[1]}={part[2] if part[1] == 'CTL' else self.value(part[2])}>", text)
