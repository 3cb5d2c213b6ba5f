"""The notation of packets in scripts of packetdrill: ``< S 0:0(0) win 1000 <mss 1460,nop,wscale 7>``.

Owns: the tokens of a script, and what a packet of TCP, UDP or ICMP says.
Must never hold: the order of events, or connections (``packetdrill``).
"""

from __future__ import annotations

import re
from typing import NamedTuple

from tcpmodel.traces.records import ABOUT, ERRORS, FLAG_BITS, FLAG_LETTERS

_TOKEN = re.compile(
    r"""
    (?P<space>\s+) | (?P<comment>//[^\n]*|/\*.*?\*/|\#![^\n]*)
    | (?P<code>%\{.*?\}%) | (?P<command>`(?:\\.|[^`\\])*`) | (?P<string>"(?:\\.|[^"\\\n])*")
    | (?P<option>--[A-Za-z0-9_]+(?:=\S*)?) | (?P<ellipsis>\.\.\.)
    | (?P<float>-?\d*\.\d+(?![\w:]|\.(?!\.\.))) | (?P<hex>0x[0-9a-fA-F]+) | (?P<int>-?\d+(?![A-Za-z_\d]))
    | (?P<word>[A-Za-z0-9_\#]+) | (?P<char>.)
    """,
    re.VERBOSE | re.DOTALL,
)

_LETTERS = {**FLAG_LETTERS, "A": FLAG_BITS["AE"]}
_COUNTED = ((1, FLAG_BITS["ECE"]), (2, FLAG_BITS["CWR"]), (4, FLAG_BITS["AE"]))
"""The three flags that count marks of congestion, written as one digit."""

_UNREACHABLE = {
    "net_unreachable": 0,
    "host_unreachable": 1,
    "protocol_unreachable": 2,
    "port_unreachable": 3,
    "frag_needed": 4,
    "source_route_failed": 5,
    "net_unknown": 6,
    "host_unknown": 7,
    "source_host_isolated": 8,
    "net_prohibited": 9,
    "host_prohibited": 10,
    "net_unreachable_for_tos": 11,
    "host_unreachable_for_tos": 12,
    "packet_filtered": 13,
}
_TCP, _UDP = ABOUT
_ICMP = {"unreachable": 3, "source_quench": 4, "time_exceeded": 11, "parameter_problem": 12}


class Token(NamedTuple):
    """One token; ``first``: nothing else stands before it on its line."""

    kind: str
    text: str
    line: int
    first: bool


class Wrong(Exception):
    """What stands in ``line`` is not understood."""

    def __init__(self, line: int, message: str) -> None:
        super().__init__(message)
        self.line = line
        self.message = message


class Scripted(NamedTuple):
    """A packet as the script writes it; ``ports`` of its source and destination are 0 where they are not written."""

    inward: bool
    protocol: str
    flags: int
    fields: dict[str, int]
    ports: tuple[int, int]


def tokens(text: str) -> list[Token]:
    """All tokens of a script but blanks and comments."""
    found: list[Token] = []
    line, first = 1, True
    for match in _TOKEN.finditer(text):
        kind = match.lastgroup or "char"
        part = match[0]
        if kind not in ("space", "comment"):
            found.append(Token(kind, part, line, first))
            first = False
        ends = part.count("\n")
        line += ends
        first = first or ends > 0
    return found


def parse_packet(found: list[Token], at: int) -> tuple[int, Scripted | str]:
    """The packet whose direction is the token ``at``, or why it is left out; and the place after it. Raises Wrong."""
    return _Packet(found, at).parse()


