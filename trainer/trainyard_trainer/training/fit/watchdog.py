"""Notices that the training stands still, although every process of it lives.

A worker that hangs, in its device or before it, is one that its peers wait for without an error.
Each worker knows how long its steps take, so each can tell by itself that this one takes too long.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

from trainyard_trainer.errors import Stalled

PATIENCE: Final = 30.0
"""How many times longer than it should a call may take."""
LEAST_SECONDS: Final = 120.0
"""Longer than anything that is ordinary: a checkpoint of a peer, a busy disk, a paused machine."""


class Watchdog:
    """Watches the calls of the graph from a thread of its own."""

    def __init__(
        self,
        bark: Callable[[Stalled], None],
        *,
        patience: float = PATIENCE,
        least_seconds: float = LEAST_SECONDS,
    ) -> None:
        """Args:
        bark: ends this process; called in the watchdog's thread.
        patience: how many times longer than it should a call may take.
        least_seconds: that a call may take in any case.
        """
        self._bark = bark
        self._patience = patience
        self._least_seconds = least_seconds
        self._changed = threading.Condition()
        self._until: float | None = None
        self._step = 0
        threading.Thread(target=self._watch, name="watchdog", daemon=True).start()

    @contextmanager
    def expecting(self, step: int, seconds: float | None) -> Iterator[None]:
        """Within this, a call is made.

        Args:
            step: that it begins at.
            seconds: that it should take; None: nobody knows yet, and nothing is too long.
        """
        if seconds is not None:
            allowed = max(self._patience * seconds, self._least_seconds)
            self._expect(step, time.monotonic() + allowed)
        try:
            yield
        finally:
            self._expect(step, None)

    def _expect(self, step: int, until: float | None) -> None:
        with self._changed:
            self._step, self._until = step, until
            self._changed.notify()

    def _watch(self) -> None:
        with self._changed:
            while True:
                left = None if self._until is None else self._until - time.monotonic()
                if left is not None and left <= 0:
                    break
                self._changed.wait(left)
        self._bark(
            Stalled(
                f"no step after {self._step} for longer than {self._least_seconds:.0f} s and "
                f"{self._patience:.0f} times its pace; a worker or its device hangs"
            )
        )
