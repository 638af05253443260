"""Workers meet before TensorFlow waits for them."""

import json
import socket
import threading
import time
from collections.abc import Callable

import pytest

from trainyard_trainer.errors import ProgramFailed
from trainyard_trainer.pod import Pod
from trainyard_trainer.training import rendezvous

SPEC = {"data": {"source": {"uri": "sklearn://digits"}}, "model": {"architecture": "dense"}}


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


def worker(port: int, index: int, *, attempt: int = 1) -> Pod:
    cluster = {"worker": [f"127.0.0.1:{port}", "127.0.0.1:1", "127.0.0.1:2"]}
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
        self._pod = pod
        self.start()

    def run(self) -> None:
        rendezvous.meet(self._pod, self.said.append)


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
        gone.sendall(rendezvous._hello(worker(port, 1), 1))
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


def test_taken_port_is_told() -> None:
    with socket.create_server(("", 0)) as taken:
        port = int(taken.getsockname()[1])
        with pytest.raises(ProgramFailed, match=str(port)):
            rendezvous.meet(worker(port, 0), lambda _: None)
