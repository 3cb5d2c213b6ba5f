"""Twenty slips in the model of TCP: each must be noticed by a property, a scenario or a proof about the structure.

`pytest -s` prints a row for each slip with what notices it; with MUTANTS_EVERY=1, everything that does.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from shipped import tcp_text

from tcpmodel.analysis.scenarios import scenario_checks
from tcpmodel.analysis.verify import verify
from tcpmodel.language.errors import SpecErrors
from tcpmodel.model.load import parse_spec
from tcpmodel.model.spec import Spec
from tcpmodel.semantics import values

DEFAULT = frozenset({"rfc5961"})

EVERY = bool(os.environ.get("MUTANTS_EVERY"))
"""Ask every kind of proof of every slip, which takes minutes; else only until one of them notices it."""

MUTANTS = {
    "M1 any reset leads back to LISTEN": ("SYR-12: on SEG", " and opened = passive -> LISTEN", " -> LISTEN"),
    "M2 the acknowledgment of nothing opens": ("SYR-21: on SEG", "SND.UNA < SEG.ACK", "SND.UNA =< SEG.ACK"),
    "M3 a reset answers a reset": ("CLO-07: on SEG", "with RST drop", "with SYN, RST drop"),
    "M4 CLOSE-WAIT to TIME-WAIT": ("CLW-C04: on CLOSE", "-> LAST-ACK", "-> TIME-WAIT"),
    "M5 LAST-ACK to TIME-WAIT": ("LAK-A1: on SEG", "-> CLOSED", "-> TIME-WAIT"),
    "M6 CLOSE-WAIT to CLOSING": ("CLW-C04: on CLOSE", "-> LAST-ACK", "-> CLOSING"),
    "M7 a FIN out of order": ("define fin-in-order", "RCV.NXT = SEG.TEXT-END", "RCV.NXT =< SEG.TEXT-END"),
    "M8 the SYN comes again with another number": ("SYS-14: on SEG", "<SEQ=ISS>", "<SEQ=ISS + 1>"),
    "M9 no probe": ("rules probe ", "on timeout PROBE when SND.WND > 0 stay", "on timeout PROBE stay"),
    "M10 two segments open": ("LIS-14: on SEG", "-> SYN-RECEIVED", "-> ESTABLISHED"),
    "M11 no TIME-WAIT": ("FW2-F1: on SEG", "-> TIME-WAIT", "-> CLOSED"),
    "M12 no TIME-WAIT after FIN and ACK": ("FW1-F2: on SEG", "-> TIME-WAIT", "-> CLOSED"),
    "M14 the end of a segment does not count": (
        "define acceptable",
        "or RCV.NXT =< SEG.LAST < RCV.NXT + RCV.WND",
        "",
    ),
    "M15 a reset without ACK in SYN-SENT": ("SYS-10: on SEG", "with RST drop", "with RST -> CLOSED"),
    "M16 a listener resets a SYN": (
        "LIS-14: on SEG",
        "-> SYN-RECEIVED",
        "stay send <SEQ=0><ACK=SEG.SEQ + SEG.LEN><CTL=RST,ACK>",
    ),
    "M17 TIME-WAIT answers a bare ACK": ("TMW-03: on SEG", " when SEG.LEN > 0 stay", " stay"),
    "M18 text is delivered before the handshake": ("@tfo TFO-02: on SEG", "@tfo TFO-02:", "TFO-02:"),
    "M19 a SYN opens in SYN-SENT": ("SYS-14: on SEG", "-> SYN-RECEIVED", "-> ESTABLISHED"),
    "M20 ABORT in SYN-SENT resets": (
        "SYS-05: on ABORT",
        'signal "error: connection reset"',
        'send <SEQ=SND.NXT><CTL=RST>\n    signal "error: connection reset"',
    ),
}
"""Where (exactly once in the spec), what (the first after that), and what instead."""


def mutant(root: Path, where: str, old: str, new: str) -> Spec:
    path = root / "specs" / "tcp.tcpspec"
    text = tcp_text(root)
    assert text.count(where) == 1, "the rule that this mutant changes is not there any more"
    at = text.index(where)
    begin = text.index(old, at)
    assert text.count("\n", at, begin) < 12, "the text that this mutant changes is not there any more"
    if where == "define fin-in-order":  # the check of text holds it back as well
        text = text.replace("RCV.NXT < SEG.TEXT and SEG.LEN > 0 stay", "RCV.NXT < SEG.TEXT and SEG.DATA > 0 stay", 1)
        at = text.index(where)
        begin = text.index(old, at)
    if new.startswith("stay send"):
        # All that the rule does gives way to one message.
        end = min(text.index("\n  LIS-15", begin), len(text))
        action = new.removeprefix("stay ")
        return parse_spec(f"{text[:begin]}stay\n    {action}{text[end:]}", str(path))
    return parse_spec(text[:begin] + new + text[begin + len(old) :], str(path))


def killers(spec: Spec, *, every: bool = EVERY) -> dict[str, list[str]]:
    """The names of what notices it, by kind of proof: of the first kind that does, or of ``every``."""
    failed: dict[str, list[str]] = {"property": [], "scenario": [], "structure": []}
    failed["scenario"] = [check.name for check in scenario_checks(spec) if not check.holds]
    if every or not failed["scenario"]:
        for section in verify(spec, DEFAULT).sections:
            for check in section.checks:
                if not check.holds:
                    failed["property" if check.name.startswith("property ") else "structure"].append(check.name)
    return failed


def told(name: str, failed: dict[str, list[str]]) -> str:
    """One row of the table."""
    names = {kind: ", ".join(each.removeprefix("property ") for each in found[:3]) for kind, found in failed.items()}
    more = {kind: f" and {len(found) - 3} more" if len(found) > 3 else "" for kind, found in failed.items()}
    return f"{name}: " + "; ".join(f"{kind}: {names[kind] or '-'}{more[kind]}" for kind in failed)


@pytest.mark.slow
@pytest.mark.parametrize("name", MUTANTS)
def test_mutant_is_killed(root: Path, name: str) -> None:
    where, old, new = MUTANTS[name]
    try:
        spec = mutant(root, where, old, new)
    except SpecErrors as refused:
        print(f"{name}: structure: {refused.errors[0].code}, {refused.errors[0].message}; nothing else is run")
        assert refused.errors[0].code == "TS047", "the mutant itself is malformed"
        return
    failed = killers(spec)
    print(told(name, failed))
    assert any(failed.values()), "nothing notices it"


@pytest.mark.slow
def test_comparison_that_does_not_wrap_is_killed(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """M13: numbers compared as they stand, not on the circle."""

    def less(a: values.Interval, b: values.Interval, circular: bool) -> int:
        one, two = (each[0] % values.MODULUS if circular else each[0] for each in (a, b))
        return int(one < two)

    def less_or_equal(a: values.Interval, b: values.Interval, circular: bool) -> int:
        one, two = (each[0] % values.MODULUS if circular else each[0] for each in (a, b))
        return int(one <= two)

    monkeypatch.setattr(values, "less", less)
    monkeypatch.setattr(values, "less_or_equal", less_or_equal)
    path = root / "specs" / "tcp.tcpspec"
    spec = parse_spec(tcp_text(root), str(path))
    failed = killers(spec, every=True)
    print(told("M13 numbers that do not wrap", failed))
    assert "property P-16" in failed["property"]
