"""A session of ``tcpmodel step``: events are typed one by one, and the endpoint moves.

Owns: the words of the session, its history, and the scenario that it saves.
Must never hold: what an event does (see ``semantics``), or how an outcome looks (see ``report``).
"""

from __future__ import annotations

import contextlib
import re
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from difflib import get_close_matches
from typing import NamedTuple

from tcpmodel.cli.asking import assignments, make_stepper
from tcpmodel.cli.errors import CommandError
from tcpmodel.cli.options import active_profiles, wants_color
from tcpmodel.model.spec import Spec
from tcpmodel.report.scenario_text import Done, scenario
from tcpmodel.report.step_text import StepText, plain
from tcpmodel.report.style import Style, counted
from tcpmodel.semantics.notation import NotationError, read_event
from tcpmodel.semantics.stepping import StepError, Stepped

Values = Mapping[str, "int | str | None"]

HELP = """\
EVENT             {events}
may [RULE]        what it may do of its own accord; with the id of a rule, do it
choose NAME=VALUE fix what the spec leaves open, for the next event that does
let NAME=VALUE    set variables ('unset' clears one)
state [STATE]     where the endpoint is; with a name, go there with values that fit
profile [NAME]    the profiles that are on; with names, turn them on, or off with no-NAME
vars              all variables
why               the rules that the last event tried, and why each matched or not
events            all events
back, undo        take the last event or change back
save FILE         write what was done as a scenario of the spec language
help, quit"""


class Position(NamedTuple):
    """Where the endpoint is, and what led there: ``done`` is an event; None for what was set by hand."""

    state: str
    values: Values
    profiles: tuple[str, ...]
    done: Done | None


