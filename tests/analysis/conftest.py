"""Specs that the tests of the proofs share."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tcpmodel.analysis.results import Check, Section, Verification
from tcpmodel.analysis.verify import verify
from tcpmodel.model.load import load_spec, parse_spec
from tcpmodel.model.spec import Spec

Prove = Callable[[str], Verification]


@pytest.fixture(scope="session")
def tcp() -> Spec:
    return load_spec("tcp")


@pytest.fixture(scope="session")
def tcp_proved(tcp: Spec) -> Verification:
    return verify(tcp)


@pytest.fixture(scope="session")
def prove() -> Prove:
    """Verify the text of a spec."""
    return lambda text: verify(parse_spec(text, "test.tcpspec"))


def section(result: Verification, name: str) -> Section:
    return next(one for one in result.sections if one.name == name)


def failing(result: Verification, name: str) -> dict[str, Check]:
    """The checks that fail in a section, by name."""
    return {check.name: check for check in section(result, name).checks if not check.holds}
