"""What was learned of packets, kept from one run to the next.

Owns: the form in which what ``memo`` and ``watchmemo`` remember is kept, and what of it is worth keeping.
Must never hold: where files are kept (see ``language.store``), or what a remembered way does.

A file belongs to one spec, one choice of profiles, and one state of this program. It has a table of shapes, and for
each shape the ways that lead from it, which are read when the shape is met. All of it is plain values and the functions
that were made of them, as Python keeps those of a module; each part has a checksum. What is damaged, of another
version, or not this user's own is not used, and is learned again.
"""

from __future__ import annotations

import gc
import hashlib
import marshal
from collections.abc import Callable, Sequence
from functools import partial
from types import CodeType
from typing import Any

from tcpmodel.checking.memory.compiled import Kept, Way
from tcpmodel.checking.memory.courses import Course
from tcpmodel.checking.memory.kinds import Kind, Ways
from tcpmodel.checking.memory.known import STANDING, Known
from tcpmodel.checking.memory.memo import MOST, Memo
from tcpmodel.checking.memory.plans import Plan
from tcpmodel.checking.memory.watchmemo import EXACT, Bounds
from tcpmodel.checking.memory.watchmemo import Known as Notes
from tcpmodel.checking.outcome.standing import Standing
from tcpmodel.language import store
from tcpmodel.language.version import program_mark

LARGEST = 24 << 20
"""Most octets that are kept for one spec; if there were more, what this run did not use is forgotten."""

WORTHWHILE = 8
"""So many functions that were made of ways known before are worth writing a file."""

_MARK = 16
_Part = tuple[int, int, bytes]
"""Where the ways of one shape are: place, length, checksum."""


def recall(memo: Memo, profiles: Sequence[str]) -> None:
    """Have a memory that is still empty know what was learned in earlier runs, if anything was."""
    name = _name(memo, profiles)
    data = store.read(name) if name else None
    if not data or len(data) < _MARK + 8:
        return
    start = _MARK + 8
    stop = start + int.from_bytes(data[_MARK:start], "big")
    if _sum(data[start:stop]) != data[:_MARK]:
        return
    running = gc.isenabled()
    gc.disable()  # many objects appear and all of them stay
    try:
        ends, notes = marshal.loads(data[start:stop])
        known: list[Any] = []
        for shape, groups, part in ends:
            one = memo.known[shape] = Known(shape, groups)
            one.ways = Ways(_Reader(data, stop, part, known, _end_ways))
            known.append(one)
        noted: list[Any] = []
        for shape, told, part in notes:
            shape = tuple([_code(code) for code in shape])
            other = memo.watch.known[told, *shape] = Notes(shape, told)
            other.ways = Ways(_Reader(data, stop, part, noted, _note_ways))
            noted.append(other)
    finally:
        if running:
            gc.enable()


def keep(memo: Memo, profiles: Sequence[str]) -> None:
    """Keep what a memory has learned, if it is more than was kept already."""
    if not memo.active or not store.folder() or not (memo.recorded or memo.watch.recorded or _made(memo)):
        return
    name = _name(memo, profiles)
    if not name:
        return
    data = b""
    if len(memo.known) < MOST // 2:
        data = _file(memo, list(memo.known.values()), list(memo.watch.known.values()))
    if not 0 < len(data) < LARGEST:
        every: list[Known | Notes] = [*memo.known.values(), *memo.watch.known.values()]
        for known in every:
            if known.ways.kept is not None:
                known.ways.kept = dict
        data = _file(memo, list(memo.known.values()), list(memo.watch.known.values()))
    if len(data) < LARGEST:
        store.write(name, data)


def _made(memo: Memo) -> bool:
    """Were functions made of ways that were known before?"""
    every: list[Known | Notes] = [*memo.known.values(), *memo.watch.known.values()]
    return sum(kind.fresh for known in every for kind in known.ways.values()) >= WORTHWHILE


def _file(memo: Memo, ends: list[Known], notes: list[Notes]) -> bytes:
    """The file of what leads from these shapes to these shapes."""
    places = {id(known): place for place, known in enumerate(ends)}
    noted = {id(known): place for place, known in enumerate(notes)}
    body = bytearray()

    def put(known: Known | Notes, places: dict[int, int], plain: Callable[[], dict[Any, _Kept]]) -> _Part:
        reader = known.ways.kept
        data = reader.data(places) if isinstance(reader, _Reader) else b""
        data = data or marshal.dumps(plain())
        body.extend(data)
        return (len(body) - len(data), len(data), _sum(data))

    head = marshal.dumps(
        (
            [(one.shape, one.groups, put(one, places, partial(_of_ends, memo, one, places))) for one in ends],
            [
                (tuple([_plain(code) for code in one.shape]), one.told, put(one, noted, partial(_of_notes, one, noted)))
                for one in notes
            ],
        )
    )
    return b"".join((_sum(head), len(head).to_bytes(8, "big"), head, body))


def _name(memo: Memo, profiles: Sequence[str]) -> str:
    digest = memo.abilities.program.spec.digest
    try:
        mark = program_mark("language", "model", "semantics", "checking", "traces")
    except (OSError, ValueError):
        return ""
    if not digest:
        return ""
    found = hashlib.sha256(mark + digest.encode())
    found.update("\0".join(sorted(profiles)).encode("utf-8", "surrogatepass"))
    return "ways-" + found.hexdigest()


def _sum(data: bytes) -> bytes:
    return hashlib.blake2b(data, digest_size=_MARK).digest()


