"""The catalogue of errors and warnings about specs: one entry for each code.

Owns: the title and the explanation of every code, with a wrong and a right example.
Must never hold: the checks themselves.

Examples are parts of a spec unless they begin with ``spec``: the rest is what every example shares.
"""

from __future__ import annotations

from typing import NamedTuple


class Code(NamedTuple):
    """``why`` says what is wrong about it; ``wrong`` draws exactly this code, ``right`` draws no error."""

    code: str
    title: str
    why: str
    wrong: str
    right: str
    severity: str = "error"


def explain(code: str) -> str:
    """The explanation of a code, several lines; KeyError for a code that does not exist."""
    entry = CODES[code.strip("[] ").upper()]
    parts = [f"{entry.code}: {entry.title} ({entry.severity})", entry.why]
    if entry.wrong:
        parts.append("Wrong:\n\n" + _indented(entry.wrong))
    if entry.right:
        parts.append("Right:\n\n" + _indented(entry.right))
    return "\n\n".join(parts) + "\n"


def _indented(text: str) -> str:
    return "\n".join(f"    {line}" if line else "" for line in text.rstrip("\n").split("\n"))


_LIGHT = """\
spec light
var V : {kind}
message PING
call OPEN
initial state A
  on OPEN -> B{set}
state B
  on PING when {test}0 < V -> A
"""

