"""Opens a trace of any supported format, told by its content.

Owns: the choice of the reader, and what is said about input that no reader takes.
Must never hold: how a format is read.
"""

from __future__ import annotations

from collections.abc import Iterator

from tcpmodel.traces.lines import plain
from tcpmodel.traces.reader import Trace
from tcpmodel.traces.records import TraceError
from tcpmodel.traces.source import Source, open_source

TYPE_CHECKING = False
if TYPE_CHECKING:
    from tcpmodel.traces.logs.pattern import Patterns

SUPPORTED = (
    "pcap and pcapng captures, tcpdump text, tshark -T fields, json, jsonraw and ek, lists of packets by tshark "
    "and Wireshark, packetdrill scripts, "
    "ftrace or perf text of sock:inet_sock_set_state, tables of tcpstates, tcplife and their like, listings of sockets "
    "by ss and netstat, conntrack, Zeek's conn.log, strace, debug lines of lwIP, smoltcp, Zephyr, FreeRTOS+TCP and "
    "gVisor, our own JSON Lines; each also packed with gzip, bzip2 or xz"
)
"""What can be read, for people."""

_TEXT_HEAD = 1 << 16

_NAMED = (
    (b"snoop\0\0\0", "a snoop capture"),
    (b"GMBU", "a Microsoft Network Monitor capture"),
    (b"RTSS", "a Microsoft Network Monitor capture"),
    (b"\x28\xb5\x2f\xfd", "a zstd archive"),
    (b"\x04\x22\x4d\x18", "an lz4 archive"),
    (b"PK\x03\x04", "a zip archive"),
    (b"\x7fELF", "a program"),
)


_PRINTED = (
    (b"<?xml", b"<pdml", "what tshark -T pdml writes", "tshark -T json says as much"),
    (b"<?xml", b"<psml", "what tshark -T psml writes", "tshark without options prints as much as a table"),
    (b"Frame 1", b"on wire", "what tshark -V prints", "tshark -T json says as much"),
    (b"0000  ", b"\n0010  ", "a dump of octets without times", "text2pcap makes a capture of it"),
)
"""How text begins, what stands somewhere in its first octets, what it is, and what to use in its place."""

_TIMED_BY_OTHERS = frozenset(
    {"ftrace", "kernel states", "smoltcp", "zephyr", "freertos", "gvisor", "lwip", "state lines", "packetdrill script"}
)
"""Formats whose readers find their lines behind other words, and may take the time from these."""

_COUNTERS = (
    (b"#kernel\n", "counters as nstat prints them"),
    (b"#kernel\r\n", "counters as nstat prints them"),
    (b"Total: ", "sums as ss -s prints them"),
    (b"cpu=0 ", "counters as conntrack -S prints them"),
    (b"Ip:\n", "counters as netstat -s prints them"),
)


def open_trace(path: str, *, growing: bool = False, patterns: Patterns | None = None) -> Trace:
    """Open the trace in the file ``path``, or on standard input for ``-``.

    The format is told by the content; gzip, bzip2 and xz are unpacked on the way. Raises TraceError when the input
    cannot be opened, is empty or is of no known format; the message says what was found.
    ``records()`` may be used once. ``growing``: see ``open_source``. ``patterns``: they read every text that is not our
    own JSON Lines.
    """
    source = open_source(path, growing=growing)
    try:
        return recognise(source, patterns)
    except TraceError:
        source.close()
        raise


def open_traces(path: str, *, growing: bool = False, patterns: Patterns | None = None) -> Iterator[Trace]:
    """The traces in the file ``path``, usually one: a file of our own format may hold several, each under a heading.

    Read one to its end before the next is asked for. Raises TraceError as ``open_trace`` does.
    """
    trace: Trace | None = open_trace(path, growing=growing, patterns=patterns)
    while trace is not None:
        yield trace
        trace = trace.following


def recognise(source: Source, patterns: Patterns | None = None) -> Trace:
    """The reader for what ``source`` holds. Raises TraceError as ``open_trace`` does."""
    size = 1 if source.growing else _TEXT_HEAD
    while True:
        try:
            return _recognised(source, size, patterns)
        except TraceError:
            # Of a source that grows no more is waited for than is needed to know what it is.
            if size >= _TEXT_HEAD or len(source.peek()) < size:
                raise
        size = min(len(source.peek()) + 1, _TEXT_HEAD)


