"""Logs that went through other programs: with words before each line, colours, other line ends, another encoding."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tcpmodel.traces.open import open_trace
from tcpmodel.traces.records import Packet, TraceError

LAB = "logs/lab/half-close/"
LOGS = (
    *("ftrace.txt", "tcpstates.txt", "conntrack_rtc.log", "ss_rtc.log", "netstat_rtc.log", "strace_client.log"),
    "tcpdump_text_client.txt",
)
PREFIXES: dict[str, Callable[[int], str]] = {
    "journal": lambda n: f"Nov 20 10:11:{n % 60:02d} host prog[123]: ",
    "journal, ISO": lambda n: f"2026-11-20T10:11:{n % 60:02d}.123456+0000 host prog[123]: ",
    "syslog": lambda n: f"<34>Nov  2 10:11:{n % 60:02d} host prog: ",
    "RFC 5424": lambda n: f"<34>1 2026-11-20T10:11:{n % 60:02d}.123Z host prog 123 - - ",
    "container": lambda n: f"2026-11-20T10:11:{n % 60:02d}.123456789Z stdout F ",
    "compose": lambda n: "probe-1  | ",
}
CHANGES: dict[str, Callable[[str], bytes]] = {
    "line ends": lambda text: text.replace("\n", "\r\n").encode(),
    "UTF-16": lambda text: text.encode("utf-16"),
    "a mark": lambda text: text.encode("utf-8-sig"),
    "colours": lambda text: "".join(f"\x1b[1;32m{line}\x1b[0m\n" for line in text.splitlines()).encode(),
    "colours within": lambda text: text.replace(" ", "\x1b[0m \x1b[31m").encode(),
}


@pytest.fixture
def records(tmp_path):
    def run(data: bytes, timed: bool = True):
        path = tmp_path / "log"
        path.write_bytes(data)
        trace = open_trace(str(path))
        return trace.format, [record if timed else record._replace(time=None) for record in trace.records()]

    return run


@pytest.mark.parametrize("name", LOGS)
@pytest.mark.parametrize("change", CHANGES)
def test_the_same_text(records, samples, name, change):
    text = (samples / LAB / name).read_text()
    assert records(CHANGES[change](text)) == records(text.encode())


@pytest.mark.parametrize("name", LOGS)
@pytest.mark.parametrize("prefix", PREFIXES)
def test_words_before_each_line(records, samples, name, prefix):
    text = (samples / LAB / name).read_text()
    told = "".join(PREFIXES[prefix](number) + line for number, line in enumerate(text.splitlines(True)))
    found = records(told.encode())
    assert found == records(text.encode()) and found[1]
    assert records(b"-- Journal begins at Mon 2026-11-02 --\n" + told.encode())[1][0].number == found[1][0].number + 1


def test_words_that_belong_to_the_format(records, samples):
    """Where the time stands in what a journal writes, it is taken from there."""
    text = (samples / "logs/stacks/kernel-2.4.txt").read_text()
    assert all(record.time for record in records(text.encode())[1])


def test_columns_are_no_words_before_a_line(records):
    text = "tcp.seq|ip.src|ip.dst|tcp.srcport|tcp.dstport|tcp.flags\n5|10.0.0.1|10.0.0.2|40|80|0x0002\n"
    ((packet,),) = [records(text.encode())[1]]
    assert isinstance(packet, Packet) and packet.fields["seq"] == 5


@pytest.mark.parametrize("stamp", ["2012-02-15 17:42:57.822004", "2012-02-15T17:42:57.822004"])
def test_addresses_are_no_names(records, stamp):
    line = f"{stamp} IP6 2001:470::1.49185 > 2001:470::2.21: Flags [S], seq 1, win 8192, length 0\n"
    ((packet,),) = [records(line.encode())[1]]
    assert isinstance(packet, Packet) and packet.source == "[2001:470::1]:49185"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('<?xml version="1.0"?>\n<pdml version="0">\n', "-T pdml.*-T json"),
        ('<?xml version="1.0"?>\n<psml version="0">\n', "-T psml"),
        ("Frame 1: 74 bytes on wire (592 bits), 74 bytes captured\n", "-V prints.*-T json"),
        ("0000  33 33 00 00\n0010  33 33 00 00\n", "text2pcap"),
    ],
)
def test_what_to_use_instead(records, text, words):
    with pytest.raises(TraceError, match=words):
        records(text.encode())
