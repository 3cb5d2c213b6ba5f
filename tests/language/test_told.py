"""Messages of other protocols that observers see: how they are declared, and what is wrong with a declaration."""

from __future__ import annotations

import pytest
from language_samples import HEAD, problems

from tcpmodel.model.load import parse_spec

TEXT = """
seen TROUBLE "an error that quotes a segment" from icmp
seen TROUBLE.KIND : octets from icmp_type
note TROUBLES : octets = 0
observe TROUBLE when TROUBLE.KIND = 3
  TROUBLES <- TROUBLES + 1
  notice NEWS
rule A unusual over connection "a" forbid 2 < TROUBLES and SEG.DATA > 0
rule B unusual over connection "b" forbid TROUBLE.KIND = 4 and TROUBLES = 0
rule C unusual over connection "c" forbid 2 < TROUBLES
"""


def test_what_is_declared():
    spec = parse_spec(HEAD + TEXT, "test.tcpspec")
    (told,) = spec.told
    assert (told.name, told.source, told.title) == ("TROUBLE", "icmp", "an error that quotes a segment")
    assert [message.name for message in spec.messages] == ["SEG"]
    assert [(one.message, one.notices) for one in spec.observations] == [("TROUBLE", ("NEWS",))]
    assert [(rule.id, rule.message) for rule in spec.packet_rules] == [("A", "SEG"), ("B", "TROUBLE"), ("C", "SEG")]


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ("seen SEG", "TS043"),
        ("seen SEG.X", "TS043"),
        ("observe TROUBLE\n  notice NWES", "TS012"),
        ("observe TRUOBLE\n  notice NEWS", "TS018"),
        ("rule D unusual over connection forbid TROUBLE.KIND = 4 and SEG.DATA = 1", "TS"),
        ("rule D unusual over connection forbid TROUBLE.KIN = 4", "TS014"),
        ("state X\n  on TROUBLE stay", "TS012"),
        ("seen TROUBLE", "TS020"),
    ],
)
def test_errors(line, code):
    found = [problem.code for problem in problems(HEAD + TEXT + line + "\n")]
    assert any(each.startswith(code) for each in found), found
