"""Workers meet before TensorFlow waits for them."""

import json
import select
import socket
import struct
import threading
import time
from collections.abc import Callable

import pytest

from tests.ipv6 import needs_ipv6
from trainyard_trainer.errors import PeerLost, ProgramFailed
from trainyard_trainer.pod import Pod
from trainyard_trainer.training.gang import lines, rendezvous

SPEC = {"data": {"source": {"uri": "sklearn://digits"}}, "model": {"architecture": "dense"}}


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


def worker(port: int, index: int, *, attempt: int = 1, host: str = "127.0.0.1") -> Pod:
    cluster = {"worker": [f"{host}:{port}", "127.0.0.1:1", "127.0.0.1:2"]}
    return Pod.from_environment(
        {
            "TRAINYARD_JOB": "digits",
            "TRAINYARD_RUN": "1-a",
            "TRAINYARD_ATTEMPT": str(attempt),
            "TRAINYARD_SPEC": json.dumps(SPEC),
            "TRAINYARD_STORAGE": "file:///nowhere",
            "TF_CONFIG": json.dumps(
                {"cluster": cluster, "task": {"type": "worker", "index": index}}
            ),
        }
    )


class Meeting(threading.Thread):
    """A worker that is waiting."""

    def __init__(self, pod: Pod) -> None:
        super().__init__(daemon=True)
        self.said: list[str] = []
        self.failure: PeerLost | None = None
        self._pod = pod
        self.start()

    def run(self) -> None:
        try:
            rendezvous.meet(self._pod, self.said.append)
        except PeerLost as error:
            self.failure = error


def wait_until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 10
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.01)


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0)])
def test_all_go_on_when_the_last_has_come(order: tuple[int, ...]) -> None:
    port = free_port()
    early = [Meeting(worker(port, index)) for index in order[:2]]
    time.sleep(0.3)
    assert all(each.is_alive() for each in early)
    last = Meeting(worker(port, order[2]))
    for each in (*early, last):
        each.join(10)

    assert not any(each.is_alive() for each in (*early, last))
    with socket.create_server(("127.0.0.1", port)):
        pass  # the port is free for TensorFlow


@needs_ipv6
def test_workers_meet_over_ipv6() -> None:
    port = free_port()
    gang = [Meeting(worker(port, index, host="[::1]")) for index in range(3)]
    for each in gang:
        each.join(10)

    assert not any(each.is_alive() for each in gang)


def test_chief_says_how_many_it_waits_for() -> None:
    port = free_port()
    chief = Meeting(worker(port, 0))
    assert chief.said == [] or chief.said[0] == "waiting for 2 of 3 workers"
    first = Meeting(worker(port, 1))
    wait_until(lambda: chief.said[-1:] == ["waiting for 1 of 3 workers"])
    second = Meeting(worker(port, 2))
    for each in (chief, first, second):
        each.join(10)

    assert not chief.is_alive()


def test_worker_of_another_attempt_is_not_let_in() -> None:
    port = free_port()
    chief = Meeting(worker(port, 0, attempt=2))
    old = Meeting(worker(port, 1, attempt=1))
    Meeting(worker(port, 2, attempt=2))
    wait_until(lambda: chief.said[-1:] == ["waiting for 1 of 3 workers"])
    time.sleep(0.3)
    assert chief.is_alive()
    Meeting(worker(port, 1, attempt=2))
    chief.join(10)

    assert not chief.is_alive()
    assert old.is_alive()


def test_worker_that_went_away_is_waited_for_again() -> None:
    port = free_port()
    chief = Meeting(worker(port, 0))
    wait_until(lambda: bool(chief.said))
    time.sleep(0.2)
    with socket.create_connection(("127.0.0.1", port)) as gone:
        gone.sendall(lines.hello(worker(port, 1), 1) + b"\n")
        wait_until(lambda: chief.said[-1:] == ["waiting for 1 of 3 workers"])
    wait_until(lambda: chief.said[-1:] == ["waiting for 2 of 3 workers"])
    Meeting(worker(port, 2))
    Meeting(worker(port, 1))
    chief.join(10)

    assert not chief.is_alive()


def test_strangers_are_turned_away() -> None:
    port = free_port()
    chief = Meeting(worker(port, 0))
    wait_until(lambda: bool(chief.said))
    time.sleep(0.2)
    with socket.create_connection(("127.0.0.1", port)) as stranger:
        stranger.sendall(b"GET / HTTP/1.1\r\n\r\n")
        assert stranger.recv(10) == b""
    assert chief.is_alive()


def listening(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


class Visitor:
    """A connection to the chief that says what the test wants."""

    def __init__(self, port: int) -> None:
        wait_until(lambda: listening(port))
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=20)
        self._reader = self.socket.makefile("rb")

    def say(self, *pieces: bytes) -> None:
        for piece in pieces:
            self.socket.sendall(piece)
            time.sleep(0.05)

    def hears(self) -> bytes:
        return self._reader.readline()

    def is_turned_away(self) -> bool:
        try:
            return self.hears() == b""
        except ConnectionError:
            return True

    def die(self) -> None:
        """As a killed process does that has not read what it was sent."""
        linger = struct.pack("ii", 1, 0)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        self._reader.close()
        self.socket.close()


