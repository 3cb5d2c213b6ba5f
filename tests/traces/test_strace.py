"""Text of strace: prefixes, interrupted lines, descriptors, and what the calls on a socket become."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tcpmodel.traces.logs import sockets
from tcpmodel.traces.records import Event

PEER = '{sa_family=AF_INET, sin_port=htons(80), sin_addr=inet_addr("10.0.0.2")}, 16'
PLAIN = f"""\
socket(AF_INET, SOCK_STREAM|SOCK_CLOEXEC, IPPROTO_IP) = 3
connect(3, {PEER}) = 0
write(3, "GET ) = 7, \\"x\\" /", 14) = 14
read(3, "HTTP", 100) = 4
read(3, "", 100) = 0
close(3) = 0
"""
CALLS = ["socket", "connect", "connected", "send", "recv", "recv 0", "close"]


def names(reading):
    assert reading.error is None
    return [record.name for record in reading.records]


def prefixed(form, text=PLAIN):
    return "".join(form.format(at) + line + "\n" for at, line in enumerate(text.splitlines())).encode()


PREFIXES = {
    "": (None, None),
    "7653 ": (None, None),
    "[pid  7653] ": (None, None),
    "07:46:3{} ": (27990_000_000_000, 27995_000_000_000),
    "7653  07:46:3{}.488606 ": (27990_488_606_000, 27995_488_606_000),
    "[pid 7] 179524719{}.488606 ": (1795247190_488_606_000, 1795247195_488_606_000),
    "     0.00010{} ": (100_000, 615_000),
    "8218  [  4{}] [00007fb417d28dc7] ": (None, None),
    "10:00:00 [ffffffffff600000] ": (36000_000_000_000, 36000_000_000_000),
}


@pytest.mark.parametrize("prefix", PREFIXES)
def test_prefixes(read, prefix):
    reading = read(prefixed(prefix))
    assert names(reading) == CALLS
    assert (reading.trace.format, reading.trace.source, reading.trace.counts_lines) == ("strace", "socket-calls", True)
    assert (reading.records[0].time, reading.records[-1].time) == PREFIXES[prefix]
    assert [record.number for record in reading.records] == [1, 2, 2, 3, 4, 5, 6]
    assert {record.endpoint for record in reading.records} == {reading.records[0].endpoint}


def test_numbers_with_their_names(read):
    """``-X verbose``."""
    text = """\
