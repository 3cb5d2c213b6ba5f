"""JSON from strangers, however long: one object after another, with bounded memory.

Owns: where an object ends, what stands between objects, and how reading goes on after one that is broken.
Must never hold: what a key means, or the limits on numbers and nesting (``json_text``).
"""

from __future__ import annotations

import codecs
import json
import re
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from tcpmodel.traces.own.json_text import JsonFault, no_number

LONGEST_OBJECT = 1 << 24
"""Characters of an object; a longer one is not read."""

_BETWEEN = re.compile(r"[\s,\[\]]*")
_NEXT = re.compile(r"\n[ \t]{0,4}(?=\{)")
_LONGEST_NEXT = 8
_LOOKAHEAD = 16  # no complaint about JSON depends on more characters behind its place
_OFTEN = 1 << 18
_LONGEST_NUMBER = 160


class Members(list[tuple[str, Any]]):
    """The keys and values of an object in their order; a key may stand there more than once."""


class Broken(NamedTuple):
    """An object that cannot be used: where it is, and why."""

    where: str
    message: str


class Unfinished(Exception):
    """The input ends within an object or a list."""

    def __init__(self, where: str, message: str) -> None:
        super().__init__(message)
        self.where = where
        self.message = message


def objects(read: Callable[[], bytes], longest: int = LONGEST_OBJECT) -> Iterator[tuple[int, Members | Broken]]:
    """``(line, members)`` of each object that ``read`` gives, one behind the other or in a list; lines count from 1.

    An object that is no JSON is given as ``Broken``; reading goes on with the next that begins a line. Raises
    Unfinished when the input ends within something. What ``read`` raises comes after all objects before.
    """
    return _Objects(read, longest).all()


class _Objects:
    def __init__(self, read: Callable[[], bytes], longest: int) -> None:
        self._read = read
        self._longest = longest
        self._decode = codecs.getincrementaldecoder("utf-8-sig")("replace").decode
        self._text = ""
        self._at = 0
        self._lines = 0  # line ends before ``_at``
        self._forgotten = 0  # characters of the first line that are no longer in ``_text``
        self._ended = False

    def all(self) -> Iterator[tuple[int, Members | Broken]]:
        listed = False
        while True:
            gap = _BETWEEN.match(self._text, self._at)
            between = gap[0] if gap is not None else ""
            if "[" in between or "]" in between:
                listed = between.rfind("[") > between.rfind("]")
            self._to(self._at + len(between))
            if self._at == len(self._text):
                if self._more(1):
                    continue
                if listed:
                    raise Unfinished(
                        f"line {self._lines + 1}", "the list has no end; it was probably not copied completely"
                    )
                return
            line = self._lines + 1
            yield line, self._object(line)

    def _object(self, line: int) -> Members | Broken:
        wanted = 0
        while True:
            if self._text[self._at] != "{":
                return self._broken(f"line {line}", "an object in braces should stand here", self._at)
            at = self._at
            try:
                value, end = _DECODER.raw_decode(self._text, at)
            except json.JSONDecodeError as error:
                end = len(self._text.rstrip()) if self._ended else len(self._text) - _LOOKAHEAD
                if error.pos < end and not error.msg.startswith("Unterminated string"):
                    return self._broken(*self._place(error), error.pos)
                if self._ended:
                    raise Unfinished(f"line {line}", "the input ends within this object") from None
                if len(self._text) - at > self._longest:
                    return self._broken(f"line {line}", f"more than {self._longest} characters in one object", at + 1)
                wanted = max(wanted, 2 * (len(self._text) - at))
                self._grow(wanted)
                continue
            except JsonFault as fault:
                return self._broken(f"line {line}", fault.message, at + 1)
            except RecursionError:
                return self._broken(f"line {line}", "lists and objects are nested too deeply", at + 1)
            if end - at > self._longest:
                return self._broken(f"line {line}", f"more than {self._longest} characters in one object", at + 1)
            self._to(end)
            found: Members = value
            return found

    def _place(self, error: json.JSONDecodeError) -> tuple[str, str]:
        line = self._lines + 1 + self._text.count("\n", self._at, error.pos)
        begin = self._text.rfind("\n", 0, error.pos)
        column = error.pos - begin + (self._forgotten if begin < 0 else 0)
        return f"line {line}, column {column}", error.msg[:1].lower() + error.msg[1:]

    def _broken(self, where: str, message: str, after: int) -> Broken:
        """Go on with the next object that begins a line, not before ``after``."""
        self._to(max(after - 1, self._at))
        while True:
            found = _NEXT.search(self._text, self._at)
            if found is not None:
                self._to(found.end())
                return Broken(where, message)
            self._to(max(self._at, len(self._text) - _LONGEST_NEXT))
            if not self._more(1):
                self._to(len(self._text))
                return Broken(where, message)

    def _grow(self, wanted: int) -> None:
        """Read until there are ``wanted`` characters, or a line has ended and the object is not a huge one."""
        while len(self._text) - self._at < wanted:
            before = len(self._text) - self._at
            if not self._more(1):
                return
            if before < _OFTEN and "\n" in self._text[self._at + before :]:
                return

    def _to(self, at: int) -> None:
        self._lines += self._text.count("\n", self._at, at)
        self._at = at

    def _more(self, least: int) -> bool:
        """Read at least so many characters more, forgetting what is done with; False at the end."""
        parts = [self._text[self._at :]]
        begin = self._text.rfind("\n", 0, self._at)
        self._forgotten = self._at - begin - 1 if begin >= 0 else self._forgotten + self._at
        self._at = 0
        gained = 0
        while gained < least and not self._ended:
            block = self._read()
            self._ended = not block
            parts.append(self._decode(block, not block))
            gained += len(parts[-1])
        self._text = "".join(parts)
        return gained > 0


def _real(text: str) -> str:
    """A number as it is written, with all its digits."""
    if len(text) > _LONGEST_NUMBER:
        raise JsonFault(f"a number with more than {_LONGEST_NUMBER} digits")
    return text


def _whole(text: str) -> int:
    return int(_real(text))


_DECODER = json.JSONDecoder(object_pairs_hook=Members, parse_int=_whole, parse_float=_real, parse_constant=no_number)
