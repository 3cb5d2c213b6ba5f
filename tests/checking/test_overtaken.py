"""Reordered before the capture point: 3 packets of A arrive as 3, 1, 2. Nobody is at fault."""

import sys

sys.path.insert(0, "/tmp/plan")
sys.argv = ["x"]
from sim import *


def P(who, flags, seq, ack=0, n=0):
    f = sum(FLAG_BITS[x] for x in flags.split(","))
    return Packet(
        1,
        0,
        "tcp",
        ADDRESSES[who],
        ADDRESSES[1 - who],
        f,
        dict(seq=seq % 2**32, ack=ack % 2**32, length=n, scaled_window=65535, urgent=0),
    )


def test():
    ps = [
        P(0, "SYN", 1000),
        P(1, "SYN,ACK", 5000, 1001),
        P(0, "ACK", 1001, 5001),
        P(0, "ACK", 1001, 5001, 5),
        P(1, "ACK", 5001, 1006),
        P(1, "ACK", 5001, 1001, 100),
    ]
    r = judge(ps).report.connections[0]
    assert r.verdict != "violates", [(d.code, d.place) for d in r.diagnostics]


test()