class _Packet:
    def __init__(self, found: list[Token], at: int) -> None:
        self._tokens = found
        self._start = found[at]
        self._at = at + 1

    def parse(self) -> tuple[int, Scripted | str]:
        inward = self._start.text == "<"
        if self._text() in ("ipv4", "ipv6", "gre", "GREv0", "mpls", "psp"):
            self._skip_line()
            return self._at, "packet within another one"
        if self._text() in "([" and self._text():
            self._until({"(": ")", "[": "]"}[self._text()])
        ports = self._ports()
        if self._text() == "icmp":
            return self._icmp(inward)
        if self._text() == "udp":
            self._at += 1
            self._want("(")
            size = self._number(0xFFFF)
            self._want(")")
            return self._at, Scripted(inward, "udp", 0, {"length": size + 8}, ports)
        flags = self._flags()
        fields = {"seq": self._number(0xFFFFFFFF)}
        self._want(":")
        end = self._number((1 << 33) - 1)
        self._want("(")
        fields["length"] = self._number(0xFFFF)
        self._want(")")
        if (fields["seq"] + fields["length"] - end) % (1 << 32):
            raise Wrong(self._start.line, f"{fields['seq']} and {fields['length']} octets do not end at {end}")
        self._header(fields)
        if self._text() == "<":  # the next event would begin with its time
            self._options(fields)
        reason = ""
        if self._text() == "{":
            self._until("}")
            reason = "packet that is changed at random"
        return self._at, reason or Scripted(inward, "tcp", flags, fields, ports)

    # ------------------------------------------------------------------------------------------------------- tokens

    def _text(self, ahead: int = 0) -> str:
        at = self._at + ahead
        return self._tokens[at].text if at < len(self._tokens) else ""

    def _line(self) -> int:
        return self._tokens[self._at].line if self._at < len(self._tokens) else 0

    def _want(self, text: str) -> None:
        if self._text() != text:
            raise Wrong(self._line() or self._start.line, f"{text!r} is missing before {self._text()!r} in this packet")
        self._at += 1

    def _number(self, top: int) -> int:
        text = self._text()
        if not (text.isascii() and text.isdigit()) or len(text) > 12 or int(text) > top:
            raise Wrong(self._line() or self._start.line, f"{text!r} is not a number from 0 to {top}")
        self._at += 1
        return int(text)

    def _until(self, closing: str) -> None:
        while self._at < len(self._tokens):
            self._at += 1
            if self._tokens[self._at - 1].text == closing:
                return
        raise Wrong(self._start.line, f"{closing!r} is missing after this packet")

    def _skip_line(self) -> None:
        while self._at < len(self._tokens) and not self._tokens[self._at].first:
            self._at += 1

    # -------------------------------------------------------------------------------------------------------- parts

    def _ports(self) -> tuple[int, int]:
        if self._text().isdigit() and self._text(1) == ">" and self._text(2).isdigit():
            first = self._number(0xFFFF)
            self._at += 1
            return first, self._number(0xFFFF)
        return 0, 0

    def _flags(self) -> int:
        """One or more tokens up to the first number."""
        letters = ""
        if self._text() == "-":
            self._at += 1
            return 0
        while self._at < len(self._tokens) and self._text(1) != ":" and len(letters) < 16:
            token = self._tokens[self._at]
            if token.kind not in ("word", "char", "float", "int"):
                break
            letters += token.text
            self._at += 1
        bits = 0
        for letter in letters:
            if letter in _LETTERS:
                bits |= _LETTERS[letter]
            elif letter in "01234567":
                bits |= sum(bit for value, bit in _COUNTED if int(letter) & value)
            else:
                raise Wrong(self._start.line, f"{letter!r} in {letters!r} is no flag; flags are {''.join(_LETTERS)}")
        if not letters:
            raise Wrong(self._start.line, "the flags are missing; write - if there are none")
        return bits

    def _header(self, fields: dict[str, int]) -> None:
        for word, name, top in (("ack", "ack", 0xFFFFFFFF), ("win", "window", 0xFFFF), ("urg", "urgent", 0xFFFF)):
            if self._text() == word:
                self._at += 1
                fields[name] = self._number(top)

    def _options(self, fields: dict[str, int]) -> None:
        self._want("<")
        if self._text() == "...":
            self._at += 1
            self._want(">")
            return
        octets = 0
        whole = True
        while True:
            known = self._option(fields)
            whole = whole and known > 0
            octets += known
            if self._text() != ",":
                break
            self._at += 1
        self._want(">")
        if whole:
            fields["option_octets"] = -(-octets // 4) * 4

    def _option(self, fields: dict[str, int]) -> int:
        """One option: how many octets it has, 0 if that is not known."""
        kind = self._text()
        self._at += 1
        if kind in ("nop", "eol"):
            return 1
        if kind == "mss":
            fields["mss"] = self._number(0xFFFF)
            return 4
        if kind == "wscale":
            fields["wscale"] = self._number(0xFF)
            return 3
        if kind == "sackOK":
            fields["sackok"] = 1
            return 2
        if kind == "TS":
            return self._timestamps(fields)
        if kind == "sack":
            return self._blocks(fields)
        if kind in ("FO", "FOEXP"):
            return self._cookie(fields, 2 if kind == "FO" else 4)
        while self._at < len(self._tokens) and self._text() not in (",", ">"):
            self._at += 1
        return 0

    def _timestamps(self, fields: dict[str, int]) -> int:
        """When a script runs, the clock of the tested host stands for what is written of it; so only values of the
        script itself are told."""
        self._want("val")
        value = self._number(0xFFFFFFFF)
        self._want("ecr")
        echo = self._number(0xFFFFFFFF)
        if self._start.text == "<":
            fields["tsval"] = value
        else:
            fields["tsecr"] = echo
        return 0

    def _blocks(self, fields: dict[str, int]) -> int:
        count = 0
        while self._text(1) == ":":
            self._number(0xFFFFFFFF)
            self._at += 1
            right = self._number(0xFFFFFFFF)
            fields["sack_high"] = max(fields.get("sack_high", 0), right)
            count += 1
        fields["sack_blocks"] = count
        return 2 + 8 * count

    def _cookie(self, fields: dict[str, int], header: int) -> int:
        fields["tfo"] = 1
        text = self._text()
        if text in (",", ">"):
            fields["cookie"] = 0
            return header
        self._at += 1
        if re.fullmatch(r"(?:[0-9a-fA-F]{2})+", text):
            fields["cookie"] = len(text) // 2
            return header + len(text) // 2
        return 0  # a name for a cookie, which stands in the command line

    def _icmp(self, inward: bool) -> tuple[int, Scripted | str]:
        self._at += 1
        kind = self._text()
        self._at += 1
        fields: dict[str, int] = {}
        if kind in _ICMP:
            fields["icmp_type"] = _ICMP[kind]
        if self._text() in _UNREACHABLE:
            fields["icmp_code"] = _UNREACHABLE[self._text()]
            self._at += 1
        elif self._at < len(self._tokens) and self._tokens[self._at].kind == "word" and self._text() != "mtu":
            self._at += 1
        elif kind == "unreachable":
            fields["icmp_code"] = 0
        if self._text() == "mtu":
            self._at += 1
            fields["mtu"] = self._number(0xFFFF)
        if self._text() == "[":
            self._at += 1
            fields["about"] = _TCP
            if self._text() == "udp":
                fields["about"] = _UDP
            elif self._text(1) == ":":
                fields["seq"] = self._number(0xFFFFFFFF)
            self._until("]")
        if not {"icmp_type", "icmp_code", "about"} <= fields.keys():
            return self._at, "ICMP message"
        return self._at, Scripted(inward, ERRORS, 0, fields, (0, 0))
