"""What the words of a log stand for.

Owns: comparing words for states, however a log writes them.
Must never hold: the words themselves: those stand in the spec (``source``).
"""

from __future__ import annotations

from collections.abc import Iterable

from tcpmodel.model.spec import Source


class Words:
    """The words of one source for states; the names that the spec itself has for them are known, too."""

    def __init__(self, source: Source, states: Iterable[str]) -> None:
        self._known: dict[str, str] = {}
        for word, state in [*((name, name) for name in states), *source.names]:
            self._known[_letters(word)] = state

    def state(self, word: str) -> str | None:
        """The state that ``word`` stands for: ``SynSent`` and ``syn_sent`` are ``SYN-SENT``; None if it is unknown."""
        return self._known.get(_letters(word))


def _letters(word: str) -> str:
    return word.upper().replace("_", "").replace("-", "").replace(" ", "")