_ALL = (
    # ------------------------------------------------------------------------------------------------------- the text
    Code(
        "TS001",
        "syntax error",
        "The text does not follow the grammar at this place. The help says what could stand here. The rest of the\n"
        "file is still read: a declaration begins in column 1, a rule on a line of its own.",
        "state X\n  on CLOSE -> -> B\n",
        "state X\n  on CLOSE -> B\n",
    ),
    Code(
        "TS002",
        "the file cannot be read",
        "A spec is a UTF-8 text file. It is given by its path, or by the name of a shipped spec, such as tcp.",
        "",
        "",
    ),
    Code(
        "TS003",
        "too large",
        "Specs are read with bounded memory: a file has at most 2 MiB, one declaration or rule 64 KiB, an expression\n"
        "40 levels, a number less than 64 bits. A spec that people can read stays far below all of these.",
        "define big = 99999999999999999999 < 1\n",
        "define big = 9 < 1\n",
    ),
    Code(
        "TS004",
        "the same part twice",
        "A declaration has this part at most once; of two, one would be ignored.",
        'var V : octets = 0 "one title" "another title"\n',
        'var V : octets = 0 "one title"\n',
    ),
    Code(
        "TS005",
        "unknown declaration",
        "A line that begins in column 1 begins a declaration, and its first word says of what kind. A line that\n"
        "belongs to the declaration above it must be indented.",
        "sate X\n",
        "state X\n",
    ),
    Code(
        "TS006",
        "unknown form of citation",
        "Citations can be looked up only if they have a known form: a section (with a document, or of the first\n"
        "document of the spec), a whole document, a requirement such as MUST-11, an erratum, or a label in quotes.",
        "define c = 1 < 2 [section 3.4]\n",
        'define c = 1 < 2 [§3.4, RFC9293 §3.10.7.4 first, MUST-11, erratum 8710, "a book"]\n',
    ),
    Code(
        "TS007",
        "the spec does not cite this document",
        "The heading of a spec lists the documents that it follows; every citation is of one of them. This finds\n"
        "mistyped document names.",
        "define c = 1 < 2 [RFC9239 §3.4]\n",
        "define c = 1 < 2 [RFC9293 §3.4]\n",
    ),
    Code(
        "TS008",
        "a part that cannot be included",
        "The declarations of a part count as if they stood in the place of the `include`. A part is a file below the\n"
        'folder of the file that includes it: include "tcp/figures.tcpspec". It is included once, does not include\n'
        "itself, holds declarations only (no `spec` heading), and lies at most 4 levels deep.",
        'include "../figures.tcpspec"\n',
        "",
    ),
    # ---------------------------------------------------------------------------------------------------------- names
    Code(
        "TS010",
        "unknown state",
        "A rule leads to a state that no `state` declares.",
        "state X\n  on CLOSE -> BB\n",
        "state X\n  on CLOSE -> B\n",
    ),
    Code(
        "TS011",
        "unknown name",
        "An expression or an assignment names a variable, constant, definition or value that nothing declares. A\n"
        "name may hold dots and hyphens, so a subtraction needs blanks: `a - 1`.",
        "state X\n  on CLOSE when SND.NTX < SND.UNA -> B\n",
        "state X\n  on CLOSE when SND.NXT < SND.UNA -> B\n",
    ),
    Code(
        "TS012",
        "unknown event",
        "A rule begins with an event that no `message`, `call`, `timer` or `notice` declares. Timers and notices are\n"
        "written with their kind: `on timeout NAME`, `on notice NAME`.",
        "state X\n  on CLOOSE -> B\n",
        "state X\n  on CLOSE -> B\n",
    ),
    Code(
        "TS013",
        "unknown flag",
        "The message has no such flag, or what has flags is no message. In `<CTL=...>` only flags may stand, no\n"
        "marks: these may accompany any message.",
        "state X\n  on SEG with SYM -> B\n",
        "state X\n  on SEG with SYN -> B\n",
    ),
    Code(
        "TS014",
        "unknown field",
        "The message declares no such field, and there is no definition of that name.",
        "state X\n  on SEG when SEG.SQE = RCV.NXT -> B\n",
        "state X\n  on SEG when SEG.SEQ = RCV.NXT -> B\n",
    ),
    Code(
        "TS015",
        "unknown profile",
        "A rule, a constant or a profile names a profile that nothing declares.",
        "state X\n  @windows on CLOSE -> B\n",
        "state X\n  @linux on CLOSE -> B\n",
    ),
    Code(
        "TS016",
        "unknown group of rules",
        "A `use` names a group that no `rules` declares.",
        "state X\n  use comon\n",
        "state X\n  use common\n",
    ),
    Code(
        "TS017",
        "unknown step",
        "A `step` names a heading that the line `steps` does not list.",
        "state X\n  step thrid\n  on CLOSE -> B\n",
        "state X\n  step third\n  on CLOSE -> B\n",
    ),
    Code(
        "TS018",
        "unknown message, or not clear which message",
        "A spec with one kind of message may leave its name away in `send`; with several, it must be written.",
        "state X\n  on CLOSE -> B\n    send SAG <CTL=FIN>\n",
        "state X\n  on CLOSE -> B\n    send SEG <CTL=FIN>\n",
    ),
    Code(
        "TS019",
        "unknown severity, scope, party, verdict, signal or proof",
        "The severity of a rule or fault is must, normative, should, unusual, capture or legal; its scope is packet;\n"
        "who is to blame is sender, receiver, path, application or capture. A claim is right, loose, wrong or open.\n"
        "The signals of a source are those of the rules, in the same words. `check` of a property names a proof as\n"
        "verify prints it.",
        'fault F-1 awful "wrong" when SND.NXT < SND.UNA\n',
        'fault F-1 normative "wrong" when SND.NXT < SND.UNA\n',
    ),
    Code(
        "TS020",
        "declared twice",
        "One name, flag, value or event stands twice where only one can count. Variables, constants, definitions and\n"
        "message fields share one name space, as they all stand in expressions.",
        "var SND.NXT : octets = 0\n",
        "var SND.MAX : octets = 0\n",
    ),
    Code(
        "TS021",
        "id used twice",
        "Reports name rules by their ids, so two rules must not share one. A rule in a group has one id, however many\n"
        "states use the group.",
        "state X\n  R-1: on CLOSE -> B\n  R-1: on OPEN -> B\n",
        "state X\n  R-1: on CLOSE -> B\n  R-2: on OPEN -> B\n",
    ),
    Code(
        "TS022",
        "uses itself",
        "A definition, constant or group that is used to say what it is, directly or through others, has no meaning.",
        "define a = b\ndefine b = a\n",
        "define a = 1 < 2\ndefine b = a\n",
    ),
    # ---------------------------------------------------------------------------------------------------------- types
    Code(
        "TS030",
        "wrong type",
        "The operator or the place cannot take a value of this type. Numbers of octets, sequence numbers, durations,\n"
        "words and conditions are different things.",
        "state X\n  on CLOSE when SND.WND < SND.NXT -> B\n",
        "state X\n  on CLOSE when SND.WND < SND.NXT - SND.UNA -> B\n",
    ),
    Code(
        "TS031",
        "sequence numbers of different ends",
        "Each end numbers its octets from a start of its own, so numbers of the two ends cannot be compared. Of a\n"
        "message that arrived, `seq(sender)` is the numbering of the peer; of one that is sent, that of this end.",
        "state X\n  on SEG when SEG.SEQ < SND.NXT -> B\n",
        "state X\n  on SEG when SEG.SEQ < RCV.NXT -> B\n",
    ),
    Code(
        "TS032",
        "number out of range",
        "The variable or field declares the range of its values, and this one lies outside.",
        "var S : 0..1 = 2\n",
        "var S : 0..1 = 1\n",
    ),
    Code(
        "TS033",
        "unknown type",
        "A type is seq(local) or seq(peer) for sequence numbers (seq(sender) or seq(receiver) for message fields),\n"
        "octets, duration, a range such as 0..1, or at least two words with `|` between them.",
        "var V : integer = 0\n",
        "var V : octets = 0\n",
    ),
    Code(
        "TS034",
        "cannot be assigned",
        "Only variables change. Constants, definitions, fields of a message and chosen values do not.",
        "state X\n  on CLOSE -> B\n    MSL <- 1 s\n",
        "state X\n  on CLOSE -> B\n    SND.WND <- 1\n",
    ),
    Code(
        "TS035",
        "no such message at hand",
        "Fields and flags can be asked for only where there is a message: in a rule about its arrival, in the `where`\n"
        "of what is sent, in faults and in rules over packets.",
        "state X\n  on CLOSE when SEG.SEQ = RCV.NXT -> B\n",
        "state X\n  on SEG when SEG.SEQ = RCV.NXT -> B\n",
    ),
    Code(
        "TS036",
        "the variable is not optional",
        "Only a variable that is declared `optional` can be unset, so only of such a one can it be asked.",
        "state X\n  on CLOSE when SND.NXT is set -> B\n",
        "state X\n  on CLOSE when FIN.SEQ is set -> B\n",
    ),
    Code(
        "TS037",
        "no variables here",
        "A constant, an initial value and a rule over single packets have no endpoint whose variables they could read.",
        "const LATE = 2 * SND.WND\n",
        "const LATE = 2 * MSL\n",
    ),
    # ------------------------------------------------------------------------------------------------------ structure
    Code(
        "TS040",
        "no heading, or two",
        "A file holds one spec, and its heading gives the name and the cited documents.",
        "spec light\nspec dark\ninitial state A\n",
        "spec light\ninitial state A\n",
    ),
    Code(
        "TS041",
        "no initial state, or two",
        "Exactly one state is where an endpoint begins.",
        "initial state X\n",
        "state X\n",
    ),
    Code(
        "TS042",
        "`otherwise` without a rule before it",
        "`otherwise` is for the event of the rule before it, when that rule did not win. At the beginning of a state\n"
        "or group there is no such rule.",
        "state X\n  otherwise drop\n",
        "state X\n  on SEG with SYN -> B\n  otherwise drop\n",
    ),
    Code(
        "TS043",
        "something is missing, or stands twice",
        "A rule says once where it leads (`-> STATE`, `stay` or `drop`), a fault says `when`, a rule over packets\n"
        "says what it forbids.",
        'state X\n  on CLOSE\n    signal "closing"\n',
        'state X\n  on CLOSE -> B\n    signal "closing"\n',
    ),
    Code(
        "TS044",
        "events of different kinds in one rule",
        "A rule may name several events of one kind. A message has fields, a call has none, so what a rule may say\n"
        "depends on the kind.",
        "state X\n  on SEG, CLOSE -> B\n",
        "state X\n  on SEG -> B\n  on CLOSE -> B\n",
    ),
    Code(
        "TS045",
        "group used twice in one state",
        "The second time, its rules would come after the same rules and could never win.",
        "state X\n  use common\n  use common\n",
        "state X\n  use common\n",
    ),
    Code(
        "TS046",
        "cases without `otherwise` at the end",
        "A definition has a value whatever holds, so its last case is `otherwise`; no case after it could count.",
        "define d\n  | SND.WND = 0 => 1\n  | SND.WND > 0 => 2\n",
        "define d\n  | SND.WND = 0 => 1\n  | otherwise   => 2\n",
    ),
    Code(
        "TS047",
        "the rule can never fire",
        "In a state the first rule that matches wins. An earlier rule for the same event, with no condition or with\n"
        "conditions that hold whenever those of this rule do, always wins over it.",
        "state X\n  on SEG with SYN -> B\n  on SEG with SYN, ACK -> A\n",
        "state X\n  on SEG with SYN, ACK -> A\n  on SEG with SYN -> B\n",
    ),
    Code(
        "TS048",
        "read before it is set",
        "A variable without initial value has none until a rule sets it. On some way from the initial state to here\n"
        "no rule does.",
        _LIGHT.format(kind="octets", set="", test=""),
        _LIGHT.format(kind="octets", set="\n    V <- 1", test=""),
    ),
    Code(
        "TS049",
        "typical value that cannot be worked out",
        "The typical values of a state are what a single step takes for variables that nobody gave. They are worked\n"
        "out in order, so each may use those before it, and variables that have an initial value.",
        "state X\n  typical SND.UNA = SND.NXT - 1, SND.NXT = 101\n",
        "state X\n  typical SND.NXT = 101, SND.UNA = SND.NXT - 1\n",
    ),
    Code(
        "TS050",
        "wrong form of a scenario line",
        "With `from STATE` a scenario has one end: `< MESSAGE` comes, `> MESSAGE` goes. Else it has two: its first\n"
        "line gives their states, and messages go between them: `-->` to the right, `<--` to the left, `...` for the\n"
        "side where nothing happens, as the message is under way. Events of one of two ends begin with A: or B:.",
        'scenario "s"\n  A  B\n  A --> <SEQ=1> <-- B\n',
        'scenario "s"\n  A  B\n  A --> <SEQ=1> --> B\n',
    ),
    Code(
        "TS051",
        "not clear what a scenario refuses",
        "A rejecting scenario shows a step that the model must refuse. It is the last line, and says why; all before\n"
        "it must be accepted. No other scenario has such a line.",
        'reject scenario "s" from A\n  CLOSE => B\n',
        'reject scenario "s" from A\n  CLOSE => B  ! "only OPEN leads there"\n',
    ),
    Code(
        "TS052",
        "it refers to what does not exist",
        "The spec holds no rule, property, scenario, declaration of this kind and name, so what is said about it is\n"
        "out of date or mistyped.",
        "requirement MUST-5 by variable SND.NXTT\n",
        "requirement MUST-5 by variable SND.NXT\n",
    ),
    Code(
        "TS053",
        "mark that does not say what it must",
        "A requirement says what carries it, or why nothing in a model of one endpoint can. A claim says what shows\n"
        "it; and unless it is right, in words what would be right.",
        'claim C-1 loose "a connection begins with OPEN" by state A\n',
        'claim C-1 loose "a connection begins with OPEN" by state A "or with a SYN that arrives"\n',
    ),
    Code(
        "TS054",
        "part that a property cannot have",
        "Properties about the graph of states name their states and know no values, so `in` and conditions have no\n"
        "meaning there. A property about messages that arrive is about one message. `fails` says why it fails.",
        "property p exists A -> B in A\n",
        "property p exists A -> B\n",
    ),
    Code(
        "TS055",
        "no value after an event here",
        "A name with an apostrophe is the value of a variable after an event. Only properties about single steps can\n"
        "compare it with the value before; a field of a message or a constant has no such value.",
        "property p always SND.UNA =< SND.NXT'\n",
        "property p each step SND.UNA =< SND.NXT'\n",
    ),
    Code(
        "TS056",
        "what only an observer knows",
        "Notes, and what is `seen` of a message, belong to the one who watches both directions. An endpoint knows\n"
        "nothing of them, so its rules cannot name them; rules over messages and `observe` can.",
        "note TOP : octets\nstate X\n  on CLOSE when TOP = 0 -> B\n",
        "note TOP : octets\nobserve SEG with SYN\n  TOP <- 0\n",
    ),
    # ------------------------------------------------------------------------------------------------------- warnings
    Code(
        "TS060",
        "unused variable",
        "No rule reads or sets the variable.",
        "var V : octets = 0\n",
        "var V : octets = 0\nstate X\n  on CLOSE when V = 0 -> B [§3.1]\n",
        "warning",
    ),
    Code(
        "TS061",
        "unused profile",
        "No rule and no constant depends on the profile, and it turns no other on or off.",
        "profile fast\n",
        "profile fast with linux\n",
        "warning",
    ),
    Code(
        "TS062",
        "unused definition or constant",
        "No expression uses it.",
        "define d = 1\n",
        "define d = 1\nstate X\n  on CLOSE when SND.WND < d -> B [§3.1]\n",
        "warning",
    ),
    Code(
        "TS063",
        "unused group of rules",
        "No state says `use` with its name, so its rules are nowhere.",
        "rules more\n  on CLOSE -> B [§3.1]\n",
        "rules more\n  on CLOSE -> B [§3.1]\nstate X\n  use more\n",
        "warning",
    ),
    Code(
        "TS064",
        "nothing cited",
        "The spec names the documents that it follows, but does not say where this rule is from.",
        "state X\n  on CLOSE -> B\n",
        "state X\n  on CLOSE -> B [§3.10.4]\n",
        "warning",
    ),
    Code(
        "TS065",
        "optional variable that nothing sets",
        "The variable may be unset, no rule on any way to this state sets it, and the rule does not ask for that.",
        _LIGHT.format(kind="optional octets", set="", test=""),
        _LIGHT.format(kind="optional octets", set="", test="V is set and "),
        "warning",
    ),
    Code(
        "TS066",
        "event without a rule",
        "The call, timer or notice is declared, but no rule says what happens then.",
        "notice NEWS\n",
        "notice NEWS\nstate X\n  on notice NEWS -> B [§3.1]\n",
        "warning",
    ),
)

CODES = {entry.code: entry for entry in _ALL}
"""All codes, in order."""
