"""Socket calls beside captures: what they prove, and what they leave open."""

from __future__ import annotations

from pathlib import Path

import pytest

from tcpmodel.checking.outcome.findings import CONFORMS, INCONCLUSIVE
from tcpmodel.checking.run import check

TRACES = Path(__file__).parents[2] / "traces"
LAB = TRACES / "logs" / "lab"
RUNS = ["normal-client-close", "refused", "rst-abort-client"]


def verdicts(specs, *paths):
    report = check([str(path) for path in paths], specs)
    return [(one.verdict, one.packets) for one in report.connections], report


def test_calls_alone_prove_little(specs):
    logs = sorted(log for run in RUNS for log in (LAB / run).glob("strace_*.log"))
    assert len(logs) == 6
    found, report = verdicts(specs, *logs)
    assert {verdict for verdict, _ in found} == {INCONCLUSIVE}
    assert not [item for one in report.connections for item in one.diagnostics if item.severity != "note"]
    assert [item.path for item in report.inputs if not item.packets] == [str(LAB / "refused" / "strace_server.log")]
    assert not any(item.error for item in report.inputs)


def test_a_socket_whose_address_is_not_known_is_an_end_of_its_own(specs, tmp_path):
    log = tmp_path / "log"
    peer = '{sa_family=AF_INET, sin_port=htons(80), sin_addr=inet_addr("10.0.0.2")}, 16'
    log.write_text(f"socket(AF_INET, SOCK_STREAM, 0) = 3\nconnect(3, {peer}) = 0\nclose(3) = 0\n" * 2)
    found, report = verdicts(specs, log)
    assert found == [(INCONCLUSIVE, 4)] * 2
    assert [one.a for one in report.connections] == ["descriptor 3, line 1", "descriptor 3, line 4"]


@pytest.mark.parametrize("run", RUNS)
def test_calls_and_packets_agree(specs, run):
    found, report = verdicts(specs, TRACES / "lab" / f"{run}.client.pcap", *sorted((LAB / run).glob("strace_*.log")))
    assert found[0][0] == CONFORMS
    assert not [item for one in report.connections for item in one.diagnostics if item.severity != "note"]