class Session:
    """One endpoint and its history. ``write`` gets each line to show; ``do`` says False when the session is over."""

    def __init__(self, spec: Spec, profiles: Sequence[str], style: Style, write: Callable[[str], object]) -> None:
        self._spec = spec
        self._style = style
        self._write = write
        self._text = StepText(spec, style)
        self._stepper = make_stepper(spec, profiles)
        self._choose: dict[str, int | str | None] = {}
        self._last: Stepped | None = None
        self._history: list[Position] = []
        self._words: dict[str, Callable[[str], None]] = {
            "help": self._help,
            "?": self._help,
            "back": self._back,
            "undo": self._back,
            "vars": self._vars,
            "let": self._let,
            "choose": self._fix,
            "state": self._state,
            "profile": self._profile,
            "why": self._why,
            "events": self._events,
            "save": self._save,
        }
        self._set(spec.initial.name, {}, tuple(profiles))

    @property
    def here(self) -> Position:
        """Where the endpoint is now."""
        return self._history[-1]

    def begin(self, state: str | None, given: Values, choose: Values) -> None:
        """Start in a state with some variables; StepError for what the spec does not have."""
        name = self._stepper.state(state or self._spec.initial.name)
        self._history.clear()
        self._set(name, given, self._profiles)
        self._choose = self._chosen(choose)

    def words(self) -> list[str]:
        """What may stand at the beginning of a line, for completion."""
        named = [str(event) for event in self._spec.events if event.kind not in {"message", "own"}]
        return [*named, "may", "quit", *(word for word in self._words if word.isalpha())]

    def names(self) -> list[str]:
        """What may stand later in a line, for completion."""
        spec = self._spec
        return [each.name for group in (spec.states, spec.variables, spec.profiles) for each in group]

    def do(self, line: str) -> bool:
        """Do what a line says; everything wrong with it is shown. False when it ends the session."""
        word, _, rest = line.strip().partition(" ")
        if not word:
            return True
        exact = any(str(event) == line.strip() for event in self._spec.events)
        if word.lower() in {"quit", "exit"} and not exact:
            return False
        try:
            if word.lower() in self._words and not exact:
                self._words[word.lower()](rest.strip())
            else:
                self._event(line.strip())
        except (StepError, NotationError, CommandError) as error:
            self._say(f"error: {error}", "bad")
        except OSError as error:
            self._say(f"error: {error.filename}: {error.strerror}", "bad")
        return True

    # --------------------------------------------------------------------------------------------------- the moves

    @property
    def _profiles(self) -> tuple[str, ...]:
        return self._history[-1].profiles if self._history else ()

    def _set(self, state: str, given: Values, profiles: tuple[str, ...]) -> None:
        values = self._stepper.told_values(self._stepper.values(state, given))
        self._history.append(Position(state, values, profiles, None))
        self._last = None

    def _event(self, text: str) -> None:
        here = self.here
        try:
            own = read_event(self._spec, text).event is None
        except NotationError as error:
            word = text.split()[0].lower()
            near = get_close_matches(word, [*self._words, "quit"], n=1)
            raise StepError(f"'{word}' is no event; did you mean '{near[0]}'?" if near else str(error)) from None
        done = self._stepper.apply(here.state, here.values, text, self._choose, explain=True)
        self._last = done
        if len(done.outcomes) != 1:
            self._offer(done)
            return
        step = done.outcomes[0]
        written = f"may {step.rules[0].id}" if own else done.event
        chosen = {name: value for name, value in self._choose.items() if name in step.open}
        event = Done(written, here.values, step, chosen)
        self._history.append(Position(step.next, step.variables, here.profiles, event))
        self._choose = {name: value for name, value in self._choose.items() if name not in chosen}
        self._write(self._text.path(step))
        self._show(self._text.outcome(step))
        self._show(self._text.changes(dict(here.values), step))
        self._hint()

    def _offer(self, done: Stepped) -> None:
        if not done.outcomes:
            self._say("nothing that it may do of its own accord is possible now")
        for step in done.outcomes:
            moves = f" → {step.next}" if len(step.path) > 1 else ""
            sent = f"  sends {', '.join(step.sent)}" if step.sent else ""
            self._say(f"may {step.rules[0].id}{moves}{sent}")

    def _hint(self) -> None:
        """Name the moves that need no event, since nobody would think of typing them."""
        here = self.here
        done = self._stepper.apply(here.state, here.values, "may", {})
        for step in done.outcomes:
            if len(step.path) > 1:
                self._say(f"of its own accord it may now go to {step.next}: may {step.rules[0].id}", "faint")

    # --------------------------------------------------------------------------------------------------- the words

    def _help(self, _rest: str) -> None:
        message = next(iter(self._spec.messages), None)
        parts = [f"<{message.fields[0].name}=...>"] if message is not None and message.fields else []
        events = ", ".join([*parts, *self.words()[:2], "..."])
        for line in HELP.format(events=events).splitlines():
            self._write(self._style.clean(line))

    def _events(self, _rest: str) -> None:
        for message in self._spec.messages:
            parts = "".join(f"<{item.name}=...>" for item in message.fields)
            flags = f"<CTL={','.join((*message.flags, *message.marks))}>" if message.flags else ""
            self._say(f"{message.name} {parts}{flags}: {message.title}")
        for event in self._spec.events:
            if event.kind not in {"message", "own"}:
                self._say(f"{event}: {event.title}")
        self._say("may: what it does of its own accord")

    def _back(self, _rest: str) -> None:
        if len(self._history) < 2:
            raise StepError("there is nothing to take back")
        left = self._history.pop()
        if self.here.profiles != left.profiles:
            self._stepper = make_stepper(self._spec, self.here.profiles)
        self._choose = {}
        self._last = None
        self._say(f"back in {self.here.state}")

    def _vars(self, _rest: str) -> None:
        self._show(self._text.variables(dict(self.here.values)))

    def _let(self, rest: str) -> None:
        given = assignments(_pairs(rest), "let")
        named = {self._stepper.variable(name): value for name, value in given.items()}
        if not named:
            raise StepError("let NAME=VALUE is needed")
        self._set(self.here.state, {**self.here.values, **named}, self.here.profiles)
        self._say(" ".join(f"{name}={plain(self.here.values[name])}" for name in named))

    def _fix(self, rest: str) -> None:
        choose = assignments(_pairs(rest), "choose")
        if not choose:
            self._choose = {}
            self._say("nothing is fixed for the next event")
            return
        self._choose.update(self._chosen(choose))
        self._say(
            "for the next event that leaves it open: "
            + " ".join(f"{name}={value}" for name, value in self._choose.items())
        )

    def _chosen(self, choose: Values) -> dict[str, int | str | None]:
        """The same choices by the names that the spec spells; StepError for what it never chooses."""
        values = self._stepper.values(self.here.state, self.here.values)
        return {name: value for word, value in choose.items() for name in self._stepper.picks({word: value}, values)}

    def _state(self, rest: str) -> None:
        if rest:
            self._set(self._stepper.state(rest), {}, self.here.profiles)
        title = self._spec.state(self.here.state).title
        self._say(f"{self.here.state}: {title}" if title else self.here.state)

    def _profile(self, rest: str) -> None:
        names = rest.replace(",", " ").split()
        if names:
            profiles = (*self.here.profiles, *names)
            self._stepper = make_stepper(self._spec, profiles)
            self._set(self.here.state, self.here.values, profiles)
        on = active_profiles(self._spec, self.here.profiles)
        for profile in self._spec.profiles:
            self._say(f"{'on ' if profile.name in on else 'off'} {profile.name}: {profile.title}")

    def _why(self, _rest: str) -> None:
        if self._last is None:
            raise StepError("no event has happened here")
        self._show(self._text.tried(self._last.tried))

    def _save(self, rest: str) -> None:
        if not rest:
            raise StepError("save FILE is needed")
        parts = self._parts()
        if not parts:
            raise StepError("there is nothing to save: no event has happened")
        texts = []
        for number, (start, done) in enumerate(parts, 1):
            fitting = make_stepper(self._spec, start.profiles)
            usual = fitting.told_values(fitting.values(start.state, {}))
            let = {name: value for name, value in start.values.items() if usual[name] != value}
            title = "a session" if len(parts) == 1 else f"a session, part {number}"
            texts.append(scenario(title, start.state, let, start.profiles, done))
        try:
            with open(rest, "x", encoding="utf-8", newline="\n") as file:
                file.write("\n".join(texts))
        except ValueError as error:
            raise StepError(f"{rest}: {error}") from None
        self._say(f"{rest}: {counted(sum(len(done) for _, done in parts), 'event')} written")

    def _parts(self) -> list[tuple[Position, list[Done]]]:
        """The events between changes by hand, each with where they began: a scenario sets variables only there."""
        parts: list[tuple[Position, list[Done]]] = []
        start = self._history[0]
        for position in self._history[1:]:
            if position.done is None:
                start = position
            elif parts and parts[-1][0] is start:
                parts[-1][1].append(position.done)
            else:
                parts.append((start, [position.done]))
        return parts

    # ------------------------------------------------------------------------------------------------------ showing

    def _show(self, lines: Iterable[str]) -> None:
        for line in lines:
            self._write(line.rstrip())

    def _say(self, text: str, role: str = "") -> None:
        for line in self._style.wrap(self._style.clean(text), 0):
            self._write(self._style.paint(role, line) if role else line)


