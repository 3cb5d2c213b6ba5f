"""Errors about packets: which packet each of them quotes, and what is said of those that quote none that was seen.

Owns: the last packets of one input, and the comparison of a quote with them.
Must never hold: what an error means (that stands in the spec), or how a connection takes it.
"""

from __future__ import annotations

from dataclasses import replace

from tcpmodel.checking.ends.observer import Observer, WatchProgram
from tcpmodel.checking.memory.express import Recent
from tcpmodel.checking.outcome.findings import Diagnostic
from tcpmodel.traces.records import Packet

RECENT = 256
"""So many packets are looked through for the one that is quoted: an error comes soon after what caused it."""

MOST = 256
"""So many different findings about packets that were never seen are kept."""

_SAME = ("seq", "ip_id", "length", "checksum")
"""The fields that tell one packet of a direction from another."""

_NO_PORT = "*"
"""The port in the address of a sender that the error does not tell."""


class Quoted:
    """``recent`` takes every packet; ``about`` completes an error by the packet that it quotes."""

    def __init__(self) -> None:
        self.recent = Recent(RECENT)
        self._found: dict[str, tuple[int, Diagnostic]] = {}

    def about(self, error: Packet, protocol: str) -> Packet:
        """The error with the addresses and the protocol of the packet that it quotes.

        The field ``quoted`` is the number of that packet, if it is one of the last that were seen.
        """
        best: Packet | None = None
        most = -1
        comparable = sum(key in error.fields for key in _SAME)
        for packet in reversed(self.recent):
            if packet.protocol != protocol or not _is(packet.destination, error.destination):
                continue
            if not _is(packet.source, error.source) and not _fits(packet.source, error.source):
                continue
            alike = _alike(packet.fields, error.fields)
            if alike > most:
                best, most = packet, alike
                if alike == comparable:
                    break
        if best is None:
            return error
        fields = {**error.fields, "quoted": best.number}
        return error._replace(source=best.source, destination=best.destination, fields=fields)

    def unseen(self, rules: WatchProgram, error: Packet) -> None:
        """Judge an error about a connection of which nothing was seen."""

        def tell(finding: Diagnostic, _: object) -> None:
            count, first = self._found.get(finding.code, (0, finding))
            if not count:
                first.endpoint, first.place, first.time = error.destination, error.number, error.time
            if count or len(self._found) < MOST:
                self._found[finding.code] = (count + 1, first)

        observer = Observer(rules)
        observer.hear(error._replace(fields={**error.fields, "quoted": 0}), 0, (None, None), lambda: False, tell)

    def findings(self, in_lines: bool) -> list[Diagnostic]:
        """What is to be said of errors about packets that were never seen."""
        return [
            replace(finding, in_lines=in_lines, message=f"{finding.message}: {count:,}")
            for count, finding in self._found.values()
        ]


def _is(address: str, told: str) -> bool:
    """Whether an address is the one that is told, which knows nothing of several conversations of one socket."""
    return address == told or address.partition("#")[0] == told


def _fits(source: str, told: str) -> bool:
    """Whether a sender is the one whose host only is told."""
    host, _, port = told.rpartition(":")
    return port == _NO_PORT and source.rpartition(":")[0] == host


def _alike(seen: dict[str, int], quoted: dict[str, int]) -> int:
    """In how many of the fields that both have they agree; -1 for packets of different numbers or contents.

    What is not alike in every field may be alike yet: boxes on the way change identifications and checksums, and some
    hosts quote in another byte order.
    """
    found = 0
    for key in _SAME:
        if key in quoted and key in seen:
            if quoted[key] == seen[key]:
                found += 1
            elif key in ("seq", "length"):
                return -1
    return found
