"""``--pattern`` and ``--states``: what is found in such a log, and mistakes in the options."""

from __future__ import annotations

from pathlib import Path

import pytest

from tcpmodel.cli.main import main

ACME = Path(__file__).resolve().parents[2] / "traces" / "logs" / "pattern" / "acme.txt"
SEGMENTS = (
    r"(?P<time>[\d.]+) (?P<connection>c\d+) (?P<direction>out|in) (?P<flags>[A-Z]+) (?P<seq>\d+) (?P<ack>\d+) "
    r"n=(?P<len>\d+) w=(?P<win>\d+)"
)
CHANGES = (
    r"(?P<time>[\d.]+) (?P<connection>c\d+) (open (?P<local>\S+) (?P<remote>\S+) |close )?st (?P<old>\d+)>(?P<new>\d+)"
)
STATES = "0=CLOSED,2=syn_sent,4=ESTABLISHED,5=FIN-WAIT-1,6=FIN-WAIT-2,10=TIME-WAIT"
OPTIONS = ["--pattern", SEGMENTS, "--pattern", CHANGES, "--states", STATES]


def check(capsys, *arguments):
    status = main(["check", *arguments])
    return status, capsys.readouterr()


@pytest.mark.parametrize(
    ("old", "new", "status", "words"),
    [
        ("", "", 0, "conforms"),
        ("st 4>5", "st 4>6", 1, "goes from ESTABLISHED to FIN-WAIT-2"),
        ("out A 1001 7001 n=0", "out A 1001 9001 n=0", 1, "line 6 at"),
        ("st 2>4\n", "st 2>7\n", 0, "unknown state name 7"),
    ],
)
def test_what_is_found(capsys, tmp_path, old, new, status, words):
    log = tmp_path / "log"
    log.write_text(ACME.read_text().replace(old, new, 1) if old else ACME.read_text())
    found, told = check(capsys, str(log), *OPTIONS)
    assert found == status
    assert words in told.out


def test_a_log_that_nothing_matches(capsys):
    status, told = check(capsys, str(ACME), "--pattern", "(?P<state>nothing)")
    assert status == 2
    assert "no line of this text matches the pattern; this one says 'acme-tcp 2.1 starting'" in told.err


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--states", "0=CLOSED"], "there is no --pattern"),
        (["--pattern", SEGMENTS, "--states", "0=CLOSD"], "CLOSD is no state; did you mean CLOSED?"),
        (["--pattern", SEGMENTS, "--states", "0"], "'0' is not of the form WORD=STATE"),
        (["--pattern", SEGMENTS, "--states", "0=CLOSED,0=LISTEN"], "0 has two meanings"),
        (["--pattern", "(?P<flags>[)"], "--pattern, character 11: unterminated character set"),
    ],
)
def test_mistakes(capsys, options, words):
    status, told = check(capsys, str(ACME), *options)
    assert status == 2
    assert words in told.err