def greeting(port: int, index: int) -> bytes:
    return lines.hello(worker(port, index), index) + b"\n"


def test_what_a_worker_says_may_arrive_in_pieces() -> None:
    port = free_port()
    chief = Meeting(worker(port, 0))
    other = Meeting(worker(port, 2))
    slow = Visitor(port)
    hello = greeting(port, 1)
    slow.say(hello[:9], hello[9:20], hello[20:])
    assert slow.hears() == b"wait\n"
    assert slow.hears() == b"go 1\n"
    slow.say(b"o", b"k 1\n")
    assert slow.hears() == b"now\n"
    slow.socket.shutdown(socket.SHUT_RDWR)
    for each in (chief, other):
        each.join(10)

    assert not chief.is_alive()
    assert not other.is_alive()


def test_silent_strangers_hold_nobody_up() -> None:
    port = free_port()
    chief = Meeting(worker(port, 0))
    silent = [Visitor(port) for _ in range(200)]
    workers = [Meeting(worker(port, index)) for index in (1, 2)]
    for each in (chief, *workers):
        each.join(4)

    assert not any(each.is_alive() for each in (chief, *workers))
    assert chief.failure is None
    for stranger in silent:
        stranger.socket.close()


def test_silent_stranger_is_turned_away_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lines, "ANSWER_SECONDS", 0.3)
    port = free_port()
    Meeting(worker(port, 0))
    assert Visitor(port).is_turned_away()


def test_who_talks_without_end_is_turned_away() -> None:
    port = free_port()
    Meeting(worker(port, 0))
    stranger = Visitor(port)
    stranger.say(b"x" * (lines.LONGEST + 1))
    assert stranger.is_turned_away()


@pytest.mark.parametrize("vanishes", ["closes", "is killed", "is silent"])
def test_worker_lost_before_all_agreed_is_waited_for_again(
    vanishes: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lines, "ANSWER_SECONDS", 0.5)
    port = free_port()
    chief, other = Meeting(worker(port, 0)), Meeting(worker(port, 2))
    lost = Visitor(port)
    lost.say(greeting(port, 1))
    assert lost.hears() == b"wait\n"
    assert lost.hears() == b"go 1\n"
    if vanishes == "closes":
        lost.socket.shutdown(socket.SHUT_RDWR)
    elif vanishes == "is killed":
        lost.die()
    wait_until(lambda: chief.said[-1:] == ["waiting for 1 of 3 workers"])
    assert other.is_alive(), "nobody has gone on without it"

    successor = Meeting(worker(port, 1))
    for each in (chief, other, successor):
        each.join(10)
    assert not any(each.is_alive() for each in (chief, other, successor))
    assert chief.failure is None


def test_agreement_to_an_earlier_question_counts_for_nothing() -> None:
    port = free_port()
    chief = Meeting(worker(port, 0))
    late, lost = Visitor(port), Visitor(port)
    late.say(greeting(port, 1))
    lost.say(greeting(port, 2))
    assert [late.hears(), late.hears()] == [b"wait\n", b"go 1\n"]
    lost.socket.shutdown(socket.SHUT_RDWR)
    wait_until(lambda: chief.said[-1:] == ["waiting for 1 of 3 workers"])
    Meeting(worker(port, 2))
    assert late.hears() == b"go 2\n"
    late.say(b"ok 1\n")
    assert chief.is_alive()
    late.say(b"ok 2\n")
    assert late.hears() == b"now\n"


def test_worker_lost_after_all_agreed_ends_the_chief() -> None:
    port = free_port()
    chief, other = Meeting(worker(port, 0)), Meeting(worker(port, 2))
    lost = Visitor(port)
    lost.say(greeting(port, 1))
    assert [lost.hears(), lost.hears()] == [b"wait\n", b"go 1\n"]
    lost.socket.sendall(b"ok 1\n")
    select.select([lost.socket], [], [], 10)  # it has been sent on, and has not read so yet
    lost.die()
    for each in (chief, other):
        each.join(10)

    assert not other.is_alive()
    assert chief.failure is not None
    assert "worker 1 vanished" in str(chief.failure)


def test_worker_that_finds_a_stranger_at_the_chiefs_address_goes_on_looking() -> None:
    port = free_port()
    with socket.create_server(("127.0.0.1", port)) as stranger:
        searching = Meeting(worker(port, 1))
        for word in (b"HTTP/1.1 400 Bad Request\r\n", b"x" * 2000):
            connection, _ = stranger.accept()
            with connection:
                connection.sendall(word)
                connection.recv(1000)
    chief = Meeting(worker(port, 0))
    Meeting(worker(port, 2))
    chief.join(10)
    searching.join(10)

    assert not chief.is_alive()
    assert not searching.is_alive()


def test_taken_port_is_told() -> None:
    with socket.create_server(("", 0)) as taken:
        port = int(taken.getsockname()[1])
        with pytest.raises(ProgramFailed, match=str(port)):
            rendezvous.meet(worker(port, 0), lambda _: None)
