"""Rows of listings of sockets: what ss, netstat of several systems and Get-NetTCPConnection print, and /proc/net/tcp.

Owns: the columns of these listings, and their ways to write addresses.
Must never hold: which rows belong to one listing (see ``snapshots``), or what a state means.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from tcpmodel.traces.addresses import endpoint_text, unmapped
from tcpmodel.traces.logs import proc_net
from tcpmodel.traces.reader import Damaged

_NO_ADDRESS = Damaged("unreadable address")
_SS = re.compile(
    r"(?:([a-z][a-z0-9_]*)\s+)?([A-Z][A-Z0-9-]+)\s+(\d{1,10})\s+(\d{1,10})\s+(\S{1,200}:\S{1,40})\s+(\S{1,200}:\S{1,40})(?:\s+(.*))?$",
    re.ASCII,
)
_SS_OTHER = re.compile(r"[a-z][a-z0-9_]*\s+[A-Z][A-Z0-9-]+\s+\d+\s+\d+\s", re.ASCII)
_NETSTAT = re.compile(
    r"(?:([0-9a-f]{8,16})\s+(?:([0-9a-f]{1,8})\s+)?)?(tcp|udp)(?:4|6|46|6x)?\s+(\d{1,10})\s+(\d{1,10})\s+(\S{1,200})\s+(\S{1,200})(?:\s+(.*))?$",
    re.ASCII,
)
_NETSTAT_OTHER = re.compile(
    r"(?:[0-9a-f]{8,16}\s+(?:[0-9a-f]{1,8}\s+)?)?"
    r"(?:unix|raw6?|udplite6?|icmp?\d*|igmp|sctp\d*|divert|kctl|kevt|stream|dgram|dccp|ax25|x25|vsock\S*|mptcp\S*)\s",
    re.ASCII,
)
_WINDOWS = re.compile(r"\s*(TCP|UDP)\s+(\S{1,200})\s+(\S{1,200})(?:\s+(.*))?$", re.ASCII)
_SOLARIS = re.compile(
    r"\s*((?:[\w:-]+\.)+\w{1,40}|\*\.[\w*]+)\s+((?:[\w:-]+\.)+\w{1,40}|\*\.[\w*]+)(?:\s+\d{1,10}){4}"
    r"\s+([A-Z][A-Z0-9_]{2,12})(?:\s.*)?$",
    re.ASCII,
)
_POWERSHELL = re.compile(
    r"(?=\S*[.:])([0-9A-Fa-f.:%*]{1,60})\s+(\d{1,5})\s+([0-9A-Fa-f.:%*]{1,60})\s+(\d{1,5})\s+([A-Z]\w*)\b"
)
_POWERSHELL_CSV = re.compile(
    r'"?([0-9A-Fa-f.:%*]{1,60})"?[,;]"?(\d{1,5})"?[,;]"?([0-9A-Fa-f.:%*]{1,60})"?[,;]"?(\d{1,5})"?[,;]"?([A-Z][A-Za-z0-9]+)"?'
)
_LSOF = re.compile(
    r"\S.{0,60}?\s+\d{1,8}\s+(?:\d{1,8}\s+)?\S{1,40}\s+\d{1,7}[a-zA-Z]{0,2}\s+IPv[46]\s+\S+\s+\S+\s+(TCP|UDP)\s+"
    r"([^\s>]{1,100}?)(?:->(\S{1,100}))?(?:\s+\((.*))?$",
    re.ASCII,
)
_SOCKSTAT = re.compile(
    r"\S+\s+\S.{0,40}?\s+\d{1,8}\s+\d{1,8}\s+(tcp|udp)(?:4|6|46)\s+(\S{1,100})\s+(\S{1,100})(?:\s+(\S.*))?$", re.ASCII
)
_STATE = re.compile(r"[A-Z][A-Z0-9_-]+$", re.ASCII)
_PORT = re.compile(r"(\*|\d{1,5}|[A-Za-z0-9][\w.+-]{0,39})$", re.ASCII)

LINUX, WINDOWS, BSD, OPEN = "linux-sockets", "windows-sockets", "bsd-sockets", "open-files"
"""Whose words for states a row uses."""


class Row(NamedTuple):
    """One socket. ``identity`` tells it from another one on equal addresses, as far as the listing does.

    ``protocol`` is "" where the listing has no column for it, and so is one of TCP or of UDP as a whole.
    """

    source: str
    protocol: str
    local: str
    remote: str
    state: str
    identity: str = ""


def row(line: str) -> Row | str:
    """A socket, or the reason in words why the line is left out; "" for what needs no word (details of a row)."""
    if not line or line.isspace():
        return ""
    if ":" in line[:12]:
        listed = proc_net.parse(line)
        if listed is not None:
            protocol, local, remote, state = listed
            return Row(LINUX, protocol, local, _peer(remote), state)
    found = _SOLARIS.match(line)
    if found:
        ends = _dot(found[1]), _dot(found[2])
        if ends[0] is not None and ends[1] is not None:
            return Row(BSD, "tcp", ends[0], _peer(ends[1]), found[3])
    if line[0] in " \t" and not _WINDOWS.match(line):
        return ""  # what ss -i and netstat -b say below a row
    found = _SS.match(line)
    if found:
        return _ss(found)
    found = _NETSTAT.match(line)
    if found:
        return _netstat(found)
    found = _WINDOWS.match(line)
    if found:
        return _windows(found)
    found = _POWERSHELL.match(line) or _POWERSHELL_CSV.match(line)
    if found:
        local, remote = _endpoint(found[1], found[2]), _endpoint(found[3], found[4])
        return Row(WINDOWS, "tcp", local, _peer(remote), found[5])
    if _SS_OTHER.match(line) or _NETSTAT_OTHER.match(line):
        return "not TCP or UDP"
    if "TCP" in line or "UDP" in line:
        found = _LSOF.match(line)
        if found:
            return _open_file(found[1], found[2], found[3] or "*:*", (found[4] or "").partition(")")[0])
    elif "tcp" in line or "udp" in line:
        found = _SOCKSTAT.match(line)
        if found:
            return _open_file(found[1], found[2], found[3], (found[4] or "").rpartition(" ")[2])
    return "not a row of a listing"


def _ss(found: re.Match[str]) -> Row | str:
    kind, state, _, _, local, remote, rest = found.groups()
    if kind not in (None, "tcp", "udp"):
        return "not TCP or UDP"
    ends = _colon(local), _colon(remote)
    if ends[0] is None or ends[1] is None:
        return _NO_ADDRESS
    cookie = re.search(r"\bsk:(\w{1,16})", rest or "")
    return Row(LINUX, kind or "", ends[0], _peer(ends[1]), state, cookie[1] if cookie else "")


def _netstat(found: re.Match[str]) -> Row | str:
    socket, _, protocol, _, _, local, remote, rest = found.groups()
    dotted = local.rfind(".") > local.rfind(":")
    split = _dot if dotted else _colon
    ends = split(local), split(remote)
    if ends[0] is None or ends[1] is None:
        return _NO_ADDRESS
    words = (rest or "").split()
    if dotted and words and _STATE.match(words[-1]):
        words = words[-1:]  # behind what netstat -x of FreeBSD tells of the buffers
    state = words[0] if words and _STATE.match(words[0]) else ""
    if not state and protocol == "tcp":
        return "a TCP socket without a state"
    source = BSD if dotted else LINUX
    return Row(source, protocol, ends[0], _peer(ends[1]), state or _silent(ends[0], ends[1]), socket or "")


def _windows(found: re.Match[str]) -> Row | str:
    protocol, local, remote, rest = found.groups()
    ends = _colon(local), _colon(remote)
    if ends[0] is None or ends[1] is None:
        return _NO_ADDRESS
    words = (rest or "").split(None, 1)
    state = words[0] if words and not words[0].isdecimal() else ""
    if protocol == "TCP" and not state:
        return "a TCP socket without a state"
    if protocol == "UDP":
        state = _silent(ends[0], ends[1])
    return Row(WINDOWS, protocol.lower(), ends[0], _peer(ends[1]), state)


def _open_file(protocol: str, local: str, remote: str, told: str) -> Row | str:
    """A socket in a list of what processes have open."""
    ends = _colon(local), _colon(remote)
    if ends[0] is None or ends[1] is None:
        return _NO_ADDRESS
    state = told if _STATE.match(told) else ""
    if protocol.lower() == "udp" or not state:
        return f"a {protocol.upper()} socket without a state"
    return Row(OPEN, "tcp", ends[0], _peer(ends[1]), state)


def _silent(local: str, remote: str) -> str:
    """What stands for the state of a socket where the listing prints none."""
    if local.endswith((":*", ":0")):
        return "no-port"
    return "no-peer" if remote.endswith((":*", ":0")) else "peer"


def _colon(text: str) -> str | None:
    return _split(text, ":")


def _dot(text: str) -> str | None:
    return _split(text, ".")


def _split(text: str, sign: str) -> str | None:
    host, _, port = text.rpartition(sign)
    if not host or not _PORT.match(port):
        return None
    return _endpoint(host, port)


def _endpoint(host: str, port: str) -> str:
    if host[0] == "[" and host[-1] == "]":
        host = host[1:-1]
    host = host.partition("%")[0] or host
    return endpoint_text(unmapped(host), port)


def _peer(end: str) -> str:
    """The far end; what is not known of it is written as everywhere."""
    host, _, port = end.rpartition(":")
    return f"{'0' if host == '*' else host}:{'0' if port == '*' else port}"


_HEADINGS = re.compile(
    r"\s*(?:Netid\s+State|State\s+Recv-Q|Active (?:Internet )?[Cc]onnections|LocalAddress\s+LocalPort"
    r"|TCP: IPv[46]\s*$|COMMAND\s+PID\s+(?:TID\s+TASKCMD\s+)?(?:PPID\s+)?USER\s|USER\s+COMMAND\s+PID\s+FD\s+PROTO"
    r'|"?LocalAddress"?[,;]"?LocalPort"?'
    rf"|{proc_net.HEADING})",
    re.ASCII,
)
_STATELESS = re.compile(r"(?:Netid\s+)?Recv-Q\s+Send-Q\s+Local Address:Port\s", re.ASCII)
_COLUMNS = re.compile(r"\s*Proto\s+(?:Recv-Q\s+Send-Q\s+)?Local Address\s", re.ASCII)
_TITLES = re.compile(
    r"\s*(?:Proto\s+(?:Recv-Q|Local|RefCnt)|Active |(?:Socket|Tcpcb|PCB)\s+.*Proto|-{5,}|Address\s+Type|Registered "
    r"|id\s+|kctlref|Kernel )",
    re.ASCII,
)


def begins(line: str) -> bool:
    """Whether this line is the heading of a new listing."""
    return _HEADINGS.match(line) is not None


def names_columns(line: str) -> bool:
    """Whether this line names the columns of netstat."""
    return _COLUMNS.match(line) is not None


STATELESS = (
    "this listing of ss has no column State, so nothing can be checked: ss leaves it out if one state only was asked "
    "for (ss state established); list all of them: ss -tan"
)


def lacks_states(line: str) -> bool:
    """Whether this line is the heading of a listing of ss that does not tell states."""
    return _STATELESS.match(line) is not None


def is_title(line: str) -> bool:
    """Whether this line names columns or a part of a listing."""
    return _HEADINGS.match(line) is not None or _TITLES.match(line) is not None
