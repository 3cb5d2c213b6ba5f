"""What was learned of packets, kept from one run to the next.

Owns: the form in which what ``memo`` and ``watchmemo`` remember is kept, and what of it is worth keeping.
Must never hold: where files are kept (see ``language.store``), or what a remembered way does.

A file belongs to one spec, one choice of profiles, and one state of this program. It has a table of the marks of
shapes, and for each the shape and the ways that lead from it, which are read when it is met. All of it is plain values
and the functions that were made of them, as Python keeps those of a module; each part has a checksum. What is damaged,
of another version, or not this user's own is not used, and is learned again.
"""

from __future__ import annotations

import gc
import hashlib
import marshal
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from struct import Struct
from types import CodeType
from typing import Any

from tcpmodel.checking.memory.compiled import Kept, Way
from tcpmodel.checking.memory.courses import Course
from tcpmodel.checking.memory.kinds import Kind, Ways
from tcpmodel.checking.memory.known import STANDING, Known, Shapes
from tcpmodel.checking.memory.memo import MOST, Memo
from tcpmodel.checking.memory.plans import Plan
from tcpmodel.checking.memory.watchmemo import EXACT, Bounds
from tcpmodel.checking.memory.watchmemo import Known as Notes
from tcpmodel.checking.outcome.standing import Standing
from tcpmodel.language import store
from tcpmodel.language.version import program_mark

LARGEST = 24 << 20
"""Most octets that are kept for one spec; if there were more, what this run did not use is forgotten."""

SHAPES = 2 * MOST
"""So many shapes of one sort are kept, likewise."""

WORTHWHILE = 8
"""So many functions that were made of ways known before are worth writing a file."""

_MARK = 16


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
    ends, notes = marshal.loads(data[start:stop])
    _Table(data, stop, ends, memo.known, _known, _end_ways)
    _Table(data, stop, notes, memo.watch.known, _noted, _note_ways)


def keep(memo: Memo, profiles: Sequence[str]) -> None:
    """Keep what a memory has learned, if it is more than was kept already."""
    if not memo.active or not store.folder() or not (memo.recorded or memo.watch.recorded or _made(memo)):
        return
    name = _name(memo, profiles)
    if not name:
        return
    data = b""
    if _size(memo.known) < SHAPES and _size(memo.watch.known) < SHAPES:
        data = _file(memo, whole=True)
    if not 0 < len(data) < LARGEST:
        for known in [*memo.known.values(), *memo.watch.known.values()]:
            if known.ways.kept is not None:
                known.ways.kept = dict
        data = _file(memo, whole=False)
    if len(data) < LARGEST:
        store.write(name, data)


def _made(memo: Memo) -> bool:
    """Were functions made of ways that were known before?"""
    every: list[Known | Notes] = [*memo.known.values(), *memo.watch.known.values()]
    return sum(kind.fresh for known in every for kind in known.ways.values()) >= WORTHWHILE


def _table(shapes: Shapes) -> _Table | None:
    """What an earlier run found of such shapes, if anything."""
    reader = shapes.kept
    return getattr(reader, "__self__", None)


def _size(shapes: Shapes) -> int:
    """How many shapes are known, and were."""
    table = _table(shapes)
    return len(shapes) + (0 if table is None else sum(one is None for one in table.made))


def _file(memo: Memo, *, whole: bool) -> bytes:
    """The file of what is known of all shapes; or, if it is not to be ``whole``, of those that were asked for."""
    body = bytearray()
    ends = _part(memo.known, body, whole, _shape, lambda one, places: _of_ends(memo, one, places))
    notes = _part(memo.watch.known, body, whole, _notes, _of_notes)
    head = marshal.dumps((ends, notes))
    return b"".join((_sum(head), len(head).to_bytes(8, "big"), head, body))


def _part(
    shapes: Shapes,
    body: bytearray,
    whole: bool,
    plain: Callable[[Any], tuple[Any, Any]],
    ways: Callable[[Any, dict[int, int]], dict[Any, _Kept]],
) -> bytes:
    """Puts what is known of these shapes into a file; returns where it is."""
    table = _table(shapes)
    same = whole and table is not None and table.unchanged(shapes)
    order: list[Any] = list(table.made) if same and table is not None else []
    if whole and not same and table is not None:
        table.read_all()
    inside = {id(one) for one in order}
    order += [one for one in shapes.values() if id(one) not in inside]
    places = {id(one): place for place, one in enumerate(order) if one is not None}
    entries = bytearray()
    for place, one in enumerate(order):
        kept = table.entry(place) if same and table is not None and place < len(table.made) else None
        if kept is not None and (one is None or one.ways.kept is not None):
            mark, shape, found = kept
        else:
            key, rest = plain(one)
            mark, shape = _mark_of(key), marshal.dumps((key, rest))
            found = marshal.dumps(ways(one, places))
        entries += _ENTRY.pack(mark, len(body), len(shape), len(found), _sum(shape), _sum(found))
        body += shape
        body += found
    return bytes(entries)


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


