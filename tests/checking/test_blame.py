"""Where two packets do not fit together, the wrong one is to blame; what follows from a fault is none of its own."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tcpmodel.checking.checker import Checker
from tcpmodel.traces.open import open_trace
from tcpmodel.traces.records import FLAG_BITS, Packet

LAB = Path(__file__).resolve().parents[2] / "traces" / "lab" / "normal-client-close.client.pcap"
M = 2**32
ACK, FIN, PSH, RST, URG = (FLAG_BITS[name] for name in ("ACK", "FIN", "PSH", "RST", "URG"))

# Copy of this frame, inserted after that one, with these changes; what is found, and what is only told.
PLANTED = {
    "text beyond the window": (4, 4, {"seq": 100_000}, [("TCP-SEQ-001", 5)], []),
    "text behind numbers that never were": (4, 4, {"seq": 500}, [("TCP-SEQ-003", 5)], []),
    "the same numbers, of the server": (6, 6, {"seq": 500}, [("TCP-SEQ-003", 7)], []),
    "an empty segment far ahead": (5, 5, {"seq": 5000}, [("TCP-SEQ-007", 6)], []),
    "a FIN, and text where it was": (4, 3, {"flags": FIN | ACK, "length": 0}, [("TCP-FIN-001", 5)], []),
    "the same, of the server": (6, 5, {"flags": FIN | ACK, "length": 0}, [("TCP-FIN-001", 7)], []),
    "a FIN before the SYN,ACK": (3, 1, {"flags": FIN | ACK}, [("TCP-FIN-008", 2)], []),
    "acknowledges nothing that came": (3, 1, {"ack": -(10**6)}, [("TCP-ACK-009", 2)], []),
    "all lights on": (5, 5, {"flags": FIN | PSH | URG}, [("TCP-FLG-002", 6)], []),
    "a FIN without ACK": (5, 5, {"flags": FIN}, [("TCP-FLG-006", 6)], []),
    "a second reset": (3, 10, {"flags": RST | ACK}, [], ["TCP-FIN-011"]),
}


def planted(frame: int, after: int, how: dict[str, int]) -> list[Packet]:
    """The packets with a changed copy of one of them."""
    packets = [p for p in open_trace(str(LAB)).records() if isinstance(p, Packet) and p.protocol == "tcp"]
    copied = packets[frame - 1]
    fields = dict(copied.fields)
    for key in ("seq", "ack"):
        fields[key] = (fields[key] + how.get(key, 0)) % M
    fields["length"] = how.get("length", fields["length"])
    wrong = copied._replace(fields=fields, flags=how.get("flags", copied.flags), time=packets[after - 1].time)
    packets.insert(after, wrong)
    return [p._replace(number=number) for number, p in enumerate(packets, 1)]


@pytest.mark.parametrize(("frame", "after", "how", "found", "told"), PLANTED.values(), ids=PLANTED.keys())
def test_blamed(
    judge: Callable[..., Checker],
    frame: int,
    after: int,
    how: dict[str, int],
    found: list[tuple[str, int]],
    told: list[str],
) -> None:
    packets = planted(frame, after, how)
    diagnostics = [each for one in judge(packets).report.connections for each in one.diagnostics]
    assert [(each.code, each.place) for each in diagnostics if each.severity == "violation"] == found
    assert {each.endpoint for each in diagnostics if each.severity == "violation"} <= {packets[after].source}
    assert {each.code for each in diagnostics if each.severity != "violation"} >= set(told)
    assert not [each for each in diagnostics if each.code == "CAP-006" and (after + 1) == each.place and found]