socket(0x2 /* AF_INET */, 0x1 /* SOCK_STREAM */|0x80000 /* SOCK_CLOEXEC */, 0x6 /* IPPROTO_TCP */) = 3
connect(3, {sa_family=0x2 /* AF_INET */, sin_port="\\x1b\\x59" /* htons(80) */, \
sin_addr="\\x0a\\x42\\x00\\x02" /* inet_addr("10.0.0.2") */}, 16) = 0
shutdown(3, 0x1 /* SHUT_WR */) = 0
"""
    reading = read(text.encode())
    assert names(reading) == ["socket", "connect", "connected", "shutdown SHUT_WR"]
    assert reading.records[-1].remote == "10.0.0.2:80"


def test_how_long_a_call_took_is_added(read):
    accept = (
        'accept4(3<TCP:[1.1.1.1:80]>, {sa_family=AF_INET, sin_port=htons(5), sin_addr=inet_addr("1.1.1.2")}, [16], 0)'
    )
    (one,) = read(f"10.500000 {accept} = 4<TCP:[1.1.1.1:80->1.1.1.2:5]> <2.250000>\n".encode()).records
    (other,) = read(f"10.500000 {accept} = 4<TCP:[1.1.1.1:80->1.1.1.2:5]>\n".encode()).records
    assert (one.time, other.time) == (12_750_000_000, None)
    assert (one.local, one.remote, one.name) == ("1.1.1.1:80", "1.1.1.2:5", "accept")


ENDS = {
    "3": ("0.0.0.0:0", "10.0.0.2:80"),
    "3<socket:[1234]>": ("0.0.0.0:0", "10.0.0.2:80"),
    "3<TCP:[1234]>": ("0.0.0.0:0", "10.0.0.2:80"),
    "3<TCP:[10.0.0.1:40->10.0.0.2:80]>": ("10.0.0.1:40", "10.0.0.2:80"),
    "3<TCPv6:[[2001:db8::1]:40->[2001:db8::2]:80]>": ("[2001:db8::1]:40", "[2001:db8::2]:80"),
    "3<TCPv6:[[::ffff:10.0.0.1]:40->[::ffff:10.0.0.2]:80]>": ("10.0.0.1:40", "10.0.0.2:80"),
}


@pytest.mark.parametrize("descriptor", ENDS)
def test_addresses(read, descriptor):
    head = PLAIN.splitlines()[:2]
    reading = read("\n".join([*head, f'sendto({descriptor}, "x", 1, 0, NULL, 0) = 1']).encode())
    assert (reading.records[-1].local, reading.records[-1].remote) == ENDS[descriptor]
    assert len({record.endpoint for record in reading.records}) == 1


def test_the_names_of_both_ends_are_asked_for(read):
    name = 'getsockname(3, {sa_family=AF_INET, sin_port=htons(40), sin_addr=inet_addr("10.0.0.1")}, [16]) = 0'
    reading = read("\n".join([*PLAIN.splitlines()[:2], name, "shutdown(3, SHUT_WR) = 0"]).encode())
    assert (reading.records[-1].name, reading.records[-1].local) == ("shutdown SHUT_WR", "10.0.0.1:40")


def test_interrupted_lines_are_put_together(read):
    text = (
        f"[pid 1] socket(AF_INET, SOCK_STREAM, 0) = 3\n[pid 1] connect(3, {PEER} <unfinished ...>\n"
        '[pid 2] openat(AT_FDCWD, "/x", O_RDONLY) = 5\n[pid 2] read(5,  <unfinished ...>\n'
        '[pid 1] <... connect resumed>)      = 0\n[pid 2] <... read resumed>"abc", 3) = 3\n'
        "[pid 1] <... write resumed>) = 3\n"
    )
    reading = read(text.encode())
    assert names(reading) == ["socket", "connect", "connected"]
    assert [record.number for record in reading.records] == [1, 5, 5]
    assert reading.skipped["the end of a call whose beginning is not there"] == 1


RESULTS = {
    f"connect(3, {PEER}) = -1 EINPROGRESS (Operation now in progress)": ["connect", "connect EINPROGRESS"],
    f"connect(3, {PEER}) = -1 ECONNREFUSED (Connection refused)": ["connect", "connect ECONNREFUSED"],
    f"connect(3, {PEER}) = -1 EADDRNOTAVAIL (Cannot assign requested address)": ["connect"],
    f"connect(3, {PEER}) = ? ERESTARTSYS (To be restarted if SA_RESTART is set)": [],
    "write(3, NULL, 0) = 0": [],
    'write(3, "x", 1) = -1 EPIPE (Broken pipe)': ["send EPIPE"],
    'sendmsg(3, {msg_name=NULL, msg_iov=[{iov_base="abc", iov_len=3}], msg_iovlen=1}, MSG_NOSIGNAL) = 3': ["send"],
    "sendfile(3, 4, NULL, 1000) = 1000": ["send"],
    "recvfrom(3, 0x7fd0e4a33e30, 10, 0, NULL, NULL) = -1 ECONNRESET (Connection reset by peer)": ["recv ECONNRESET"],
    "recvfrom(3, 0x7f, 10, 0, NULL, NULL) = -1 EAGAIN (Resource temporarily unavailable)": [],
    'recvfrom(3, "x", 1, MSG_PEEK, NULL, NULL) = 1': [],
    'recvmsg(3, {msg_name=NULL, msg_iov=[{iov_base="", iov_len=9}], msg_iovlen=1}, 0) = 0': ["recv 0"],
    'read(3, "", 0) = 0': [],
    'readv(3, [{iov_base="", iov_len=0}], 1) = 0': [],
    "shutdown(3, SHUT_RDWR) = -1 ENOTCONN (Transport endpoint is not connected)": [],
    "getsockopt(3, SOL_SOCKET, SO_ERROR, [0], [4]) = 0": [],
    "getsockopt(3, SOL_SOCKET, SO_ERROR, [ECONNREFUSED], [4]) = 0": ["error ECONNREFUSED"],
    "epoll_wait(3, [], 128, 0) = 0": [],
}


@pytest.mark.parametrize("call", RESULTS)
def test_results(read, call):
    assert names(read(f"socket(AF_INET, SOCK_STREAM, IPPROTO_TCP) = 3\n{call}\n".encode()))[1:] == RESULTS[call]


def test_nothing_is_said_of_the_end_of_the_text_once_nobody_wants_it(read):
    text = 'socket(AF_INET, SOCK_STREAM, 0) = 3\nshutdown(3, SHUT_RD) = 0\nread(3, "", 10) = 0\n'
    assert names(read(text.encode())) == ["socket", "shutdown SHUT_RD"]


def test_a_close_that_throws_away(read):
    linger = "setsockopt(3, SOL_SOCKET, SO_LINGER, {l_onoff=1, l_linger=0}, 8) = 0\nclose(3) = 0\n"
    assert names(read(f"socket(AF_INET, SOCK_STREAM, 0) = 3\n{linger}".encode())) == ["socket", "close abort"]


@pytest.mark.parametrize(
    ("calls", "closes"),
    [
        ("dup(3) = 4\nclose(3) = 0", 0),
        ("dup(3) = 4\nclose(3) = 0\nclose(4) = 0", 1),
        ("dup2(3, 3) = 3\nclose(3) = 0", 1),
        ("fcntl(3, F_DUPFD_CLOEXEC, 10) = 10\nclose(10) = 0\nclose(3) = 0", 1),
        ("fork() = 9\nclose(3) = 0", 0),
        ("fork() = 9\nclose(3) = 0\n9 close(3) = 0", 1),
        ("clone(child_stack=NULL, flags=CLONE_CHILD_SETTID|SIGCHLD) = 9\nclose(3) = 0\n9 +++ exited with 0 +++", 1),
        ("clone3({flags=CLONE_VM|CLONE_FILES|CLONE_THREAD}, 88) = 9\n9 close(3) = 0", 1),
        ("clone3({flags=CLONE_VM|CLONE_FILES|CLONE_THREAD}, 88) = 9\n9 +++ exited with 0 +++\nclose(3) = 0", 1),
        ("+++ exited with 0 +++", 1),
        ("close(3) = -1 EBADF (Bad file descriptor)", 0),
    ],
)
def test_only_the_last_copy_closes(read, calls, closes):
    lines = ["socket(AF_INET, SOCK_STREAM, 0) = 3", *calls.splitlines()]
    text = "".join(line + "\n" if line.startswith("9 ") else f"8 {line}\n" for line in lines)
    assert names(read(text.encode())).count("close") == closes


def test_a_descriptor_serves_another_socket_later(read):
    reading = read((PLAIN + PLAIN).encode())
    assert names(reading) == CALLS * 2
    assert len({record.endpoint for record in reading.records}) == 2


def test_a_socket_that_failed_may_be_asked_again(read):
    refused = f"connect(3, {PEER}) = -1 ECONNREFUSED (Connection refused)\n"
    reading = read(f"socket(AF_INET, SOCK_STREAM, 0) = 3\n{refused}{refused}".encode())
    assert names(reading) == ["socket", *["connect", "connect ECONNREFUSED"] * 2]
    assert len({record.endpoint for record in reading.records}) == 2


def test_asking_again_whether_it_is_connected_asks_for_no_other(read):
    wait = f"connect(3, {PEER}) = -1 EINPROGRESS (Operation now in progress)\n"
    done = f"connect(3, {PEER}) = -1 EISCONN (Transport endpoint is already connected)\n"
    assert names(read(f"socket(AF_INET, SOCK_STREAM, 0) = 3\n{wait}{done}".encode())) == [
        *("socket", "connect", "connect EINPROGRESS", "connected"),
    ]


def test_udp(read):
    text = f"""\