def _recognised(source: Source, size: int, patterns: Patterns | None) -> Trace:
    head = source.head(4)
    if not head:
        what = "the packed file holds nothing" if source.packed else "there is nothing to read: the input is empty"
        raise TraceError(source.path, "", f"{what}. Supported: {SUPPORTED}")
    from tcpmodel.traces.captures import pcap, pcapng

    if head in pcap.MAGICS:
        return pcap.PcapTrace(source)
    if head == pcapng.MAGIC:
        return pcapng.PcapngTrace(source)
    lines = _first_lines(source, size)
    first = next((line.lstrip() for line in lines if line and not line.isspace()), "")
    found: Trace | None = None
    if patterns and lines:
        found = _by_patterns(source, first, patterns)
    if found is None and lines:
        found = _behind_prefixes(source, lines, size) or _by_first(source, first, lines) or _by_any(source, lines)
        found = found or _by_all(source, first, lines)
    if found is None:
        raise _unknown(source)
    return found


def _by_patterns(source: Source, first: str, patterns: Patterns) -> Trace | None:
    """What the patterns read: all but our own JSON Lines."""
    from tcpmodel.traces.logs import pattern
    from tcpmodel.traces.own import json_lines

    own = json_lines.recognises(first) and '"event"' in first
    return None if own else pattern.PatternTrace(source, patterns)


def _by_first(source: Source, first: str, lines: list[str]) -> Trace | None:
    """The reader for what the first line that is not blank tells."""
    from tcpmodel.traces.logs import zeek

    if first.startswith(("{", "[")):
        from tcpmodel.traces.printed import tshark_json

        if tshark_json.recognises("\n".join(lines[:8])[:1000]):
            return tshark_json.TsharkJsonTrace(source)
    if first.startswith("{"):
        from tcpmodel.traces.own import json_lines

        return zeek.ZeekTrace(source) if zeek.recognises_json(first) else json_lines.JsonLinesTrace(source)
    if zeek.recognises(lines):
        return zeek.ZeekTrace(source)
    if "No." in first or "→" in first or "->" in first:
        from tcpmodel.traces.printed import tshark_summary

        if tshark_summary.recognises(first):
            return tshark_summary.SummaryTrace(source)
    from tcpmodel.traces.printed import tshark_fields

    return tshark_fields.FieldsTrace(source, first) if tshark_fields.recognises(first) else None


def _by_any(source: Source, lines: list[str]) -> Trace | None:
    """The reader for what the first line tells that tells anything: prose may stand before it."""
    for number, line in enumerate(lines, 1):
        found = (
            _log(source, line, number) or _printed(source, line, lines) or _tool(source, line) or _stack(source, line)
        )
        if found is not None:
            return found
    return None


def _log(source: Source, line: str, number: int) -> Trace | None:
    """The reader for the lines of a log of states, or of a listing of sockets."""
    from tcpmodel.traces.logs import conntrack, kernel_events, snapshots, socket_rows, tcplife, tcpstates

    if kernel_events.recognises(line):
        return kernel_events.KernelTrace(source)
    if tcpstates.recognises(line):
        return tcpstates.TcpstatesTrace(source)
    if "OLD" in line or (("> " in line or "\u2192" in line) and ":" in line):
        from tcpmodel.traces.logs import bpf_states

        if bpf_states.recognises(line):
            return bpf_states.BpfStatesTrace(source)
    if tcplife.recognises(line):
        return tcplife.TcplifeTrace(source)
    if conntrack.recognises(line):
        return conntrack.ConntrackTrace(source)
    if snapshots.recognises(line):
        return snapshots.SnapshotTrace(source)
    if socket_rows.lacks_states(line):
        raise TraceError(source.path, f"line {number}", socket_rows.STATELESS)
    return None


