"""A trace that is still being written: findings as they come, each once, and how it ends."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO

import pytest

ROOT = Path(__file__).resolve().parents[2]
PLANTED = ROOT / "traces" / "planted" / "m04-data-after-fin.pcap"
PATIENCE = 60


class Followed:
    """The command with a trace to which the test adds. ``line`` gives the next line that it prints."""

    def __init__(self, *words: str, pipe: bool = False) -> None:
        environment = os.environ | {"PYTHONPATH": str(ROOT), "PYTHONIOENCODING": "utf-8"}
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tcpmodel", "check", "--follow", *words],
            stdin=subprocess.PIPE if pipe else subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=environment,
            # Whoever runs tests in the background of a shell ignores SIGINT, and so would this.
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
        )
        self.watchdog = threading.Timer(PATIENCE, self.process.kill)
        self.watchdog.start()

    def line(self) -> str:
        out: IO[bytes] | None = self.process.stdout
        assert out is not None
        return out.readline().decode()

    def until(self, word: str) -> list[str]:
        found = []
        while not found or word not in found[-1]:
            found.append(self.line())
            assert found[-1], f"ended without {word}: {found}"
        return found

    def end(self) -> tuple[int, str, str]:
        out, err = self.process.communicate()
        self.watchdog.cancel()
        return self.process.returncode, out.decode(), err.decode()


@pytest.fixture
def pieces() -> Iterator[tuple[bytes, bytes]]:
    """A capture in two pieces: the violation and no more than a part of the packet behind it, and the rest."""
    data = PLANTED.read_bytes()
    at, number = 24, 0
    while number < 9:
        at += 16 + int.from_bytes(data[at + 8 : at + 12], "little")
        number += 1
    yield data[: at + 5], data[at + 5 :]


def test_a_violation_is_told_before_the_file_ends(tmp_path: Path, pieces: tuple[bytes, bytes]) -> None:
    path = tmp_path / "growing.pcap"
    path.write_bytes(pieces[0])
    followed = Followed(str(path))
    told = followed.until("TCP-FIN-001")
    assert told[0].startswith("tcp-1  10.77.1.2:40246")
    with path.open("ab") as file:
        file.write(pieces[1])
    time.sleep(0.5)
    followed.process.send_signal(signal.SIGINT)
    status, rest, err = followed.end()
    assert (status, err) == (1, "")
    assert "TCP-FIN-001" not in rest, "told once"
    assert "1 connection: 0 conform, 1 violates" in rest
    assert "11 packets checked" in rest


def test_a_pipe_ends_by_itself(pieces: tuple[bytes, bytes]) -> None:
    followed = Followed("--output-format", "jsonl", "-", pipe=True)
    pipe = followed.process.stdin
    assert pipe is not None
    pipe.write(pieces[0])
    pipe.flush()
    first = json.loads(followed.line())
    assert (first["kind"], first["code"], first["frame"]) == ("finding", "TCP-FIN-001", 9)
    pipe.write(pieces[1])
    status, rest, _ = followed.end()
    kinds = [json.loads(line)["kind"] for line in rest.splitlines()]
    assert status == 1
    assert kinds == ["connection", "input", "summary"]


def test_a_log_is_told_by_its_first_line(tmp_path: Path) -> None:
    log = next((ROOT / "traces" / "logs").rglob("*ftrace*"))
    lines = [line for line in log.read_text().splitlines(keepends=True) if "oldstate" in line]
    path = tmp_path / "trace.txt"
    path.write_text(lines[0] + lines[1].replace("newstate=TCP_", "newstate=TCP_CLOSE_WAIT was=", 1))
    followed = Followed(str(path))
    assert "TRANSITION" in "".join(followed.until("TRANSITION"))
    followed.process.send_signal(signal.SIGINT)
    assert followed.end()[0] == 1


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda path: path.write_bytes(path.read_bytes()[:100]), "became shorter"),
        (lambda path: path.unlink(), "was removed"),
        (lambda path: os.replace(path.with_name("new"), path), "was replaced"),
    ],
)
def test_a_file_that_is_no_longer_the_same(spoil, message: str, tmp_path: Path, pieces: tuple[bytes, bytes]) -> None:
    path = tmp_path / "growing.pcap"
    path.write_bytes(pieces[0])
    path.with_name("new").write_bytes(pieces[0])
    followed = Followed(str(path))
    followed.until("TCP-FIN-001")
    spoil(path)
    status, rest, err = followed.end()
    assert status == 2
    assert message in err
    assert "1 violates" in rest, "what was read is reported"


def move_away(path: Path, rest: str) -> None:
    with path.open("a") as file:
        file.write("half a li")
    path.rename(path.with_name("log.1"))
    time.sleep(0.3)
    path.write_text(rest)


def cut(path: Path, rest: str) -> None:
    with path.open("r+") as file:
        file.truncate(0)
    time.sleep(3)  # it has to be looked at in between
    with path.open("a") as file:
        file.write(rest)


@pytest.mark.parametrize("rotate", [move_away, cut])
def test_a_log_that_is_rotated_is_read_on(rotate: Callable[[Path, str], None], tmp_path: Path) -> None:
    log = next((ROOT / "traces" / "logs").rglob("*ftrace*"))
    lines = [line for line in log.read_text().splitlines(keepends=True) if "oldstate" in line]
    path = tmp_path / "trace.txt"
    path.write_text(lines[0] + lines[1].replace("newstate=TCP_", "newstate=TCP_CLOSE_WAIT was=", 1))
    followed = Followed(str(path))
    followed.until("TRANSITION")
    other = [line.replace("saddr=10.", "saddr=99.").replace("daddr=10.", "daddr=99.") for line in lines[:2]]
    rotate(path, other[0] + other[1].replace("newstate=TCP_", "newstate=TCP_CLOSE_WAIT was=", 1))
    found = "".join(followed.until("TRANSITION"))
    assert "99." in found
    followed.process.send_signal(signal.SIGINT)
    assert followed.end()[0] == 1


def test_what_is_known_does_not_count(tmp_path: Path) -> None:
    with PLANTED.open("rb") as file:
        result = subprocess.run(
            [sys.executable, "-m", "tcpmodel", "check", "--follow", "--ignore", "TCP-FIN", "-"],
            stdin=file,
            capture_output=True,
            env=os.environ | {"PYTHONPATH": str(ROOT)},
            timeout=PATIENCE,
            check=False,
        )
    assert result.returncode == 0
    assert b"1 finding ignored (--ignore): 1 TCP-FIN-001" in result.stdout


SERVER = (17001).to_bytes(2, "big")
PORTS = 16 + 14 + 20  # behind the headers of the record, of Ethernet and of IPv4


def at_other_ports(capture: bytes, ports: range) -> bytes:
    """The packets of ``capture`` once for each of these ports of the client."""
    copies = [capture[:24]]
    for port in ports:
        at = 24
        while at < len(capture):
            end = at + 16 + int.from_bytes(capture[at + 8 : at + 12], "little")
            record = bytearray(capture[at:end])
            client = PORTS if record[PORTS + 2 : PORTS + 4] == SERVER else PORTS + 2
            record[client : client + 2] = port.to_bytes(2, "big")
            copies.append(bytes(record))
            at = end
    return b"".join(copies)


@pytest.mark.parametrize(("words", "shown"), [((), 3), (("--verbose",), 5)])
def test_what_many_connections_have_is_told_once_in_the_end(words: tuple[str, ...], shown: int) -> None:
    offloaded = (ROOT / "traces" / "hazards" / "normal-client-close.h11-tx-checksum-offload.pcap").read_bytes()
    followed = Followed(*words, "-", pipe=True)
    assert followed.process.stdin is not None
    followed.process.stdin.write(at_other_ports(offloaded, range(40001, 40006)))
    status, out, err = followed.end()
    assert (status, err) == (0, "")
    told, _, rest = out.partition("5 connections: ")
    assert rest.startswith("5 conform")
    assert sum(f":{port} →" in told for port in range(40001, 40006)) == shown
    assert ("checksums are worked out after the capture: 5 connections" in told) is (shown == 3)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["a", "b"], "name one file"),
        (["--output-format", "sarif", "a"], "text or jsonl"),
        (["-o", "x", "a"], "nor with -o"),
    ],
)
def test_refuses(words: list[str], message: str) -> None:
    followed = Followed(*words)
    status, _, err = followed.end()
    assert status == 2
    assert message in err