socket(AF_INET, SOCK_DGRAM|SOCK_CLOEXEC, IPPROTO_IP) = 3
sendto(3, "abc", 3, 0, {PEER}) = 3
connect(3, {PEER}) = 0
send(3, "", 0, 0) = 0
recvfrom(3, "", 10, 0, NULL, NULL) = 0
connect(3, {{sa_family=AF_UNSPEC}}, 16) = 0
close(3) = 0
"""
    reading = read(text.encode())
    assert names(reading) == ["socket", "sendto", "connect", "send", "recv", "disconnect", "close"]
    assert {record.protocol for record in reading.records} == {"udp"}


@pytest.mark.parametrize(
    "call",
    [
        "socket(AF_UNIX, SOCK_STREAM|SOCK_CLOEXEC, 0) = 3",
        "socket(AF_INET, SOCK_RAW, IPPROTO_ICMP) = 3",
        "socket(AF_INET, SOCK_STREAM, IPPROTO_SCTP) = 3",
        "socket(AF_INET, SOCK_STREAM, 0) = -1 EMFILE (Too many open files)",
    ],
)
def test_other_sockets(read, call):
    reading = read(f'{call}\nwrite(3, "x", 1) = 1\nclose(3) = 0\n'.encode())
    assert reading.records == []


def test_what_is_not_read_is_counted(read):
    reading = read((PLAIN + "--- SIGCHLD {si_signo=SIGCHLD} ---\nepoll_wait(4, [], 1, 0) = 0\nFoo\n").encode())
    assert reading.skipped == {"another call": 1, "not a line of strace (the first is line 9)": 1}


@pytest.mark.parametrize("piece", [1, 13, 4096])
def test_pieces(read, samples, piece):
    data = (samples / "logs" / "lab" / "half-close" / "strace_server.log").read_bytes()
    whole, cut = read(data), read(data, piece)
    assert (whole.records, whole.skipped) == (cut.records, cut.skipped)


def test_lab(read, samples):
    reading = read((samples / "logs" / "lab" / "rst-abort-client" / "strace_server.log").read_bytes())
    of_child = [record for record in reading.records if record.remote == "10.77.1.2:43816"]
    assert [record.name for record in of_child] == ["accept", "recv", "recv ECONNRESET", "close"]
    assert [record.name for record in reading.records if record not in of_child] == [
        "socket",
        "bind",
        "listen",
        "close",
    ]


WORDS = st.sampled_from(
    [
        *("socket(AF_INET, SOCK_STREAM, 0) = 3", "close(3) = 0", "dup(3) = 4", "fork() = 9", "+++ exited with 0 +++"),
        *(f"connect(3, {PEER}) = 0", "<unfinished ...>", "<... connect resumed>) = 0", "connect(3, <unfinished ...>"),
        *('read(3<TCP:[1.1.1.1:1->2.2.2.2:2]>, "", 9) = 0', "accept(3, NULL, NULL) = 5", "9 ", "[pid 9] ", "\n", " = "),
        *("12:00:00 ", ")", "(", '"', "<TCP:[", "]>", "18446744073709551616", "-1 EPIPE", "99999999999999999999999"),
    ]
)


@given(st.lists(WORDS, max_size=30), st.integers(1, 50))
def test_any_text(read, words, piece):
    data = ("close(7) = 0\n" + "".join(words)).encode()
    whole, cut = read(data), read(data, piece)
    assert (whole.records, whole.skipped) == (cut.records, cut.skipped)
    assert all(isinstance(record, Event) for record in whole.records)


def test_on_a_terminal_the_first_process_gets_its_name_late(read):
    text = f"""\
socket(AF_INET, SOCK_STREAM, 0) = 3
clone3({{flags=CLONE_VM|CLONE_FILES|CLONE_THREAD}}, 88) = 9
[pid 9] connect(3, {PEER} <unfinished ...>
[pid 8] write(3, "x", 1) = 1
[pid 9] <... connect resumed>) = 0
[pid 9] +++ exited with 0 +++
close(3) = 0
"""
    reading = read(text.encode())
    assert names(reading) == ["socket", "send", "connect", "connected", "close"]
    assert len({record.endpoint for record in reading.records}) == 1


def test_processes_that_fork_without_end_are_forgotten(monkeypatch):
    monkeypatch.setattr(sockets, "MOST_SOCKETS", 100)
    processes = sockets.Processes()
    for descriptor in range(60):
        processes.opened("1", descriptor, "tcp", "", descriptor)
    for child in range(2, 400):
        processes.forked("1", str(child), shared=False)
        assert processes._count == sum(len(table) for table in processes._tables.values()) <= 100
    for child in range(400, 800):
        processes.forked("1", str(child), shared=True)
        assert len(processes._tables) <= 100
    for process in list(processes._tables):
        processes.ended(process)
    assert not processes._tables