_ENTRY = Struct("=16sQII16s16s")
"""Of a shape: its mark, where it is, how long it and its ways are, and the checksums of both."""


class _DamagedError(ValueError):
    """A part of a file is not what was written."""


class _Table:
    """Shapes of one sort in a file, and their ways. Those that were asked for are ``made``, and are among ``shapes``;
    ``known`` makes one of its shape, and ``ways`` its ways, which lead to others of the table."""

    def __init__(
        self,
        data: bytes,
        start: int,
        entries: bytes,
        shapes: Shapes,
        known: Callable[[Any, Any], tuple[Any, Any]],
        ways: Callable[[Any, _Table], dict[Any, Kind]],
    ) -> None:
        self._data, self._start, self._shapes, self._known, self._ways = data, start, shapes, known, ways
        self._entries = list(_ENTRY.iter_unpack(entries))
        self._places = {entry[0]: place for place, entry in enumerate(self._entries)}
        self.made: list[Any] = [None] * len(self._entries)
        shapes.kept = self.find

    def find(self, shape: Any) -> Any:
        """What is known of a shape, or None."""
        place = self._places.get(_mark_of(_key(shape)))
        if place is None or self.made[place] is not None:
            return None  # one that was made and is not among the shapes was forgotten
        try:
            found = self[place]
        except _DamagedError:
            return None
        return found if self._shapes.get(shape) is found else None

    def __getitem__(self, place: int) -> Any:
        """What is known of the shape at a place; _DamagedError if that cannot be read."""
        one = self.made[place]
        if one is None:
            key, rest = marshal.loads(self._read(place, ways=False))
            key, one = self._known(key, rest)
            one.ways = Ways(partial(self._ways_of, place))
            self.made[place] = self._shapes[key] = one
        return one

    def _ways_of(self, place: int) -> dict[Any, Kind]:
        """For each kind of packet the ways that lead from a shape; nothing if they are damaged."""
        running = gc.isenabled()
        gc.disable()  # many objects appear and all of them stay
        try:
            return self._ways(marshal.loads(self._read(place, ways=True)), self)
        except _DamagedError:
            return {}
        finally:
            if running:
                gc.enable()

    def _read(self, place: int, *, ways: bool) -> bytes:
        _, start, size, more, *sums = self._entries[place]
        start += self._start + ways * size
        data = self._data[start : start + (more if ways else size)]
        if _sum(data) != sums[ways]:
            raise _DamagedError
        return data

    def read_all(self) -> None:
        """Make all that can be read."""
        for place in range(len(self.made)):
            with suppress(_DamagedError):
                self[place]

    def unchanged(self, shapes: Shapes) -> bool:
        """Is each that was made still what is known of its shape, and can each of the others be read?"""
        here = {id(one) for one in shapes.values()}
        return all(
            self.entry(place) is not None if one is None else id(one) in here for place, one in enumerate(self.made)
        )

    def entry(self, place: int) -> tuple[bytes, bytes, bytes] | None:
        """The mark, the shape and the ways at a place as they were written; None if they are damaged."""
        try:
            return self._entries[place][0], self._read(place, ways=False), self._read(place, ways=True)
        except _DamagedError:
            return None


def _mark_of(key: Any) -> bytes:
    return _sum(marshal.dumps(key, 2))  # a version in which equal values are equal octets


def _key(shape: Any) -> Any:
    """The key of a shape as plain values."""
    told, *codes = shape
    return (sorted(told), *[_plain(code) for code in codes]) if isinstance(told, frozenset) else shape


def _shape(known: Known) -> tuple[Any, Any]:
    return known.shape, known.groups


def _known(key: Any, groups: list[int]) -> tuple[Any, Known]:
    return key, Known(key, groups)


def _notes(known: Notes) -> tuple[Any, Any]:
    return _key((known.told, *known.shape)), None


def _noted(key: Any, _: None) -> tuple[Any, Notes]:
    told, *codes = key
    shape = tuple([_code(code) for code in codes])
    known = Notes(shape, frozenset(told))
    return (known.told, *shape), known


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


def _end_ways(kept: dict[Any, _Kept], known: _Table) -> dict[Any, Kind]:
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


def _note_ways(kept: dict[Any, _Kept], known: _Table) -> dict[Any, Kind]:
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