def _printed(source: Source, line: str, lines: list[str]) -> Trace | None:
    """The reader for printed packets; ``lines``: the first ones."""
    if "<" in line or ">" in line or "socket" in line:
        from tcpmodel.traces.printed import packetdrill

        if packetdrill.recognises(line):
            return packetdrill.PacketdrillTrace(source)
    from tcpmodel.traces.printed import tcpdump_text

    return _tcpdump(source, lines) if tcpdump_text.recognises(line) else None


def _tool(source: Source, line: str) -> Trace | None:
    """The reader for what a tool tells of calls on sockets."""
    if "ADDR" in line:
        from tcpmodel.traces.logs import bpf_tables

        if bpf_tables.recognises(line):
            return bpf_tables.BpfTableTrace(source)
    if "(" in line:
        from tcpmodel.traces.logs import strace

        if strace.recognises(line):
            return strace.StraceTrace(source)
    return None


def _stack(source: Source, line: str) -> Trace | None:
    """The reader for what a stack tells."""
    from tcpmodel.traces.logs import stack_logs

    dialect = stack_logs.recognises(line)
    if dialect is not None:
        return stack_logs.StackTrace(source, dialect)
    if line.startswith(("|", "Local port ", "State: ", "TCP connection ")):
        from tcpmodel.traces.logs import lwip

        if lwip.recognises(line):
            return lwip.LwipTrace(source)
    return None


def _by_all(source: Source, first: str, lines: list[str]) -> Trace | None:
    """The reader for what no line tells alone."""
    from tcpmodel.traces.logs import snapshots, stack_logs
    from tcpmodel.traces.printed import tshark_fields

    if snapshots.only_times(lines):
        return snapshots.SnapshotTrace(source)
    if tshark_fields.seems_bare(first):
        raise tshark_fields.bare(source.path)
    dialect = stack_logs.seems(lines)
    return None if dialect is None else stack_logs.StackTrace(source, dialect)


def _behind_prefixes(source: Source, lines: list[str], size: int) -> Trace | None:
    """The trace in lines that a journal or the like has put its own words before; None if there are none."""
    from tcpmodel.traces import prefixes

    prefix = prefixes.of(lines)
    if prefix is None:
        return None
    within = prefixes.Unprefixed(source, prefix)
    try:
        found = _recognised(within, size, None)
    except TraceError:
        return None
    return None if found.format in _TIMED_BY_OTHERS else found


def _tcpdump(source: Source, lines: list[str]) -> Trace:
    if any("0x0000:" in line for line in lines):
        from tcpmodel.traces.printed import tcpdump_octets

        link = tcpdump_octets.link_of(lines)
        if link is not None:
            return tcpdump_octets.OctetsTrace(source, lines, link)
    from tcpmodel.traces.printed import tcpdump_text

    return tcpdump_text.TcpdumpTrace(source, lines)


def _first_lines(source: Source, size: int) -> list[str]:
    """The first lines of what may be text, about ``size`` octets; none for what cannot be."""
    source.head(size)
    head = source.peek()[:_TEXT_HEAD] if source.growing else source.head(size)
    if b"\0" in head[:512]:
        return []
    if size < _TEXT_HEAD:
        head = head[: head.rfind(b"\n") + 1]
    return plain(head).decode("utf-8-sig", "replace").splitlines()


def _unknown(source: Source) -> TraceError:
    head = source.head(64)
    for magic, name in _NAMED:
        if head.startswith(magic):
            return TraceError(source.path, "", f"this is {name}, which is not read. Supported: {SUPPORTED}")
    first = source.head(2048)
    for begin, mark, name, instead in _PRINTED:
        if first.lstrip().startswith(begin) and mark in first:
            return TraceError(source.path, "line 1", f"this is {name}, which is not read: {instead}")
    for begin, name in _COUNTERS:
        if head.startswith(begin):
            words = f"these are {name}: counters tell of no packet, call or state that could be checked"
            return TraceError(source.path, "line 1", f"{words}. Supported: {SUPPORTED}")
    shown = head[:16].hex(" ")
    line = head.split(b"\n", 1)[0]
    text = ""
    if line and all(32 <= octet < 127 or octet in b"\t\r" for octet in line):
        text = f" ({line.decode('ascii').strip()!r})"
    return TraceError(source.path, "", f"the format is not known. First bytes: {shown}{text}. Supported: {SUPPORTED}")
