"""Writing checkpoints beside the training.

The chief's disk would hold up every worker: what is to be written is a copy, so the steps go on
while a thread of its own puts it on the disk. A snapshot that still waits is replaced by a newer
one, which holds all that it does: a slow disk makes checkpoints rarer, never the training slower,
and at most two copies exist.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from types import TracebackType
from typing import Self

from trainyard_trainer.errors import TrainerError
from trainyard_trainer.training.checkpoints.snapshot import Snapshot

_log = logging.getLogger(__name__)


class Writer:
    """Writes snapshots in a thread of its own, one at a time.

    Left as a context it waits for what was handed over, also where the training failed.
    """

    def __init__(self, write: Callable[[Snapshot], None]) -> None:
        """Args:
        write: puts a snapshot in its place; called in the writer's thread.
        """
        self._write = write
        self._changed = threading.Condition()
        self._waiting: Snapshot | None = None
        self._is_writing = False
        self._failure: BaseException | None = None
        self._is_closed = False
        self._thread = threading.Thread(target=self._work, name="checkpoints", daemon=True)
        self._thread.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            self.drain()
        except TrainerError as failure:
            if error is None:
                raise
            _log.error("the last checkpoint was not written: %s", failure)
        finally:
            with self._changed:
                self._is_closed = True
                self._changed.notify_all()
            self._thread.join()

    def save(self, snapshot: Snapshot) -> None:
        """Hand over what shall be written; nobody may change its arrays any more.

        Raises:
            TrainerError: an earlier one could not be written, for example StoreUnavailable.
        """
        with self._changed:
            self._raise_failure()
            if self._waiting is not None:
                _log.warning(
                    "the checkpoint of step %d is left out: the one before is still being written",
                    self._waiting.step,
                )
            self._waiting = snapshot
            self._changed.notify_all()

    def drain(self, seconds: float | None = None) -> None:
        """Return when all that was handed over is on the disk.

        Args:
            seconds: to wait at most; None: as long as it takes.

        Raises:
            TrainerError: it could not be written.
        """
        until = None if seconds is None else time.monotonic() + seconds
        with self._changed:
            while self._failure is None and (self._is_writing or self._waiting is not None):
                left = None if until is None else until - time.monotonic()
                if left is not None and left <= 0:
                    return
                self._changed.wait(left)
            self._raise_failure()

    def _raise_failure(self) -> None:
        if self._failure is not None:
            raise self._failure

    def _work(self) -> None:
        while (snapshot := self._next()) is not None:
            try:
                self._write(snapshot)
            except BaseException as error:  # It is raised again where the training hears of it.
                self._done(error)
                return
            del snapshot  # Its copy is given back before the next one comes.
            self._done(None)

    def _next(self) -> Snapshot | None:
        with self._changed:
            while self._waiting is None and not self._is_closed:
                self._changed.wait()
            snapshot, self._waiting = self._waiting, None
            self._is_writing = snapshot is not None
            return snapshot

    def _done(self, failure: BaseException | None) -> None:
        with self._changed:
            self._is_writing, self._failure = False, failure
            self._changed.notify_all()
