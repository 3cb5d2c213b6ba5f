"""Reading and writing events: what is written can be read again, and nothing that is read can do harm."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tcpmodel.semantics.notation import NotationError, read_event, read_message
from tcpmodel.semantics.stepping import Stepper


@pytest.mark.parametrize(
    ("text", "again"),
    [
        ("<SEQ=100><CTL=SYN>", "<SEQ=100><CTL=SYN>"),
        ("  < SEQ = 0x64 >  <ctl = syn > ", "<SEQ=100><CTL=SYN>"),
        ("<CTL=ACK,FIN,ACK><ACK=2><SEQ=1>", "<SEQ=1><ACK=2><CTL=ACK,FIN>"),
        ("<SEQ=007><CTL=none><DATA=5>", "<SEQ=7><DATA=5>"),
        ("<SEQ=1><DATA=0><CTL=psh,ack><ACK=3>", "<SEQ=1><ACK=3><CTL=PSH,ACK>"),
        ("<SEQ=1><COMPARTMENT=other><WND=9>", "<SEQ=1><WND=9><COMPARTMENT=other>"),
        ("SEG <SEQ=1>", "<SEQ=1>"),
        ("OPEN passive", "OPEN passive"),
        ("open   PASSIVE", "OPEN passive"),
        ("timeout time-wait", "timeout TIME-WAIT"),
        ("notice HARD-ERROR", "notice HARD-ERROR"),
        ("may", "may"),
        ("own accord", "may"),
        ("may syr-25", "may SYR-25"),
    ],
)
def test_events(tcp: Callable[..., Stepper], text: str, again: str) -> None:
    spec = tcp().spec
    assert str(read_event(spec, text)) == again
    assert str(read_event(spec, again)) == again


@pytest.mark.parametrize(
    ("text", "again"),
    [
        ("PING <ID=4>", "PING <ID=4>"),
        ("<ID=4>", "PING <ID=4>"),
        ("DATA <SEQ=4><KIND=secret>", "DATA <SEQ=4><KIND=secret>"),
        ("ping", "PING"),
    ],
)
def test_several_messages_are_told_by_name(link: Stepper, text: str, again: str) -> None:
    assert str(read_event(link.spec, text)) == again


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "no event is given; it has <SEQ=number><CTL=FLAG,FLAG> and OPEN passive, "),
        ("OPEN", "tcp has no event 'OPEN'; it has OPEN passive, OPEN active"),
        ("timeout", "it has timeout USER, timeout RETRANSMISSION"),
        ("timeout TIMEWAIT", "tcp has no event 'timeout TIMEWAIT'; did you mean timeout TIME-WAIT"),
        ("CLOSED", "did you mean CLOSE or SEND?"),
        ("zzz", "tcp has no event 'zzz'; it has <SEQ=number>"),
        ("may XYZ", "tcp has no rule of its own accord 'XYZ'"),
        ("<SEQ=1", "not a message: '<SEQ=1'; it is written as <FIELD=number>...<CTL=FLAG,FLAG>"),
        ("<SEQ=1> and more", "not a message: 'and more'"),
        ("<SEG=1>", "SEG has no field 'SEG'; did you mean SEQ?"),
        ("<SEQ=1><CTL=SIN>", "SEG has no flag 'SIN'; did you mean SYN or FIN?"),
        ("<SEQ=1><SEQ=2>", "<SEQ=...> is given twice"),
        ("<CTL=SYN><CTL=ACK>", "<CTL=...> is given twice"),
        ("<SEQ=4294967296>", "<SEQ=4294967296>: a number from 0 to 4294967295 is needed"),
        ("<SEQ=-1>", "<SEQ=-1>: '-1' is not a number"),
        ("<SEQ=1_0>", "<SEQ=1_0>: '1_0' is not a number"),
        ("<SEQ=\u0661>", "is not a number"),
        ("<SEQ=>", "is not a number"),
        ("<SEQ=1><COMPARTMENT=third>", "<COMPARTMENT=third>: one of same, other is needed"),
        ("<SEQ=1>" * 1000, "an event has at most 4096 characters; this one has 7000"),
    ],
)
def test_what_is_no_event(tcp: Callable[..., Stepper], text: str, said: str) -> None:
    with pytest.raises(NotationError) as raised:
        read_event(tcp().spec, text)
    assert said in str(raised.value)


@given(text=st.text() | st.from_regex(r"\A(<[A-Z]{0,4}=?[\w,. -]{0,12}>?){0,5}\Z"))
def test_any_text_is_an_event_or_an_error(tcp: Callable[..., Stepper], text: str) -> None:
    try:
        read = read_event(tcp().spec, text)
    except NotationError as error:
        assert str(error)
        return
    assert str(read_event(tcp().spec, str(read))) == str(read)


@given(data=st.data())
def test_messages_can_be_read_as_they_are_written(tcp: Callable[..., Stepper], data: st.DataObject) -> None:
    (message,) = tcp().spec.messages
    numbers = st.integers(0, 2**32 - 1)
    fields = {
        item.name: data.draw(numbers)
        if not hasattr(item.type, "words")
        else data.draw(st.sampled_from(item.type.words))
        for item in data.draw(st.lists(st.sampled_from(message.fields), unique=True))
    }
    flags = data.draw(st.sets(st.sampled_from([*message.flags, *message.marks])))
    parts = [f"<{name}={value}>" for name, value in fields.items()] + ([f"<CTL={','.join(flags)}>"] if flags else [])
    text = "".join(data.draw(st.permutations(parts)))
    read = read_message(tcp().spec, text)
    assert read.flags | read.marks == flags
    assert set(read.fields) == set(fields)
    assert read_message(tcp().spec, str(read)).flags == read.flags
    assert str(read_message(tcp().spec, str(read))) == str(read)
