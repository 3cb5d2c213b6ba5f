"""From the text of a spec file to a syntax tree and syntax errors.

Owns: the limits on what is read, the one lark parser, and how parsing goes on after a syntax error.
Must never hold: what a name stands for.
"""

from __future__ import annotations

import re
from dataclasses import replace
from functools import cache
from typing import TYPE_CHECKING

from tcpmodel.language import expressions, syntax
from tcpmodel.language.builder import Builder
from tcpmodel.language.chunks import Chunk, Piece, declared_names, split_file
from tcpmodel.language.errors import MOST_ERRORS, SpecError
from tcpmodel.language.parts import FORM, MOST_PARTS, NO_PARTS, Parts, good_path
from tcpmodel.language.scenario_syntax import ExampleDecl, LineNode, ScenarioDecl
from tcpmodel.language.span import NOWHERE, Span
from tcpmodel.language.syntax import Word
from tcpmodel.language.syntax_errors import syntax_error

if TYPE_CHECKING:
    from lark import Lark

LARGEST_FILE = 2 * 1024 * 1024
"""Most octets of a spec file."""

MOST_PIECES = 20_000
"""Most declarations and rules of a file."""

LARGEST_PIECE = 64 * 1024
"""Most characters of one declaration, or of one rule of a state."""


MOST_REPAIRS = 8
"""So many wrong lines of one declaration or rule are left out to look at the rest of it."""

_NAMES = re.compile(r"[A-Za-z][A-Za-z0-9]*(?:[.\-_][A-Za-z0-9]+)*")
_ID = re.compile(r"\A\s*([A-Za-z][A-Za-z0-9.\-_]*)[ \t]*:")
_LINE_BY_LINE = re.compile(r"(?:message|source|rule)[ \t]")


def parse_text(text: str, parts: Parts = NO_PARTS) -> tuple[syntax.File, list[SpecError]]:
    """The declarations of a spec and all its syntax errors, in the order of the file; never raises for bad text.

    ``parts``: the files that it includes; their declarations stand where the ``include`` is.
    """
    if len(text) > LARGEST_FILE:
        help_ = f"a spec file has at most {LARGEST_FILE // 1024} KiB"
        nothing = syntax.File("", [], frozenset({"spec heading"}))
        return nothing, [SpecError("TS003", "file too large", Span(1, 1, 1, 1), help_)]
    reader = _Reader(parts)
    doc, chunks = split_file(text.removeprefix("\ufeff"))
    try:
        reader.file(chunks, "")
    except _TooMany as error:
        nothing = syntax.File(doc, [], frozenset({"spec heading"}))
        return nothing, [error.error]
    return syntax.File(doc, reader.declarations, frozenset(reader.broken), reader.incomplete), reader.errors


class _TooMany(Exception):
    """There are more declarations than one spec may have."""

    def __init__(self, error: SpecError) -> None:
        super().__init__(error)
        self.error = error


