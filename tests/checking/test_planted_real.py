"""Faults planted in a real capture are found at their packet, and nobody else is blamed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tcpmodel.checking.checker import Checker
from tcpmodel.traces.open import open_trace
from tcpmodel.traces.records import FLAG_BITS, Packet

LAB = Path(__file__).resolve().parents[2] / "traces" / "lab" / "normal-client-close.client.pcap"
M = 2**32
A, F, S, R = (FLAG_BITS[n] for n in ("ACK", "FIN", "SYN", "RST"))


def change(p: Packet, *, seq: int = 0, ack: int = 0, length: int | None = None, flags: int | None = None) -> Packet:
    fields = dict(p.fields)
    fields["seq"] = (fields["seq"] + seq) % M
    if fields.get("ack") is not None:
        fields["ack"] = (fields["ack"] + ack) % M
    if length is not None:
        fields["length"] = length
    return p._replace(fields=fields, flags=p.flags if flags is None else flags)


# (name, frame that is changed, None or frame after which the copy is inserted, change)
PLANTED = [
    *[(f"ack-unsent-{n}", n, False, {"ack": 70001}) for n in (4, 7)],
    *[(f"extra-ack-unsent-{n}", n, True, {"ack": 5000, "length": 0}) for n in (4, 5)],
    *[(f"extra-ack-far-back-{n}", n, True, {"ack": -(10**6), "length": 0}) for n in (4, 7)],
    ("third-ack-plus-1", 3, False, {"ack": 1}),
    ("text-over-own-fin", 8, True, {"length": 9, "flags": A}),
    *[(f"syn-ack-again-{n}", n, True, {"flags": S | A, "length": 0}) for n in (4, 5, 6, 7)],
]


@pytest.mark.parametrize(("frame", "extra", "how"), [p[1:] for p in PLANTED], ids=[p[0] for p in PLANTED])
def test_found(judge: Callable[..., Checker], frame: int, extra: bool, how: dict[str, int]) -> None:
    packets = [p for p in open_trace(str(LAB)).records() if isinstance(p, Packet) and p.protocol == "tcp"]
    wrong = change(packets[frame - 1], **how)
    packets = [*packets[: frame if extra else frame - 1], wrong, *packets[frame:]]
    packets = [p._replace(number=n) for n, p in enumerate(packets, 1)]
    found = [d for c in judge(packets).report.connections for d in c.diagnostics if d.severity == "violation"]
    assert [d.place for d in found][:1] == [frame + extra]
    assert {d.endpoint for d in found} == {wrong.source}
