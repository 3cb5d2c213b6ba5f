"""What holds of all the smaller specs around TCP and UDP: their properties are proved, and nothing is odd in them."""

from __future__ import annotations

import pytest
from rows import SPECS

from tcpmodel.analysis.verify import verify
from tcpmodel.model.load import load


@pytest.mark.parametrize("name", SPECS)
def test_everything_is_proved(name: str) -> None:
    result = verify(SPECS[name])
    assert [(s.name, c.name) for s in result.sections for c in s.checks if not c.holds] == []


@pytest.mark.parametrize("name", SPECS)
def test_no_warnings(name: str) -> None:
    assert load(name).warnings == ()
