"""What is kept of several inputs until all of them are read, so that they can be compared.

Owns: how much is kept, and which lines tell of which end of a connection.
Must never hold: what the lines mean, or whether they agree (see ``joining``).
"""

from __future__ import annotations

from collections.abc import Iterator

from tcpmodel.checking.logs.telling import Line
from tcpmodel.traces.records import Event, Packet, Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from tcpmodel.checking.outcome.findings import ConnectionReport

MOST_OF_ONE = 4096
"""So many packets of two addresses, and lines of one endpoint, are kept; what is beyond is not compared."""

MOST = 50_000
"""So many packets and lines are kept in all."""

NO_ADDRESS = ("0.0.0.0:", "[::]:")
"""How the address of an end begins that a log does not know: a socket that was not connected yet."""

Pair = tuple[int, str, str, str]
"""Index of the input, protocol, and two addresses: in order, or that of an end and that of its peer."""


class Views:
    """Keeps packets and lines while the inputs are read one after another."""

    def __init__(self) -> None:
        self.packets: dict[Pair, list[Packet]] = {}
        self.lines: dict[tuple[int, str, str], list[Line]] = {}
        self.translated: dict[tuple[str, str], tuple[str, str]] = {}
        """For two addresses behind a translation, those before it."""
        self._lines_of: dict[Pair, list[Line]] | None = None
        self._kept = 0
        self._times: dict[Pair, list[int]] | None = None

    def noting(self, records: Iterable[Record], origin: int) -> Iterator[Record]:
        """The same records, which are kept on the way; ``origin`` is the index of their input."""
        for record in records:
            if self._kept < MOST:
                if isinstance(record, Packet):
                    a, b = sorted((record.source, record.destination))
                    packets = self.packets.setdefault((origin, record.protocol, a, b), [])
                    if len(packets) < MOST_OF_ONE:
                        packets.append(record)
                        self._kept += 1
                else:
                    lines = self.lines.setdefault((origin, record.protocol, record.endpoint), [])
                    if len(lines) <= MOST_OF_ONE:
                        lines.append(record)
                        self._kept += 1
            yield record

    def packets_of(self, one: ConnectionReport) -> list[Packet]:
        """The packets that were kept of what a report is about."""
        return self.packets.get((one.input, one.protocol, min(one.a, one.b), max(one.a, one.b)), [])

    def before_translation(self, a: str, b: str) -> tuple[str, str]:
        """Two addresses as they are before any translation that a log tells of."""
        known = self.translated.get((a, b))
        if known is None and (b, a) in self.translated:
            known = self.translated[b, a][::-1]
        return (a, b) if known is None else known

    def renamed(self, one: ConnectionReport) -> list[Packet]:
        """The packets of a report, with addresses as they are before any translation."""
        packets = self.packets_of(one)
        a, b = self.before_translation(one.a, one.b)
        if (a, b) == (one.a, one.b):
            return packets
        names = {one.a: a, one.b: b}
        return [
            packet._replace(source=names[packet.source], destination=names[packet.destination]) for packet in packets
        ]

    def lines_of(self, one: ConnectionReport) -> list[Line]:
        """The lines that tell of these two ends, in one protocol and input."""
        if self._lines_of is None:
            self._lines_of = {}
            for (origin, protocol, _), lines in self.lines.items():
                ends = {(line.local, line.remote) for line in (lines[0], lines[-1])}
                for way in ends if len(lines) <= MOST_OF_ONE else ():
                    self._lines_of.setdefault((origin, protocol, *way), []).extend(lines)
        return self._lines_of.get((one.input, one.protocol, one.a, one.b), [])

    def times(self, one: ConnectionReport) -> list[int]:
        """The times of what was kept of it, in nanoseconds."""
        if self._times is None:
            self._times = {}
            for (origin, protocol, _), lines in self.lines.items():
                a, b = sorted((lines[-1].local, lines[-1].remote))
                known = self._times.setdefault((origin, protocol, a, b), [])
                known += [line.time for line in lines if line.time is not None]
        pair = (one.input, one.protocol, min(one.a, one.b), max(one.a, one.b))
        seen = [packet.time for packet in self.packets.get(pair, ()) if packet.time is not None]
        return seen + self._times.get(pair, [])

    def ends(self) -> dict[Pair, list[Line]]:
        """The lines of each end that exactly one socket of the log can be.

        A socket of which only calls and the like are told, and not all of its addresses, is an end by its own name.
        """
        found: dict[Pair, list[Line]] = {}
        twice: set[Pair] = set()
        for (origin, protocol, endpoint), lines in self.lines.items():
            known = {(line.local, line.remote) for line in lines if whole(line.local) and whole(line.remote)}
            if not known and all(isinstance(line, Event) for line in lines):
                known = {(lines[-1].local if whole(lines[-1].local) else endpoint, lines[-1].remote)}
            if len(known) != 1 or len(lines) > MOST_OF_ONE:
                twice.update((origin, protocol, *way) for way in known)
                continue
            local, remote = known.pop()
            if local.startswith(NO_ADDRESS) and all(isinstance(line, Event) for line in lines):
                local = self._found_out(protocol, local, remote)
            key = (origin, protocol, local, remote)
            if key in found:
                twice.add(key)
            found[key] = lines
        return {key: lines for key, lines in found.items() if key not in twice}

    def _found_out(self, protocol: str, local: str, remote: str) -> str:
        """The address of an end whose log knows no more of it than its port, if other inputs show just one."""
        port = local.rpartition(":")[2]
        ways = {(a, b) for _, name, a, b in self.packets if name == protocol}
        ways.update(
            (line.local, line.remote)
            for (_, name, _), lines in self.lines.items()
            if name == protocol
            for line in (lines[0], lines[-1])
        )
        ends = {end for a, b in ways for end, peer in ((a, b), (b, a)) if peer == remote and end.endswith(f":{port}")}
        ends = {end for end in ends if not end.startswith(NO_ADDRESS)}
        return ends.pop() if len(ends) == 1 else local


EPOCH_LIKE = 10**17
"""Nanoseconds; three years after 1970: a smaller time is one since a clock's own start, and says nothing elsewhere."""

APART = 60 * 10**9
"""Nanoseconds by which clocks that count from 1970 may differ."""


def apart(some: Sequence[int], others: Sequence[int]) -> bool:
    """Were they certainly written at different times, so that the addresses served two connections?"""
    if not some or not others or min(*some, *others) < EPOCH_LIKE:
        return False
    return max(some) + APART < min(others) or max(others) + APART < min(some)


def whole(address: str) -> bool:
    """Does an address, ``host:port``, have a port? Logs write 0 or nothing for one that is not known."""
    return address.rpartition(":")[2] not in ("0", "")
