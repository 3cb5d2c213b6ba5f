"""Calls on one socket, judged by themselves."""

from __future__ import annotations

from pathlib import Path

import pytest

from tcpmodel.checking.logs.called import Calls
from tcpmodel.checking.outcome.findings import VIOLATES, Diagnostic
from tcpmodel.checking.run import check
from tcpmodel.model.load import load_spec
from tcpmodel.traces.open import open_trace
from tcpmodel.traces.records import Record

TO = '{sa_family=AF_INET, sin_port=htons(80), sin_addr=inet_addr("10.0.0.2")}, 16'
ANY = '{sa_family=AF_INET, sin_port=htons(80), sin_addr=inet_addr("0.0.0.0")}, 16'
NEW = "socket(AF_INET, SOCK_STREAM, IPPROTO_IP) = 3"
MADE = f"connect(3, {TO}) = 0"
BEGUN = f"connect(3, {TO}) = -1 EINPROGRESS (Operation now in progress)"
REFUSED = f"connect(3, {TO}) = -1 ECONNREFUSED (Connection refused)"
ALREADY = f"connect(3, {TO}) = -1 EISCONN (Transport endpoint is already connected)"
SENT = 'sendto(3, "GET /", 5, 0, NULL, 0) = 5'
PIPE = 'sendto(3, "x", 1, 0, NULL, 0) = -1 EPIPE (Broken pipe)'
GOT = 'recvfrom(3, "HTTP", 4096, 0, NULL, NULL) = 4'
OVER = 'recvfrom(3, "", 4096, 0, NULL, NULL) = 0'
RESET = "recvfrom(3, 0x7f, 4096, 0, NULL, NULL) = -1 ECONNRESET (Connection reset by peer)"
OUT = "shutdown(3, SHUT_WR) = 0"
BOTH = "shutdown(3, SHUT_RDWR) = 0"
CLOSED = "close(3) = 0"
ERROR = "getsockopt(3, SOL_SOCKET, SO_ERROR, [ECONNREFUSED], [4]) = 0"
LEAVE = "connect(3, {sa_family=AF_UNSPEC, sa_data=...}, 16) = 0"
KNOWN = "3<TCP:[10.0.0.1:40->10.0.0.2:80]>"
LISTENS = [NEW, f"bind(3, {ANY}) = 0", "listen(3, 5) = 0"]

RIGHT = {
    "client": [NEW, MADE, SENT, GOT, OVER, CLOSED],
    "half closed": [NEW, MADE, SENT, OUT, GOT, OVER, OVER, CLOSED],
    "sends after the end of the text": [NEW, MADE, OVER, SENT, CLOSED],
    "refused": [NEW, REFUSED, REFUSED, MADE, SENT, CLOSED],
    "does not wait": [NEW, BEGUN, SENT, MADE, GOT, ALREADY, CLOSED],
    "asks for the error": [NEW, BEGUN, ERROR, CLOSED],
    "reset": [NEW, MADE, RESET, OVER, PIPE, CLOSED],
    "shut down and told so": [NEW, MADE, OUT, PIPE, OUT, CLOSED],
    "begins in the middle": [line.replace("3", KNOWN, 1) for line in (GOT, SENT, OVER, OUT)],
    "was shut down in the middle": [line.replace("3", KNOWN, 1) for line in (PIPE, OUT, GOT)],
    "leaves its peer": [NEW, MADE, OVER, LEAVE, MADE, GOT],
    "a listener cannot connect": [*LISTENS, ALREADY, CLOSED],
    "the descriptor serves another": [NEW, MADE, OUT, CLOSED, NEW, MADE, SENT, CLOSED],
    "waited while another thread closed it": [
        NEW,
        MADE,
        '[pid 2] sendto(3, "GET /", 5, 0, NULL, 0 <unfinished ...>',
        OUT,
        "[pid 2] <... sendto resumed>) = 5",
    ],
    "a file that was opened unseen": [NEW, MADE, OVER, 'read(3, "text", 4096) = 4'],
}
WRONG = {
    "sends after shutdown": ([NEW, MADE, OUT, SENT], 4, ("SHUT",)),
    "sends after shutting both": ([NEW, MADE, BOTH, SENT], 4, ("SHUT",)),
    "text after its end": ([NEW, MADE, OVER, GOT], 4, ("READ",)),
    "connected twice": ([NEW, MADE, MADE], 3, ("CONNECTION",)),
    "sends without a connection": ([NEW, SENT], 2, ("IDLE",)),
    "sends after it was refused": ([NEW, REFUSED, SENT], 3, ("IDLE",)),
    "receives without a connection": ([NEW, GOT], 2, ("IDLE",)),
    "shuts down nothing": ([NEW, OUT], 2, ("IDLE",)),
    "connects a listener": ([*LISTENS, MADE], 4, ("LISTENER",)),
    "sends after a reset": ([NEW, MADE, RESET, SENT], 4, ("GONE",)),
    "in the middle": ([line.replace("3", KNOWN, 1) for line in (GOT, OUT, OVER, SENT)], 4, ("DONE", "GONE")),
    "a known file": ([NEW, MADE, OVER, "close(9) = 0", 'read(3, "text", 4096) = 4'], 5, ("READ",)),
}


@pytest.fixture(scope="module")
def calls() -> Calls:
    return Calls(load_spec("sockets"), "socket-calls")


def found(calls: Calls, tmp_path: Path, lines: list[str]) -> list[Diagnostic]:
    log = tmp_path / "log"
    log.write_text("".join(line + "\n" for line in lines))
    sockets: dict[str, list[Record]] = {}
    for record in open_trace(str(log)).records():
        sockets.setdefault(record.endpoint, []).append(record)
    assert sockets
    return [wrong for each in sockets.values() if (wrong := calls.wrong(each)) is not None]


@pytest.mark.parametrize("name", RIGHT)
def test_what_can_be(calls, tmp_path, name):
    assert found(calls, tmp_path, RIGHT[name]) == []


@pytest.mark.parametrize("name", WRONG)
def test_what_cannot_be(calls, tmp_path, name):
    lines, place, states = WRONG[name]
    (one,) = found(calls, tmp_path, lines)
    assert (one.code, one.place, one.states) == ("SOCKETS-CALL", place, states)
    assert one.allowed and one.cites


def test_it_is_told_once_for_each_socket(calls, tmp_path):
    places = [item.place for item in found(calls, tmp_path, [NEW, SENT, SENT, CLOSED, NEW, MADE, OUT, SENT])]
    assert places == [2, 8]


def test_it_is_a_violation_of_the_log_and_of_what_is_made_of_it(specs, tmp_path):
    import contextlib
    import io

    from tcpmodel.cli.main import main

    log, converted = tmp_path / "log", tmp_path / "log.jsonl"
    log.write_text("".join(line + "\n" for line in WRONG["text after its end"][0]))
    with contextlib.redirect_stdout(io.StringIO()) as written:
        assert main(["convert", str(log)]) == 0
    converted.write_text(written.getvalue())
    for path, place in ((log, 4), (converted, 5)):
        (one,) = check([str(path)], [*specs, load_spec("sockets")]).connections
        assert (one.verdict, [item.place for item in one.diagnostics]) == (VIOLATES, [place])
