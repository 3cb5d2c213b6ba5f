"""A session: the same words on a terminal, and without one."""

from __future__ import annotations

import os
import re
import select
import signal
import sys
import time
from pathlib import Path

import pytest

from tcpmodel.cli.session import Session
from tcpmodel.model.load import load
from tcpmodel.report.style import Style

BOTH = "ISS=4294967294"


class Played:
    """A session without a terminal, and what it has shown."""

    def __init__(self, spec: str = "tcp", *profiles: str) -> None:
        self.lines: list[str] = []
        self.session = Session(load(spec).spec, profiles, Style(), self.lines.append)

    def __call__(self, *lines: str) -> list[str]:
        """Do these; what the last one has shown."""
        for line in lines:
            self.lines.clear()
            assert self.session.do(line), line
        return list(self.lines)

    @property
    def state(self) -> str:
        return self.session.here.state


def test_the_endpoint_moves() -> None:
    play = Played()
    shown = play(f"choose {BOTH}", "OPEN active")
    assert shown[:2] == ["CLOSED → SYN-SENT", "sends      <SEQ=4294967294><CTL=SYN>"]
    shown = play("<SEQ=4294967295><ACK=4294967295><CTL=SYN,ACK><WND=500>")
    assert shown[0] == "SYN-SENT → ESTABLISHED"
    assert "sends      <SEQ=4294967295><ACK=0><CTL=ACK>  (within ACK-DELAY)" in shown
    assert play("choose n=5", "SEND")[1] == "sends      <SEQ=4294967295><ACK=0><CTL=ACK><DATA=5>"
    assert play("CLOSE")[1] == "sends      <SEQ=4><ACK=0><CTL=FIN,ACK>"
    assert play("<SEQ=0><ACK=5><CTL=FIN,ACK>")[0] == "FIN-WAIT-1 → TIME-WAIT"
    assert play("timeout time-wait")[0] == "TIME-WAIT → CLOSED"


def test_back_and_undo() -> None:
    play = Played()
    play("OPEN passive", "profile linux", "let SND.WND=77", "CLOSE")
    assert play.state == "CLOSED"
    assert play("back") == ["back in LISTEN"]
    assert play.session.here.values["SND.WND"] == 77
    play("undo")
    assert play.session.here.values["SND.WND"] == 0
    assert play.session.here.profiles == ("linux",)
    play("back", "back")
    assert (play.state, play.session.here.profiles) == ("CLOSED", ())
    assert play("back") == ["error: there is nothing to take back"]
    assert play("<SEQ=1><CTL=SYN,FIN>")[0] == "CLOSED (stays)"


def test_a_profile_counts_at_once_and_is_taken_back() -> None:
    play = Played()
    play("state LISTEN", "profile linux", "<SEQ=1><CTL=SYN,FIN>")
    assert play.state == "LISTEN"
    play("back", "back", "<SEQ=1><CTL=SYN,FIN>")
    assert play.state == "SYN-RECEIVED"


def test_moves_that_need_no_event_are_named() -> None:
    play = Played()
    shown = play("OPEN passive", "<SEQ=1><CTL=SYN,FIN>")
    assert shown[-1] == "of its own accord it may now go to CLOSE-WAIT: may SYR-25"
    assert play("may SYR-25")[0] == "SYN-RECEIVED → CLOSE-WAIT"


def test_may_offers_what_there_is(link_file: Path) -> None:
    play = Played(str(link_file))
    assert play("may") == ["nothing that it may do of its own accord is possible now"]
    shown = play("GO", "let OLD=5 NXT=7", "may")
    assert shown == ["may HELLO → IDLE", "may REPEAT  sends DATA <SEQ=5><SIZE=1>"]
    assert play("choose s=6", "may REPEAT")[1] == "sends      DATA <SEQ=6><SIZE=1>"
    assert play("let mood=calm", "may")[0] == "BUSY (stays)"


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("bakc", "error: 'bakc' is no event; did you mean 'back'?"),
        ("KLOSE", "error: tcp has no event 'KLOSE'; did you mean CLOSE?"),
        ("let", "error: let NAME=VALUE is needed"),
        ("let ISS", "error: let ISS: NAME=VALUE is needed"),
        ("let IIS=1", "error: tcp has no variable 'IIS'; did you mean ISS"),
        ("state NOWHERE", "error: tcp has no state 'NOWHERE'"),
        ("profile linus", "error: spec 'tcp' has no profile 'linus'; did you mean linux?"),
        ("choose IRS=1", "error: tcp never chooses IRS freely"),
        ("why", "error: no event has happened here"),
        ("save", "error: save FILE is needed"),
        ("save x", "error: there is nothing to save: no event has happened"),
        ("<SEQ=1><CTL=ACK>", "error: <ACK=...> is missing"),
        ("<SEQ", "error: not a message"),
    ],
)
def test_errors_change_nothing(line: str, said: str) -> None:
    play = Played()
    before = play.session.here
    assert " ".join(play(line)).startswith(said)
    assert play.session.here is before


