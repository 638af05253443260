"""Waiting until all workers are there, before TensorFlow does.

TensorFlow waits for missing workers with Python's interpreter lock held: no thread of this
process would answer /progress or hear SIGTERM. So the workers first meet here: the others
tell the chief that they are ready, at the very address that TensorFlow will use, and it sends
all of them on at once.
"""

from __future__ import annotations

import logging
import selectors
import socket
import time
from collections.abc import Callable
from typing import Final

from trainyard_trainer.errors import ProgramFailed
from trainyard_trainer.pod import Pod

_log = logging.getLogger(__name__)

_GO: Final = b"go\n"
_LONGEST_HELLO: Final = 256
_ANSWER_SECONDS: Final = 5.0
_RETRY_SECONDS: Final = 0.2


def meet(pod: Pod, say: Callable[[str], None]) -> None:
    """Return when all workers of this run and attempt have called it.

    Args:
        say: is told, in words for people, how many are waited for.

    Raises:
        ProgramFailed: the chief cannot listen on its address.
    """
    say(f"waiting for {pod.count - 1} of {pod.count} workers")
    if not pod.is_chief:
        _report_to_chief(pod)
        return
    port = _address(pod.workers[0])[1]
    try:
        server = _listen(port)
    except OSError as error:
        raise ProgramFailed(
            f"cannot listen on port {port} for the other workers ({error.strerror}); "
            "another program may have the port"
        ) from error
    with server:
        _Chief(pod, server, say).gather()


def _hello(pod: Pod, index: int) -> bytes:
    """What a worker says of itself; workers of other attempts are turned away by it."""
    return f"trainyard {pod.namespace}/{pod.job} {pod.run} {pod.attempt} {index}\n".encode()


class _Chief:
    """Collects the others' connections until they are complete."""

    def __init__(self, pod: Pod, server: socket.socket, say: Callable[[str], None]) -> None:
        self._pod = pod
        self._server = server
        self._say = say
        self._expected = {_hello(pod, index): index for index in range(1, pod.count)}
        self._ready: dict[int, socket.socket] = {}

    def gather(self) -> None:
        """Wait for all, then send them on."""
        with selectors.DefaultSelector() as selector:
            selector.register(self._server, selectors.EVENT_READ)
            while len(self._ready) < len(self._expected):
                for key, _ in selector.select():
                    if key.fileobj is self._server:
                        self._welcome(selector)
                    else:
                        self._drop(selector, key.data)
                missing = len(self._expected) - len(self._ready)
                if missing:
                    self._say(f"waiting for {missing} of {self._pod.count} workers")
        for connection in self._ready.values():
            connection.setblocking(True)
            connection.settimeout(_ANSWER_SECONDS)
            _send_on(connection)

    def _welcome(self, selector: selectors.BaseSelector) -> None:
        connection, peer = self._server.accept()
        connection.settimeout(_ANSWER_SECONDS)
        try:
            index = self._expected.get(connection.recv(_LONGEST_HELLO))
        except OSError:
            index = None
        if index is None:
            _log.warning("turned away %s: no worker of this attempt", peer[0])
            connection.close()
            return
        if index in self._ready:
            self._drop(selector, index)
        self._ready[index] = connection
        selector.register(connection, selectors.EVENT_READ, index)

    def _drop(self, selector: selectors.BaseSelector, index: int) -> None:
        """Forget a worker that has gone: it says nothing more while it waits."""
        connection = self._ready.pop(index)
        selector.unregister(connection)
        connection.close()


def _send_on(connection: socket.socket) -> None:
    with connection:
        try:
            connection.sendall(_GO)
            # The other side closes first, so that this port is free for TensorFlow.
            connection.recv(1)
        except OSError as error:
            _log.warning("a worker has gone just now: %s", error)


def _report_to_chief(pod: Pod) -> None:
    hello, chief = _hello(pod, pod.index), _address(pod.workers[0])
    while not _is_sent_on(chief, hello):
        time.sleep(_RETRY_SECONDS)


def _is_sent_on(chief: tuple[str, int], hello: bytes) -> bool:
    """Wait at the chief's; False where it is not there yet, or went away."""
    try:
        with socket.create_connection(chief, timeout=_ANSWER_SECONDS) as connection:
            connection.settimeout(None)
            # A chief whose node is lost would be waited for without end.
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, 10)
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, 5)
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPCNT, 3)
            connection.sendall(hello)
            return connection.recv(len(_GO)) == _GO
    except OSError as error:
        _log.debug("the chief is not there yet: %s", error)
        return False


def _listen(port: int) -> socket.socket:
    if socket.has_dualstack_ipv6():
        try:
            return socket.create_server(
                ("", port), family=socket.AF_INET6, dualstack_ipv6=True, backlog=1024
            )
        except OSError as error:
            _log.debug("no IPv6 here: %s", error)
    return socket.create_server(("", port), backlog=1024)


def _address(worker: str) -> tuple[str, int]:
    host, _, port = worker.rpartition(":")
    return host.strip("[]"), int(port)
