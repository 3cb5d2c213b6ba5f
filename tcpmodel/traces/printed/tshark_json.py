"""JSON that tshark -T json, -T ek and -T jsonraw write: from objects to packets.

Owns: what stands around the layers of a packet, and what is said about objects that hold no packet.
Must never hold: the layers (``tshark_layers``) or the fields in them (``tshark_packet``).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from tcpmodel.traces.captures.capture_file import FrameReader
from tcpmodel.traces.captures.fragments import MOST
from tcpmodel.traces.captures.tunnels import Piece
from tcpmodel.traces.circumstances import CLOCK, CUT, FRAGMENTS, REASSEMBLED, TUNNELS
from tcpmodel.traces.own.json_stream import Broken, Members, Unfinished, objects
from tcpmodel.traces.printed.tshark_layers import chosen
from tcpmodel.traces.printed.tshark_packet import Packets, Values, number_of, time_of
from tcpmodel.traces.records import Packet, Record, TraceError
from tcpmodel.traces.source import Source

_HEAD = re.compile(
    r'[\s\[]*\{\s*"(?:_index"|_source"\s*:\s*\{|index"\s*:\s*\{|layers"\s*:\s*\{|frame(?:_raw)?"\s*:\s*[{\[]|'
    r'timestamp"\s*:\s*"\d+"\s*,\s*"layers")'
)
_EMPTY = re.compile(r"\s*\[\s*\]\s*$")


def recognises(text: str) -> bool:
    """Whether a file that begins with ``text`` is what tshark writes as JSON."""
    return _HEAD.match(text) is not None or _EMPTY.match(text) is not None


class TsharkJsonTrace(FrameReader):
    """The packets that tshark wrote as JSON. See ``tcpmodel.traces.reader.Trace``.

    Packets bear the numbers of frames if those are shown, otherwise they are counted.
    """

    format = "tshark json"

    def __init__(self, source: Source) -> None:
        super().__init__(source)
        self._reason = ""
        self._last = 0
        self._pieces: dict[tuple[str, ...], tuple[str, int, int]] = {}

    def _finish(self) -> None:
        self._fragments.finish()
        for left in list(self._pieces):
            self._give_up(left)
        self.circumstances.finish()

    def _records(self) -> Iterator[Record]:
        """All TCP and UDP packets in order. Objects that are broken are counted, and the first of them is named.

        TraceError if there is nothing else.
        """
        packets = Packets()
        count = 0
        first: Broken | None = None
        try:
            for _, value in objects(self._source.read):
                if isinstance(value, Broken):
                    first = first or value
                    self._broken(value)
                    continue
                layers = _layers(value)
                if layers is None:
                    if not _heads(value):
                        self.skipped.add("object without the layers of a packet")
                    continue
                count += 1
                choice = chosen(layers, packets, count)
                found = choice.found
                number = found.number if isinstance(found, Packet) else number_of(choice.frame) or count
                self._notice(choice.frame, number)
                if choice.tunnels:
                    self.circumstances.add((TUNNELS[0], TUNNELS[1].format(choice.tunnels)), number)
                if isinstance(found, Piece):
                    packet = self._fragments.take(found, number, time_of(choice.frame))
                    if packet is not None:
                        yield packet
                elif choice.pieces and isinstance(found, str):
                    self._piece(choice.pieces, found, number)
                elif isinstance(found, str):
                    self.skipped.add(found)
                elif isinstance(found, Packet):
                    if choice.pieces:
                        _, before, begun = self._pieces.pop(choice.pieces, ("", 0, number))
                        self.circumstances.add(REASSEMBLED, begun, before + 1)
                    self.circumstances.look(found, choice.tunnels)
                    yield found
        except Unfinished as error:
            raise TraceError(self.path, error.where, error.message) from None
        if first is not None and not count:
            raise TraceError(self.path, first.where, f"no packet could be read; {first.message}")

    def _piece(self, pieces: tuple[str, ...], reason: str, number: int) -> None:
        """Remember a piece of a packet, until tshark shows the whole."""
        known, seen, begun = self._pieces.pop(pieces, (reason, 0, number))
        self._pieces[pieces] = (known, seen + 1, begun)
        if len(self._pieces) > MOST:
            self._give_up(next(iter(self._pieces)))

    def _give_up(self, pieces: tuple[str, ...]) -> None:
        reason, seen, begun = self._pieces.pop(pieces)
        for _ in range(seen):
            self.skipped.add(reason)
        self.circumstances.add(FRAGMENTS, begun, seen)

    def _broken(self, broken: Broken) -> None:
        if not self._reason:
            self._reason = f"not JSON (the first is {broken.where}: {broken.message})"
        self.skipped.add(self._reason)

    def _notice(self, frame: Values, number: int) -> None:
        """What the frame tells of the capture."""
        lengths = [frame.get(name, [""])[0] for name in ("frame_cap_len", "frame_len")]
        if all(text.isdecimal() and len(text) < 12 for text in lengths) and int(lengths[0]) < int(lengths[1]):
            self.circumstances.add(CUT, number)
        time = time_of(frame)
        if time is not None:
            if time < self._last:
                self.circumstances.add(CLOCK, number)
            self._last = time


def _layers(value: Members) -> Members | None:
    """The layers in an object: deeper or less deep, as the form has it and as other tools cut it down."""
    source = _member(value, "_source")
    if source is not None:
        value = source
    layers = _member(value, "layers")
    if layers is not None:
        return layers
    return value if any(key == "frame_raw" for key, _ in value) or _member(value, "frame") is not None else None


def _heads(value: Members) -> bool:
    """Whether this only says where the next object belongs."""
    return len(value) == 1 and value[0][0] == "index"


def _member(value: Members, name: str) -> Members | None:
    found: Any = next((one for key, one in value if key == name), None)
    return found if isinstance(found, Members) else None