class _Reader:
    """Reads the ways of one shape; ``known`` are the shapes of the table, to which they lead."""

    def __init__(
        self,
        data: bytes,
        start: int,
        part: _Part,
        known: list[Any],
        made: Callable[[Any, list[Any]], dict[Any, Kind]],
    ) -> None:
        self._data, self._start, self._part, self._known, self._made = data, start, part, known, made

    def __call__(self) -> dict[Any, Kind]:
        """For each kind of packet its ways; nothing if they are damaged."""
        data = self._read()
        return self._made(marshal.loads(data), self._known) if data else {}

    def data(self, places: dict[int, int]) -> bytes:
        """The same as it was kept, if it is the same where the shapes have these places; else nothing."""
        moved = any(places.get(id(known)) != place for place, known in enumerate(self._known))
        return b"" if moved else self._read()

    def _read(self) -> bytes:
        place, length, mark = self._part
        data = self._data[self._start + place : self._start + place + length]
        return data if _sum(data) == mark else b""


_Merged = tuple[tuple[CodeType, list[int]] | None, tuple[bytes, list[int], int, int] | None]

_Kept = tuple[list[Any], _Merged]
"""Ways of a kind, and the function and the plan that were made of some of them, with their places."""


def _of_ends(memo: Memo, known: Known, places: dict[int, int]) -> dict[Any, _Kept]:
    found: dict[Any, _Kept] = {}
    for kind, ways in known.ways.whole().items():
        if kind == STANDING:
            found[kind] = ([(way.kept(), tuple(way.target)) for way in ways], (None, None))
            continue
        for way in ways:
            if way.target is not None and way.target.after is not None:
                memo.retarget(way, known)
        left = [way for way in ways if _place(way, places) != _GONE]
        merged, inside = _merged(ways, left)
        kept = [(way.kept(merged=way in inside), _place(way, places), *_beside(way)) for way in left]
        found[kind] = (kept, merged)
    return found


def _merged(kind: Kind, left: list[Way]) -> tuple[_Merged, list[Way]]:
    """The function and the plan of a kind with the places of their ways, if all of them are as they were, and the ways
    of the function."""
    places = {id(way): place for place, way in enumerate(left)}

    def places_of(ways: Sequence[Way], targets: Sequence[Any]) -> list[int]:
        if any(id(way) not in places or way.target is not target for way, target in zip(ways, targets, strict=True)):
            return []
        return [places[id(way)] for way in ways]

    function = plan = None
    inside: list[Way] = []
    if kind.merged is not None and (found := places_of(*kind.merged[1:])):
        function, inside = (kind.merged[0], found), kind.merged[1]
    if kind.plan is not None and (found := places_of(kind.plan.ways, kind.plan.targets)):
        plan = (kind.plan.words, found, kind.plan.sorted, kind.plan.rest)
    return (function, plan), inside


def _kind(ways: list[Any], merged: _Merged, inside: list[Way]) -> Kind:
    kind = Kind(ways)
    function, plan = merged
    if function is not None:
        code, places = function
        kind.restore(code, [inside[place] for place in places])
    if plan is not None:
        words, places, tree, rest = plan
        ways = [inside[place] for place in places]
        kind.restore_plan(Plan(words, ways, [way.target for way in ways], tree, rest))
    return kind


def _beside(way: Way) -> tuple[Any, Any]:
    return (None, None) if way.about is None or way.aside is None else (way.about.kept(), way.aside.kept())


def _end_way(kept: Kept, target: Any, about: Any, aside: Any) -> Way:
    way = Way.again(kept, target)
    if about is not None:
        way.about, way.aside = Course.again(about), Way.again(aside, None)
        way.plain = way.about.plain
    return way


def _end_ways(kept: dict[Any, _Kept], known: list[Any]) -> dict[Any, Kind]:
    found: dict[Any, Kind] = {}
    for name, (ways, merged) in kept.items():
        if name == STANDING:
            found[name] = Kind([Way.again(way, Standing(*target)) for way, target in ways])
            continue
        made = [_end_way(way, None if target is None else known[target], *beside) for way, target, *beside in ways]
        found[name] = _kind(made, merged, made)
    return found


def _of_notes(known: Notes, places: dict[int, int]) -> dict[Any, _Kept]:
    found: dict[Any, _Kept] = {}
    for kind, ways in known.ways.whole().items():
        left = [(way, fact) for way, fact in ways if _place(way, places) != _GONE]
        merged, inside = _merged(ways, [way for way, _ in left])
        found[kind] = (
            [(way.kept(merged=way in inside), _place(way, places), fact, way.about) for way, fact in left],
            merged,
        )
    return found


def _note_ways(kept: dict[Any, _Kept], known: list[Any]) -> dict[Any, Kind]:
    found: dict[Any, Kind] = {}
    for name, (ways, merged) in kept.items():
        made = [
            (_note_way(way, None if target is None else known[target], told), fact) for way, target, fact, told in ways
        ]
        found[name] = _kind(made, merged, [way for way, _ in made])
    return found


def _note_way(kept: Kept, target: Any, told: Any) -> Way:
    way = Way.again(kept, target)
    way.about = told
    return way


_GONE = -1


def _place(way: Way, places: dict[int, int]) -> int | None:
    """The place of the shape to which a way leads; None if that one is not remembered."""
    return None if way.target is None else places.get(id(way.target), _GONE)


_BOUNDS = "<>"


def _plain(code: Any) -> Any:
    return (_BOUNDS, *code) if isinstance(code, Bounds) else code


def _code(kept: Any) -> Any:
    if kept == EXACT:
        return EXACT
    return Bounds(*kept[1:]) if isinstance(kept, tuple) and kept and kept[0] == _BOUNDS else kept
