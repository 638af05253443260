"""A queue of keys: each is worked on by one worker at a time, and never lost.

Many changes of one job are one piece of work. What fails comes back later and later; what
is due at a time comes at that time.
"""

from __future__ import annotations

import asyncio
import heapq
import itertools
import time
from typing import Generic, TypeVar

K = TypeVar("K")

_BACKOFF_SECONDS = 0.5
_BACKOFF_LIMIT_SECONDS = 60.0


class WorkQueue(Generic[K]):
    """Keys that want work, now or at a time."""

    def __init__(self) -> None:
        self._due: list[tuple[float, int, K]] = []
        self._when: dict[K, float] = {}
        self._working: set[K] = set()
        self._again: dict[K, float] = {}
        self._failures: dict[K, int] = {}
        self._order = itertools.count()
        self._changed = asyncio.Event()

    def __len__(self) -> int:
        return len(self._when)

    def add(self, key: K, at: float = 0.0) -> None:
        """Work on the key at a time (seconds since the epoch), or now; the earliest counts."""
        if key in self._working:
            self._again[key] = min(at, self._again.get(key, at))
            return
        if at >= self._when.get(key, float("inf")):
            return
        self._when[key] = at
        heapq.heappush(self._due, (at, next(self._order), key))
        self._changed.set()

    async def take(self) -> K:
        """The next key that is due; the caller says `done` or `failed` afterwards."""
        while True:
            key, wait = self._next()
            if key is not None:
                self._working.add(key)
                return key
            self._changed.clear()
            try:
                await asyncio.wait_for(self._changed.wait(), wait)
            except TimeoutError:
                continue

    def done(self, key: K) -> None:
        """The key was worked on."""
        self._failures.pop(key, None)
        self._release(key)

    def failed(self, key: K) -> float:
        """The work failed: it comes again after a while; the seconds of it."""
        count = self._failures.get(key, 0)
        self._failures[key] = count + 1
        delay = min(_BACKOFF_SECONDS * 2 ** min(count, 16), _BACKOFF_LIMIT_SECONDS)
        self._release(key)
        self.add(key, time.time() + delay)
        return delay

    def _release(self, key: K) -> None:
        self._working.discard(key)
        if (at := self._again.pop(key, None)) is not None:
            self.add(key, at)

    def _next(self) -> tuple[K | None, float | None]:
        while self._due:
            at, _, key = self._due[0]
            if self._when.get(key) != at:
                heapq.heappop(self._due)
                continue
            if (wait := at - time.time()) > 0:
                return None, wait
            heapq.heappop(self._due)
            del self._when[key]
            return key, None
        return None, None
