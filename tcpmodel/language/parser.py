"""Text of a spec file -> syntax tree and syntax errors.

Owns: the limits on what is read, the one lark parser, and how a syntax error is put into words.
Must never hold: what a name stands for.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from tcpmodel.language import expressions, syntax
from tcpmodel.language.builder import Builder
from tcpmodel.language.chunks import Chunk, Piece, declared_names, split_file
from tcpmodel.language.errors import MOST_ERRORS, SpecError
from tcpmodel.language.span import Span
from tcpmodel.language.words import DECLARATIONS, expected_words, keyword_of, nearest

if TYPE_CHECKING:
    from lark import Lark, UnexpectedInput

LARGEST_FILE = 2 * 1024 * 1024
"""Most octets of a spec file."""

LARGEST_PIECE = 64 * 1024
"""Most characters of one declaration, or of one rule of a state."""


def parse_text(text: str) -> tuple[syntax.File, list[SpecError]]:
    """The declarations of a file and all its syntax errors, in the order of the file; never raises for bad text."""
    if len(text) > LARGEST_FILE:
        help_ = f"a spec file has at most {LARGEST_FILE // 1024} KiB"
        return syntax.File("", [], frozenset()), [SpecError("TS003", "file too large", Span(1, 1, 1, 1), help_)]
    doc, chunks = split_file(text.removeprefix("\ufeff"))
    reader = _Reader()
    for chunk in chunks:
        if len(reader.errors) > MOST_ERRORS:
            break
        reader.read(chunk)
    return syntax.File(doc, reader.declarations, frozenset(reader.broken)), reader.errors


class _Reader:
    """Collects declarations and errors, chunk by chunk."""

    def __init__(self) -> None:
        self.declarations: list[syntax.Declaration] = []
        self.errors: list[SpecError] = []
        self.broken: set[str] = set()

    def read(self, chunk: Chunk) -> None:
        declaration = self._piece(chunk.head, "declaration")
        if not isinstance(declaration, syntax.Declaration):
            word, names = declared_names(chunk.head.text)
            self.broken.update(names)
            if word == "state":
                self.broken.add("initial state" if "initial" in chunk.head.text.split("state")[0] else "")
            if not chunk.items or word not in ("state", "rules"):
                return
        else:
            declaration.doc = chunk.head.doc
            self.declarations.append(declaration)
        for piece in chunk.items:
            item = self._piece(piece, "item")
            if isinstance(item, syntax.Item):
                item.doc = piece.doc
                if isinstance(declaration, syntax.StateDecl | syntax.GroupDecl):
                    declaration.items.append(item)
            elif isinstance(declaration, syntax.StateDecl | syntax.GroupDecl):
                declaration.damaged = True

    def _piece(self, piece: Piece, start: str) -> object:
        """The node, or None after having noted what is wrong."""
        if len(piece.text) > LARGEST_PIECE:
            help_ = f"one declaration or rule has at most {LARGEST_PIECE // 1024} KiB"
            self._note("TS003", "declaration too long", Span(piece.line, 1, piece.line, 2), help_)
            return None
        from lark import UnexpectedInput  # only here: the import takes long

        parser, builder = _parser()
        builder.source.text, builder.source.base = piece.text, piece.line - 1
        builder.errors.clear()
        try:
            node: object = parser.parse(piece.text, start=start)
        except UnexpectedInput as error:
            self.errors.append(_syntax_error(error, piece, start))
            return None
        except expressions.TooDeep as error:
            help_ = f"at most {expressions.DEEPEST} levels: name a part of it with `define`"
            self._note("TS003", "expression nested too deeply", error.span, help_)
            return None
        self.errors += builder.errors
        return node

    def _note(self, code: str, message: str, span: Span, help_: str) -> None:
        self.errors.append(SpecError(code, message, span, help_))


@cache
def _parser() -> tuple[Lark, Builder]:
    from tcpmodel.language.tables import build_parser  # late: the import of lark takes long

    builder = Builder()
    return build_parser(builder), builder


def _syntax_error(error: UnexpectedInput, piece: Piece, start: str) -> SpecError:
    from lark import UnexpectedToken

    line = piece.line - 1
    if isinstance(error, UnexpectedToken):
        token = error.token
        if token.type == "$END":
            lines = piece.text.rstrip().split("\n")
            column = len(lines[-1].split("//")[0].rstrip()) + 1
            span = Span(line + len(lines), column, line + len(lines), column + 1)
            found = "the end of the " + ("rule" if start == "item" else "declaration")
        else:
            span = Span(
                line + (token.line or 1), token.column or 1, line + (token.end_line or 1), token.end_column or 1
            )
            found = f"`{_short(str(token))}`"
        accepts = set(error.accepts or error.expected)
    else:
        column = max(error.column, 1)
        span = Span(line + max(error.line, 1), column, line + max(error.line, 1), column + 1)
        found = _character(piece.text, error.pos_in_stream or 0)
        accepts = set(getattr(error, "allowed", None) or ())
    word = found.strip("`")
    if start == "declaration" and span.column == 1 and span.line == piece.line:
        near = nearest(word, DECLARATIONS)
        help_ = (
            f"did you mean `{near}`?"
            if near
            else "a line that begins in column 1 is one of: " + ", ".join(DECLARATIONS)
        )
        return SpecError("TS005", f"a declaration cannot begin with {found}", span, help_)
    expected = expected_words(accepts)
    near = nearest(word, [keyword for name in accepts if (keyword := keyword_of(name))])
    return SpecError(
        "TS001", f"syntax error: found {found}", span, f"did you mean `{near}`?" if near else f"expected {expected}"
    )


def _character(text: str, at: int) -> str:
    if at >= len(text):
        return "the end"
    char = text[at]
    if char == '"':
        return "a string that does not end on its line"
    if char == "[":
        return "a citation without its closing bracket"
    return f"`{char}`" if char.isprintable() else f"the character U+{ord(char):04X}"


def _short(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= 40 else text[:37] + "..."
