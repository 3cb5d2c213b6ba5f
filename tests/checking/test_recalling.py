"""What a set of configurations was closed to by memory is what closing it gives."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from tcpmodel.checking.checker import Checker
from tcpmodel.checking.ends.configurations import Abilities, Configuration, Configurations, Reception, Work
from tcpmodel.checking.memory import recalling
from tcpmodel.model.spec import Spec
from tcpmodel.semantics.recording import Number
from tcpmodel.traces.open import open_trace

TRACES = Path(__file__).parents[2] / "traces"
CAPTURES = ("planted/m04-data-after-fin.pcap", "planted/m03-ack-of-unsent-data.pcap")


def worth(thing: Any) -> Any:
    """The same with plain numbers."""
    if isinstance(thing, Number):
        return thing.value
    if isinstance(thing, Configuration):
        return Configuration(thing.state, worth(thing.values), thing.cost, thing.ended)
    if isinstance(thing, Reception):
        return Reception(thing.event, thing.flags, worth(thing.slots))
    if isinstance(thing, dict):
        return {key: worth(value) for key, value in thing.items()}
    if isinstance(thing, list | tuple):
        return type(thing)([worth(each) for each in thing])
    return thing


@pytest.fixture
def compared(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[recalling.Recall]]:
    """Every answer is compared with closing the same set of plain numbers; yields the memories that were asked."""
    asked: list[recalling.Recall] = []
    ask = recalling.Recall.ask

    def both(
        self: recalling.Recall,
        what: tuple[bool, ...],
        base: Configurations,
        receptions: Sequence[Reception],
        work: Work,
    ) -> Configurations:
        if self not in asked:
            asked.append(self)
        given = ask(self, what, base, receptions, work)
        plain = work(worth(base), worth(list(receptions)))
        assert list(worth(given).items()) == list(plain.items())
        return given

    monkeypatch.setattr(recalling.Recall, "ask", both)
    yield asked


@pytest.mark.parametrize("name", CAPTURES)
@pytest.mark.parametrize("most", [recalling.MOST, 3])
def test_answers_are_those_of_closing(
    name: str, most: int, specs: list[Spec], compared: list[recalling.Recall], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recalling, "MOST", most)
    checker = Checker(specs)
    for _ in range(2):
        checker.read(open_trace(str(TRACES / name)))
    (asked,) = [each for each in compared if each.found]
    assert most == 3 or asked.recalled
    assert sum(len(answers) for answers in asked._known.values()) <= most


def test_an_answer_bounds_recorded_numbers() -> None:
    answer = recalling._Answer([(((0, 1), (1, -1)), 0, 5)], [None, ((1, ((0, 1),)), (0, ((1, 1),)))], [])
    assert answer.holds([7, 4])
    assert not answer.holds([4, 7])
    assert not answer.holds([17, 4])


def test_nothing_is_remembered_while_rules_are_counted(specs: list[Spec], compared: list[recalling.Recall]) -> None:
    from tcpmodel.checking.table import Judge

    judge = Judge(next(spec for spec in specs if spec.name == "tcp"))
    abilities: Abilities = judge.abilities
    abilities.count_rules()
    abilities.close(abilities.fresh(), [])
    assert not compared
