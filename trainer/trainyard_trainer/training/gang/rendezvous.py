"""Waiting until all workers are there, before TensorFlow does.

TensorFlow waits for missing workers with Python's interpreter lock held: no thread of this
process would answer /progress or hear SIGTERM. So the workers first meet here, at the very
address that TensorFlow will use: the others tell the chief that they are ready. When all are, it
asks each once more, and only if all agree within seconds are they sent on; one that is gone by
then is waited for again. What is said, line by line:

    worker: trainyard NAMESPACE/JOB RUN ATTEMPT INDEX      chief: wait
    chief: go ROUND                                        worker: ok ROUND
    chief: now                                             worker closes, and enters TensorFlow

Whoever else connects, says nothing or too much is turned away, and holds nobody up.
"""

from __future__ import annotations

import logging
import selectors
import socket
import time
from collections.abc import Callable
from typing import Final

from trainyard_api.listening import ALL_ADDRESSES, listen
from trainyard_trainer.errors import ProgramFailed
from trainyard_trainer.pod import Pod
from trainyard_trainer.training.gang import lines
from trainyard_trainer.training.gang.reception import Reception

_log = logging.getLogger(__name__)

_RETRY_SECONDS: Final = 0.2


def meet(pod: Pod, say: Callable[[str], None]) -> None:
    """Return when all workers of this run and attempt have called it.

    Args:
        say: is told, in words for people, how many are waited for.

    Raises:
        ProgramFailed: the chief cannot listen on its address.
        PeerLost: a worker vanished when all had agreed to go on.
    """
    say(f"waiting for {pod.count - 1} of {pod.count} workers")
    if not pod.is_chief:
        _report_to_chief(pod)
        return
    port = _address(pod.workers[0])[1]
    try:
        server = listen(ALL_ADDRESSES, port)
    except OSError as error:
        raise ProgramFailed(
            f"cannot listen on port {port} for the other workers ({error.strerror}); "
            "another program may have the port"
        ) from error
    with server, selectors.DefaultSelector() as selector:
        Reception(pod, server, selector, say).gather()


def _report_to_chief(pod: Pod) -> None:
    hello, chief = lines.hello(pod, pod.index) + b"\n", _address(pod.workers[0])
    while not _is_sent_on(chief, hello):
        time.sleep(_RETRY_SECONDS)


def _is_sent_on(chief: tuple[str, int], hello: bytes) -> bool:
    """Wait at the chief's; False where it is not there yet, or went away."""
    try:
        with socket.create_connection(chief, timeout=lines.ANSWER_SECONDS) as connection:
            # A chief whose node is lost would be waited for without end.
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, 10)
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, 5)
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPCNT, 3)
            connection.sendall(hello)
            return _follow(connection)
    except (OSError, lines.TooLong) as error:
        _log.debug("the chief is not there yet: %s", error)
        return False


def _follow(connection: socket.socket) -> bool:
    """Do as the chief says; False where it leaves, or is somebody else."""
    heard = lines.Lines()
    while piece := connection.recv(lines.LONGEST):
        for line in heard.cut(piece):
            if line == lines.NOW:
                return True
            if line == lines.WAIT:
                connection.settimeout(None)
            elif line.startswith(lines.GO + b" "):
                connection.sendall(lines.OK + line[len(lines.GO) :] + b"\n")
            else:
                return False
    return False


def _address(worker: str) -> tuple[str, int]:
    host, _, port = worker.rpartition(":")
    return host.strip("[]"), int(port)
