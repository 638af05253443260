"""The chief's side of the rendezvous: who has come, and whether all agree to go on."""

from __future__ import annotations

import logging
import selectors
import socket
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final

from trainyard_trainer.errors import PeerLost
from trainyard_trainer.pod import Pod
from trainyard_trainer.training.gang import lines

_log = logging.getLogger(__name__)

_MOST_STRANGERS: Final = 128
"""Connections that have not said yet who they are; with more, the oldest is closed."""
_RETRY_SECONDS: Final = 0.2


@dataclass(eq=False)
class _Guest:
    """A connection to the chief.

    Attributes:
        index: of the worker whose it is; None before it has said so.
        until: when it must have said what is due, on the monotonic clock; None: nothing is due.
        agreed: it has answered the question of this round.
    """

    connection: socket.socket
    peer: str
    heard: lines.Lines = field(default_factory=lines.Lines)
    index: int | None = None
    until: float | None = None
    agreed: bool = False


class Reception:
    """Collects the others' connections until all of them agree to go on."""

    def __init__(
        self,
        pod: Pod,
        server: socket.socket,
        selector: selectors.BaseSelector,
        say: Callable[[str], None],
    ) -> None:
        self._count = pod.count
        self._server = server
        self._selector = selector
        self._say = say
        self._expected = {lines.hello(pod, i): i for i in range(1, pod.count)}
        self._guests: list[_Guest] = []
        self._round = 0
        self._asked = False
        self._missing = len(self._expected)

    def gather(self) -> None:
        """Wait for all, then send them on.

        Raises:
            PeerLost: one of them vanished just then.
        """
        self._server.setblocking(False)
        self._selector.register(self._server, selectors.EVENT_READ)
        try:
            while not self._all_agree():
                self._tell_who_is_missing()
                for key, _ in self._selector.select(self._seconds_left()):
                    if key.data is None:
                        self._welcome()
                    elif key.data in self._guests:
                        self._listen_to(key.data)
                self._turn_away_the_silent()
                if not self._asked and len(self._workers()) == len(self._expected):
                    self._ask()
            _send_on(self._workers())
        finally:
            for guest in list(self._guests):
                self._drop(guest)

    def _workers(self) -> list[_Guest]:
        return [guest for guest in self._guests if guest.index is not None]

    def _all_agree(self) -> bool:
        return self._asked and all(guest.agreed for guest in self._workers())

    def _seconds_left(self) -> float | None:
        """Until the first guest has been silent for too long."""
        due = [guest.until for guest in self._guests if guest.until is not None]
        return max(0.0, min(due) - time.monotonic()) if due else None

    def _welcome(self) -> None:
        try:
            connection, peer = self._server.accept()
        except OSError as error:
            # The guest has gone again, or this process may open no more files for now.
            _log.warning("a connection was not accepted: %s", error)
            time.sleep(_RETRY_SECONDS)
            return
        connection.setblocking(False)
        strangers = [guest for guest in self._guests if guest.index is None]
        if len(strangers) >= _MOST_STRANGERS:
            self._drop(strangers[0])
        guest = _Guest(connection, str(peer[0]), until=time.monotonic() + lines.ANSWER_SECONDS)
        self._guests.append(guest)
        self._selector.register(connection, selectors.EVENT_READ, guest)

    def _listen_to(self, guest: _Guest) -> None:
        try:
            piece = guest.connection.recv(lines.LONGEST)
            said = guest.heard.cut(piece)
        except BlockingIOError:
            return
        except (OSError, lines.TooLong):
            self._drop(guest)
            return
        if not piece:
            self._drop(guest)
        for line in said:
            if guest in self._guests:
                self._answer(guest, line)

    def _answer(self, guest: _Guest, line: bytes) -> None:
        if guest.index is None:
            self._recognise(guest, line)
        elif line.startswith(lines.OK):
            # An answer to an earlier question, which was withdrawn, agrees to nothing.
            if self._asked and line == b"%b %d" % (lines.OK, self._round):
                guest.agreed, guest.until = True, None
        else:
            self._drop(guest)

    def _recognise(self, guest: _Guest, line: bytes) -> None:
        index = self._expected.get(line)
        if index is None:
            _log.warning("turned away %s: no worker of this attempt", guest.peer)
            self._drop(guest)
            return
        for earlier in [each for each in self._guests if each.index == index]:
            self._drop(earlier)
        guest.index, guest.until = index, None
        self._tell(guest, lines.WAIT)

    def _ask(self) -> None:
        """Ask all once more; whoever does not answer is waited for again."""
        self._round += 1
        self._asked = True
        for guest in self._workers():
            if not self._asked:
                break  # One is gone: it is waited for first.
            guest.until = time.monotonic() + lines.ANSWER_SECONDS
            self._tell(guest, b"%b %d" % (lines.GO, self._round))

    def _tell(self, guest: _Guest, line: bytes) -> None:
        try:
            guest.connection.sendall(line + b"\n")
        except OSError:
            self._drop(guest)

    def _turn_away_the_silent(self) -> None:
        now = time.monotonic()
        for guest in [g for g in self._guests if g.until is not None and g.until <= now]:
            self._drop(guest)

    def _drop(self, guest: _Guest) -> None:
        """Forget a guest; without a worker, the others' agreement is worth nothing."""
        if guest not in self._guests:
            return
        self._guests.remove(guest)
        self._selector.unregister(guest.connection)
        guest.connection.close()
        if guest.index is not None:
            self._asked = False
            for each in self._workers():
                each.agreed, each.until = False, None

    def _tell_who_is_missing(self) -> None:
        missing = len(self._expected) - len(self._workers())
        if missing != self._missing:
            self._missing = missing
            if missing:
                self._say(f"waiting for {missing} of {self._count} workers")


def _send_on(workers: Sequence[_Guest]) -> None:
    until = time.monotonic() + lines.ANSWER_SECONDS
    lost = [guest.index for guest in workers if not _is_told(guest)]
    lost += [
        guest.index for guest in workers if guest.index not in lost and not _has_left(guest, until)
    ]
    if lost:
        raise PeerLost(f"worker {', '.join(map(str, lost))} vanished when all had agreed to start")


def _is_told(guest: _Guest) -> bool:
    try:
        guest.connection.sendall(lines.NOW + b"\n")
    except OSError:
        return False
    return True


def _has_left(guest: _Guest, until: float) -> bool:
    """Whether a worker has closed its side first, so that this port is free for TensorFlow.

    One that died before it read what it was sent has not closed, but broken the connection.
    """
    try:
        guest.connection.settimeout(max(0.01, until - time.monotonic()))
        return guest.connection.recv(1) == b""
    except OSError:
        return False