class _Reader:
    """Collects declarations and errors, chunk by chunk."""

    def __init__(self, parts: Parts) -> None:
        self.declarations: list[syntax.Declaration] = []
        self.errors: list[SpecError] = []
        self.broken: set[str] = set()
        self.incomplete = False
        self.parts = parts
        self.part = ""
        self._pieces = 0
        self._done: set[str] = set()

    def file(self, chunks: list[Chunk], part: str) -> None:
        """Reads the declarations of a file, and of those that it includes."""
        for chunk in chunks:
            self.part = part
            self._pieces += 1 + len(chunk.items)
            if self._pieces > MOST_PIECES:
                help_ = f"a spec has at most {MOST_PIECES} declarations and rules"
                here = Span(chunk.head.line, 1, chunk.head.line, 2, part)
                raise _TooMany(SpecError("TS003", "too many declarations", here, help_))
            if len(self.errors) > MOST_ERRORS:
                break
            self.read(chunk)

    def _include(self, path: Word) -> None:
        """Reads the part that an ``include`` names, in its place."""
        wrong = self.parts.wrong.get((self.part, path.text))
        target = self.parts.targets.get((self.part, path.text))
        if not good_path(path.text):
            self._note("TS008", f"`{path.text}` cannot be included", path.span, FORM)
        elif wrong is not None:
            self.errors.append(wrong if wrong.span != NOWHERE else wrong._replace(span=path.span))
        elif target is None:
            help_ = f'one line for each part: include "PATH"; a spec has at most {MOST_PARTS} parts'
            self._note("TS008", f"`{path.text}` cannot be included", path.span, help_)
        elif target in self._done:
            self._note("TS008", f"`{target}` is included twice", path.span, "leave one of them")
        else:
            self._done.add(target)
            self.file(split_file(self.parts.texts[target])[1], target)
            return
        self.incomplete = True

    def read(self, chunk: Chunk) -> None:
        """Reads one declaration."""
        declaration = self._piece(chunk.head, "declaration")
        if isinstance(declaration, syntax.Include):
            self._include(declaration.path)
            return
        if not isinstance(declaration, syntax.Declaration):
            word, names = declared_names(chunk.head.text)
            self.broken.update(names)
            if chunk.lines:
                self.broken.update(re.findall(r'"([^"\n]*)"', chunk.head.text)[:1])
            if word == "spec" or not (self.declarations or self.part):
                self.broken.add("spec heading")
            if word == "state" and "initial" in chunk.head.text.split("state")[0]:
                self.broken.add("initial state")
            if not chunk.items or (word not in ("state", "rules") and not chunk.lines):
                return
        else:
            declaration.doc = chunk.head.doc
            self.declarations.append(declaration)
        if chunk.lines:
            self._lines(chunk, declaration)
            return
        for piece in chunk.items:
            item = self._piece(piece, "item")
            if isinstance(item, syntax.Item):
                item.doc = piece.doc
                if isinstance(declaration, syntax.StateDecl | syntax.GroupDecl):
                    declaration.items.append(item)
            else:
                self.broken.update(_ID.findall(piece.text))
                if isinstance(declaration, syntax.StateDecl | syntax.GroupDecl):
                    declaration.damaged = True

    def _lines(self, chunk: Chunk, declaration: object) -> None:
        for piece in chunk.items:
            line = self._piece(piece, "line")
            if isinstance(declaration, ScenarioDecl | ExampleDecl):
                if isinstance(line, LineNode):
                    line.doc = piece.doc
                    declaration.lines.append(line)
                else:
                    declaration.damaged = True

    def _piece(self, piece: Piece, start: str) -> object:
        """The node, or None after having noted what is wrong."""
        if len(piece.text) > LARGEST_PIECE:
            help_ = f"one declaration or rule has at most {LARGEST_PIECE // 1024} KiB"
            self._note("TS003", "declaration too long", Span(piece.line, 1, piece.line, 2, self.part), help_)
            return None
        from lark import UnexpectedInput  # only here: the import takes long

        parser, builder = _parser()
        builder.source.base, builder.source.path = piece.line - 1, self.part
        text = piece.text
        noted: list[SpecError] = []
        for _ in range(MOST_REPAIRS):
            builder.source.text = text
            builder.errors.clear()
            try:
                node: object = parser.parse(text, start=start)
            except UnexpectedInput as error:
                found = syntax_error(error, text, piece.line, start)
                found = found._replace(span=replace(found.span, path=self.part))
                noted.append(found)
                text = self._without_line(text, found.span.line - piece.line, start)
                if not text:
                    break
            except expressions.TooDeep as error:
                help_ = f"at most {expressions.DEEPEST} levels: name a part of it with `define`"
                noted.append(SpecError("TS003", "expression nested too deeply", error.span, help_))
                break
            else:
                self.errors += noted + builder.errors
                if noted and isinstance(node, syntax.RuleNode):
                    node.damaged = True
                return node
        self.errors += noted
        return None

    def _without_line(self, text: str, at: int, start: str) -> str:
        """The text of a rule or message with a wrong line left blank, so that the others are looked at; or ""."""
        lines = text.split("\n")
        if not 0 < at < len(lines) or (start != "item" and not _LINE_BY_LINE.match(text)):
            return ""
        words = _NAMES.findall(lines[at])
        if text.startswith("message"):
            message = _NAMES.findall(lines[0])[1:2]
            self.broken.update(words, (f"{name}.{word}" for name in message for word in words))
        lines[at] = ""
        return "\n".join(lines)

    def _note(self, code: str, message: str, span: Span, help_: str) -> None:
        self.errors.append(SpecError(code, message, span, help_))


@cache
def _parser() -> tuple[Lark, Builder]:
    from tcpmodel.language.tables import build_parser  # late: the import of lark takes long

    builder = Builder()
    return build_parser(builder), builder
