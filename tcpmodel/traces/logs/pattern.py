"""Logs of any form, by a regular expression with named groups.

Owns: what a pattern may be, how long it may take, and lines that none matches.
Must never hold: what the groups mean (see ``named_groups``).
"""

from __future__ import annotations

import difflib
import re
import signal
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from types import FrameType

from tcpmodel.traces.logs.named_groups import (
    CHANGES,
    GROUPS,
    Grouped,
    about_events,
    about_segments,
    about_states,
)
from tcpmodel.traces.reader import Damaged, LineReader
from tcpmodel.traces.records import Record, TraceError
from tcpmodel.traces.source import Source

LONGEST_PATTERN = 4096
"""Characters of a pattern."""

_UNMATCHED = Damaged("a line that the pattern does not match")

SECONDS = 1.0
"""Of processor time for one line; between this and twice as much is granted."""


class PatternError(Exception):
    """A pattern that cannot be used. ``column``: where in it, from 1; 0 if that is not told."""

    def __init__(self, message: str, column: int = 0) -> None:
        super().__init__(message)
        self.column = column


class TooSlow(Exception):
    """A pattern took too long for one line."""


class Patterns:
    """Regular expressions, of which the first that matches a line tells what it says.

    ``states``: other words for what a log calls its states.
    """

    def __init__(self, texts: Sequence[str], states: Mapping[str, str] | None = None) -> None:
        """PatternError for a text that is no regular expression, or has no group that tells of anything."""
        self.compiled = [_compiled(text) for text in texts]
        self.states = dict(states or {})

    def __bool__(self) -> bool:
        return bool(self.compiled)


def _compiled(text: str) -> re.Pattern[str]:
    if len(text) > LONGEST_PATTERN:
        raise PatternError(f"it is longer than {LONGEST_PATTERN} characters")
    try:
        compiled = re.compile(text)
    except re.error as problem:
        raise PatternError(problem.msg, (problem.pos or 0) + 1) from None
    except (RecursionError, OverflowError):
        raise PatternError("it is nested too deeply, or repeats too often") from None
    groups = compiled.groupindex
    for name in groups:
        if name not in GROUPS:
            near = difflib.get_close_matches(name, GROUPS, n=1)
            hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(GROUPS)}"
            raise PatternError(f"no group is called {name}; {hint}", text.find(f"(?P<{name}>") + 1)
    if not groups:
        raise PatternError(f"it has no named group, such as (?P<state>...); there are {', '.join(GROUPS)}")
    if not (about_states(groups) or about_segments(groups) or about_events(groups)):
        raise PatternError("its groups tell of no state (old and new, or state), segment (flags, seq ...) or call")
    if "old" in groups and not about_states(groups):
        raise PatternError("with old, new is needed")
    return compiled


class PatternTrace(LineReader):
    """One log, read by patterns. See ``tcpmodel.traces.reader.Trace``."""

    format = "pattern"
    source = CHANGES

    def __init__(self, source: Source, patterns: Patterns) -> None:
        super().__init__(source)
        self._patterns = patterns

    def records(self) -> Iterator[Record]:
        """What the lines that match tell; TraceError when a pattern takes too long for a line, or none ever matches."""
        grouped = Grouped(self._patterns.states)
        first: tuple[int, str] | None = None
        matched = False
        with _Patience() as patience:
            for number, line in self._numbered():
                try:
                    found = patience.first(self._patterns.compiled, line)
                except TooSlow:
                    why = f"the pattern needs more than {SECONDS:g} s for this line; repeat less within repetitions"
                    raise TraceError(self.path, f"line {number}", why) from None
                if found is None:
                    if line and not line.isspace():
                        first = first or (number, line)
                        self._leave_out(number, _UNMATCHED)
                    continue
                matched = True
                record = grouped.record(number, found.groupdict())
                if isinstance(record, str):
                    self._leave_out(number, record)
                else:
                    yield record
        if first is not None and not matched:
            number, line = first
            which = "the pattern" if len(self._patterns.compiled) == 1 else "any of the patterns"
            why = f"no line of this text matches {which}; this one says {line[:80]!r}"
            raise TraceError(self.path, f"line {number}", why)


class _Patience:
    """Searches lines, and gives up when one takes too long.

    Nothing but a signal interrupts a search. Where there is none (in other threads, on Windows), a search that was too
    long is noticed when it is over.
    """

    def __init__(self) -> None:
        self._searches = 0  # odd while one is under way
        self._seen = 0
        self._before: object = None
        self._interrupts = hasattr(signal, "setitimer") and threading.current_thread() is threading.main_thread()

    def __enter__(self) -> _Patience:
        if self._interrupts:
            self._before = signal.signal(signal.SIGVTALRM, self._tick)
            signal.setitimer(signal.ITIMER_VIRTUAL, SECONDS, SECONDS)
        return self

    def __exit__(self, *problem: object) -> None:
        if self._interrupts:
            signal.setitimer(signal.ITIMER_VIRTUAL, 0)
            signal.signal(signal.SIGVTALRM, self._before or signal.SIG_DFL)  # type: ignore[arg-type]

    def _tick(self, number: int, frame: FrameType | None) -> None:
        if self._searches % 2 and self._searches == self._seen:
            raise TooSlow
        self._seen = self._searches

    def first(self, patterns: list[re.Pattern[str]], line: str) -> re.Match[str] | None:
        """The first match of one of the patterns in ``line``; TooSlow if it takes too long to find or rule out."""
        if self._interrupts:
            self._searches += 1
            try:
                return _search(patterns, line)
            finally:
                self._searches += 1
        began = time.process_time()
        found = _search(patterns, line)
        if time.process_time() - began > SECONDS:
            raise TooSlow
        return found


def _search(patterns: list[re.Pattern[str]], line: str) -> re.Match[str] | None:
    for pattern in patterns:
        found = pattern.search(line)
        if found is not None:
            return found
    return None
