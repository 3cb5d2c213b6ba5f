"""Words for people: what the terminals of the grammar are called, and the nearest of several names.

Owns: the wording of what was expected.
Must never hold: grammar or errors.
"""

from __future__ import annotations

from collections.abc import Iterable

DECLARATIONS = (
    "spec",
    "include",
    "steps",
    "profile",
    "const",
    "var",
    "message",
    "call",
    "timer",
    "notice",
    "define",
    "rules",
    "initial",
    "final",
    "state",
    "fault",
    "rule",
    "property",
    "source",
    "scenario",
    "reject",
    "requirement",
    "claim",
    "seen",
    "note",
    "observe",
    "need",
    "example",
)

RULE_WORDS = ("when", "unless", "stay", "drop", "then continue", "drawn", "choose", "send", "signal", "with", "without")
"""Keywords that may follow the event of a rule."""

_SIGNS = {
    "_COMMA": "`,`",
    "_COLON": "`:`",
    "_DOTS": "`..`",
    "_BAR": "`|`",
    "_AT": "`@profile`",
    "BANG": "`!`",
    "_TO": "`-> STATE`",
    "_BECOMES": "`<-`",
    "_GIVES": "`=>`",
    "EQ": "`=`",
    "OPEN": "`(`",
    "CLOSE": "`)`",
    "NAME": "a name",
    "STRING": 'a text in "..."',
    "NUMBER": "a number",
    "DURATION": "a duration such as 500 ms",
    "CITES": "a citation in [...]",
    "$END": "the end",
    "THEN_CONTINUE": "`then continue`",
    "OR_NOTHING": "`or nothing`",
    "ANEW": "`all variables anew`",
    "IS_SET": "`is set`",
    "IS_UNSET": "`is unset`",
    "_FROM_EVERY": "`from every state reachable`",
    "_CITES_WORD": "`cites`",
    "_NAME_WORD": "`name`",
    "LT": "`<`",
    "GT": "`>`",
    "SEND": "`send`",
    "PRIMED": "a name with an apostrophe",
    "_EACH_STEP": "`each step`",
    "_NEVER_SENDS": "`never sends`",
    "SENDS_NOTHING": "`sends nothing`",
    "_SENDS_ONLY": "`sends only`",
    "SHOWS_CALLS": "`shows calls`",
    "LABEL": "a number such as `1.`",
    "SENDS": "`-->`",
    "GETS": "`<--`",
    "UNDER_WAY": "`...`",
}
_GROUPS = (
    (("LT", "LE", "GT", "GE", "NE"), "a comparison"),
    (("LE", "GE", "NE"), "a comparison"),
    (("PLUS", "MINUS", "TIMES", "OVER_SIGN", "MOD"), "an operator such as `+`"),
    (("OR", "AND"), "`and`, `or`"),
    (("ANEW", "_CHOOSE", "SEND", "SIGNAL", "NAME"), "an action"),
    (("ANEW", "_CHOOSE", "SEND", "SIGNAL"), "an action"),
    (("_TO", "STAY", "DROP"), "where it leads (`-> STATE`, `stay` or `drop`)"),
    (("_WHEN", "_UNLESS"), "a condition with `when` or `unless`"),
    (("_WITH", "_WITHOUT"), "flags with `with` or `without`"),
    (("NUMBER", "DURATION", "TRUE", "FALSE", "NAME", "MAX", "MIN", "SHIFTED", "OPEN"), "a value"),
    (("NUMBER", "NAME", "MAX", "MIN", "SHIFTED", "OPEN"), "a value"),
)
_NO_KEYWORDS = {"BANG", "LT", "LE", "GT", "GE", "EQ", "NE", "PLUS", "MINUS", "TIMES", "OVER_SIGN", "OPEN", "CLOSE"}
_NO_KEYWORDS |= {"LABEL", "SENDS", "GETS", "UNDER_WAY", "PRIMED"}
_SYMBOLS = {"_COMMA", "_COLON", "_DOTS", "_BAR", "_AT", "_TO", "_BECOMES", "_GIVES", "NAME", "STRING", "NUMBER"}


def keyword_of(terminal: str) -> str:
    """The keyword that a terminal stands for, or "" if it is a sign, a name or a literal."""
    if terminal in _NO_KEYWORDS or terminal in _SYMBOLS or terminal in ("DURATION", "CITES", "$END"):
        return ""
    if terminal in _SIGNS:
        return _SIGNS[terminal].strip("`")
    return terminal.strip("_").lower()


def expected_words(terminals: Iterable[str]) -> str:
    """``a, b or c`` for a set of terminals, groups of operators named once."""
    left = set(terminals)
    words: list[str] = []
    for group, name in _GROUPS:
        if left.issuperset(group):
            left.difference_update(group)
            words.append(name)
    if "a comparison" in words:
        left -= {"EQ", "LT", "GT"}
    if "a value" in words:
        left -= {"NOT", "PRIMED"}
    named = [_SIGNS.get(name) or f"`{keyword_of(name)}`" for name in left if name != "$END"]
    words += sorted(dict.fromkeys(named), key=lambda word: (not word.startswith("a "), word))
    if "$END" in left:
        words.append("the end")
    return join_words(words, "or")


def join_words(words: list[str], last: str) -> str:
    """``a, b or c``."""
    if len(words) < 2:
        return "".join(words)
    return f"{', '.join(words[:-1])} {last} {words[-1]}"


def nearest(word: str, names: Iterable[str]) -> str:
    """The name that is most like the word, case ignored, or "" if none is close."""
    from difflib import get_close_matches  # late: only needed for errors

    folded = {name.lower(): name for name in names}
    word = word.lower()
    if word in folded:
        return folded[word]
    if len(word) > 64 or len(folded) > 5000:
        return ""
    found = get_close_matches(word, folded, 1, 0.6)
    return folded[found[0]] if found else ""