def test_words() -> None:
    play = Played()
    assert play("   ", "") == []
    assert any(line.startswith("save FILE") for line in play("help"))
    assert play("state") == ["CLOSED: no connection state at all"]
    assert "timeout USER: the user's limit for the whole connection" in play("events")
    assert play("choose") == ["nothing is fixed for the next event"]
    assert any(re.fullmatch(r"  SND\.NXT +\d+ +next number to send", line) for line in play("vars"))
    assert "off linux: Linux" in play("profile")
    play("OPEN active")
    assert any(line.startswith("  ✓ CLO-02") for line in play("why"))
    assert "OPEN active" in play.session.words() and "SND.NXT" in play.session.names()
    assert not play.session.do("quit") and not play.session.do(" EXIT ")


def test_a_choice_waits_for_the_event_that_leaves_it_open() -> None:
    play = Played()
    play("choose iss=500", "STATUS", "OPEN active")
    assert play.session.here.values["ISS"] == 500
    play("ABORT", "OPEN active")
    assert play.session.here.values["ISS"] == 0


def test_save(tmp_path: Path) -> None:
    play = Played()
    file = tmp_path / "session.tcpspec"
    play("OPEN passive", "choose ISS=500", "<SEQ=100><CTL=SYN>", "STATUS", "profile rfc793", "let SND.WND=9", "CLOSE")
    assert play(f"save {file}") == [f"{file}: 4 events written"]
    assert file.read_text(encoding="utf-8") == (
        """\
scenario "a session, part 1" from CLOSED
  OPEN passive                             => LISTEN
  > nothing
  choose ISS = 500
  < <SEQ=100><CTL=SYN>                     => SYN-RECEIVED (ISS = 500, SND.UNA = 500, SND.NXT = 501, IRS = 100, \
RCV.NXT = 101)
  > <SEQ=500><ACK=101><CTL=SYN,ACK>
  STATUS                                   => SYN-RECEIVED
  > nothing
  signal "status"

scenario "a session, part 2" from SYN-RECEIVED with rfc793 let """
        + ", ".join(play_let(play))
        + """
  CLOSE                                    => FIN-WAIT-1 (SND.NXT = 502, FIN.SEQ = 501)
  > <SEQ=501><ACK=101><CTL=FIN,ACK>
"""
    )
    assert play(f"save {file}") == [f"error: {file}: File exists"]
    assert " ".join(play(f"save {tmp_path}/no/such"))[-25:] == "No such file or directory"


def test_a_saved_session_can_be_read_as_scenarios(link_file: Path, tmp_path: Path) -> None:
    """The spec with what was saved is a spec, and each line of it is what the spec does again."""
    from tcpmodel.model.scenario import ChooseLine, EventLine, SentLine, SignalLine
    from tcpmodel.semantics.stepping import Stepper

    play = Played(str(link_file), "fast")
    play("choose NXT=4294967295 GOT=4", "GO", "let OLD=4294967290", "choose s=4294967294", "may REPEAT")
    play("DATA <CTL=HURRY,LAST><SEQ=4><BACK=4294967295><SIZE=3>", "profile no-fast", "<SEQ=4><SIZE=3><KIND=secret>")
    play("may HELLO", "PING <ID=4>", "choose n=7", "GO slow", "timeout T", "let OLD=unset", "notice broken")
    file = tmp_path / "whole.tcpspec"
    play(f"save {tmp_path / 'part'}")
    file.write_text(link_file.read_text("utf-8") + (tmp_path / "part").read_text("utf-8"), "utf-8")
    spec = load(str(file)).spec
    assert [scenario.start for scenario in spec.scenarios] == [("IDLE",), ("BUSY",), ("BUSY",), ("IDLE",)]
    for scenario in spec.scenarios:
        stepper = Stepper(spec, scenario.profiles)
        state, values = scenario.start[0], {name: value for _, name, value in scenario.lets}
        values = stepper.told_values(stepper.values(state, values))
        choose: dict[str, int | str | None] = {}
        sent: list[str] = []
        signals: list[str] = []
        for line in scenario.lines:
            if isinstance(line, ChooseLine):
                choose.update(line.values)
            elif isinstance(line, EventLine):
                assert sent == [] and signals == []
                (step,) = stepper.apply(state, values, line.said, choose).outcomes
                assert step.next == line.state
                assert {**step.variables, **dict(line.values)} == step.variables
                changed = {name for name, value in step.variables.items() if values[name] != value}
                assert changed == set(dict(line.values))
                state, values, choose = step.next, step.variables, {}
                sent, signals = list(step.sent), list(step.signals)
            elif isinstance(line, SentLine):
                assert (line.message is None) == (not sent)
                assert line.message is None or line.message.text == sent.pop(0)
            elif isinstance(line, SignalLine):
                assert line.words == signals.pop(0)


