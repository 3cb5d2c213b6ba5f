"""Tables of tcplife: the columns of its variants."""

from __future__ import annotations

import pytest

TABLES = {
    "plain": "PID     COMM             LADDR           LPORT RADDR           RPORT TX_KB  RX_KB  MS\n"
    "7653    python3          10.0.0.1        40    10.0.0.2        80    0.01   0.10   3.06\n",
    "times": "TIME(s)   TIME     PID   COMM  IP LADDR      LPORT RADDR   RPORT TX_KB  RX_KB  MS\n"
    "0.000000  07:46:35 765   Web 1 4  10.0.0.1   40    10.0.0.2    80        0      1 3.06\n",
    "values": "TIME,TIME(s),PID,COMM,IP,LADDR,LPORT,RADDR,RPORT,TX_KB,RX_KB,MS\n"
    "07:46:35,0.0,765,curl,4,10.0.0.1,40,10.0.0.2,80,0,1,3.06\n",
}


@pytest.mark.parametrize("kind", TABLES)
def test_columns(read, kind):
    reading = read(TABLES[kind].encode())
    (record,) = reading.records
    assert (record.number, record.local, record.remote, record.new) == (2, "10.0.0.1:40", "10.0.0.2:80", "CLOSE")
    assert (reading.trace.format, reading.trace.source, reading.skipped) == ("tcplife", "tcplife", {})


def test_other_lines_are_counted(read):
    reading = read((TABLES["plain"] + "^C\n\nhello 10.0.0.1 40 10.0.0.2 80\n").encode())
    assert (len(reading.records), reading.skipped) == (1, {"not a row of a table (the first is line 3)": 2})