def _pairs(text: str) -> list[str]:
    """``A=1, B = 2`` as the words that each say one thing."""
    return re.sub(r"\s*=\s*", "=", text.replace(",", " ")).split()


# ------------------------------------------------------------------------------------------------------- the terminal


def run(
    spec: Spec, profiles: Sequence[str], state: str | None, given: Values, choose: Values, *, color: str = "auto"
) -> int:
    """Read lines from the terminal until the session ends; 0. CommandError for a start that the spec does not have."""
    style = Style.of(sys.stdout, color=wants_color(color, sys.stdout))
    session = Session(spec, profiles, style, print)
    try:
        session.begin(state, given, choose)
    except StepError as error:
        raise CommandError(str(error)) from None
    _prepare(session)
    print(style.clean(f"{spec.name}: {spec.title}. Type an event, 'help' or 'quit'."))
    while True:
        try:
            line = input(f"{session.here.state}> ")
        except EOFError:
            print()
            return 0
        except KeyboardInterrupt:
            print()
            continue
        if not session.do(line):
            return 0


def _prepare(session: Session) -> None:
    """Editing, history and completion, where the system has them; and no octet that stops the session."""
    reconfigure = getattr(sys.stdin, "reconfigure", None)
    if reconfigure is not None:
        reconfigure(errors="backslashreplace")
    with contextlib.suppress(ImportError):
        import readline

        def complete(begun: str, index: int) -> str | None:
            first = not readline.get_line_buffer()[: readline.get_begidx()].strip()
            known = session.words() if first else [*session.words(), *session.names()]
            found = [word for word in known if word.upper().startswith(begun.upper())]
            return found[index] if index < len(found) else None

        readline.set_completer(complete)
        readline.set_completer_delims(" ,=<>")
        readline.parse_and_bind("bind ^I rl_complete" if "libedit" in (readline.__doc__ or "") else "tab: complete")