def play_let(play: Played) -> list[str]:
    """What the second part of the scenario has to set: all that is not as it usually is in that state."""
    from tcpmodel.semantics.stepping import Stepper

    stepper = Stepper(play.session._spec, ("rfc793",))
    usual = stepper.told_values(stepper.values("SYN-RECEIVED", {}))
    before = play.session._history[-2].values
    return [f"{name} = {'unset' if v is None else v}" for name, v in before.items() if usual[name] != v]


# ---------------------------------------------------------------------------------------------------- on a terminal

pytestmark_pty = pytest.mark.skipif(not hasattr(os, "fork") or sys.platform == "win32", reason="terminals of POSIX")


class Terminal:
    """The command on a terminal of its own."""

    def __init__(self, folder: Path, *arguments: str) -> None:
        import pty

        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            os.environ.update(NO_COLOR="1", COLUMNS="80", TERM="dumb", PYTHONIOENCODING="utf-8")
            os.chdir(folder)
            # Whoever runs the tests in the background has them inherit that interrupts are ignored.
            signal.signal(signal.SIGINT, signal.SIG_DFL)
            os.execv(sys.executable, [sys.executable, "-m", "tcpmodel", "step", *arguments])
        self.shown = ""

    def until(self, text: str) -> None:
        """Wait for this to be shown after all that was waited for before."""
        end = time.monotonic() + 30
        while text not in self.shown:
            ready, _, _ = select.select([self.fd], [], [], max(0, end - time.monotonic()))
            assert ready, f"not shown: {text!r}; shown: {self.shown!r}"
            try:
                self.shown += os.read(self.fd, 4096).decode()
            except OSError as error:
                raise AssertionError(f"ended before {text!r}: {self.shown!r}") from error
        self.shown = self.shown.partition(text)[2]

    def type(self, text: str) -> None:
        os.write(self.fd, text.encode())

    def end(self) -> int:
        """The exit status."""
        try:
            while os.read(self.fd, 4096):
                pass
        except OSError:
            pass
        os.close(self.fd)
        return os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])


@pytestmark_pty
def test_on_a_terminal(root: Path) -> None:
    terminal = Terminal(root, "--choose", "ISS=100")
    terminal.until("CLOSED> ")
    terminal.type("OPEN active\r")
    terminal.until("CLOSED → SYN-SENT")
    terminal.until("<SEQ=100><CTL=SYN>")
    terminal.until("SYN-SENT> ")
    terminal.type("half a li")
    terminal.until("half a li")
    # Python may sleep through an interrupt that comes while readline is still busy with a letter.
    time.sleep(0.5)
    terminal.type("\x03")
    terminal.until("SYN-SENT> ")
    terminal.type("<SEQ=300><ACK=101><CTL=SYN,ACK>\r")
    terminal.until("ESTABLISHED> ")
    terminal.type("nonsense\r")
    terminal.until("error: ")
    terminal.until("ESTABLISHED> ")
    terminal.type("back\r")
    terminal.until("SYN-SENT> ")
    terminal.type("quit\r")
    assert terminal.end() == 0


@pytestmark_pty
def test_the_end_of_the_input_ends_the_session(root: Path) -> None:
    terminal = Terminal(root, "--state", "LISTEN")
    terminal.until("LISTEN> ")
    terminal.type("\x04")
    assert terminal.end() == 0


@pytestmark_pty
def test_a_session_cannot_start_from_nowhere(root: Path) -> None:
    terminal = Terminal(root, "--state", "NOWHERE")
    terminal.until("tcp has no state 'NOWHERE'")
    assert terminal.end() == 2
