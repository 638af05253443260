"""A queue of keys: each is worked on by one worker at a time, and never lost.

Many changes of one job are one piece of work. What fails comes back later and later, but is never
put off for longer than about the time for which it has failed: what happens to a job meanwhile
brings it back early, and that attempt says nothing new if it fails as well. What is due at a time
comes at that time, by a clock that nobody sets.

Not for threads: everything happens in one event loop, and nothing waits between a look at the
queue and what follows from it.
"""

from __future__ import annotations

import asyncio
import heapq
import itertools
import time
from collections import deque
from typing import Generic, TypeVar

K = TypeVar("K")

_BACKOFF_SECONDS = 0.5
_BACKOFF_LIMIT_SECONDS = 60.0
_LONGEST_WAIT = 3600.0


class WorkQueue(Generic[K]):
    """Keys that want work, now or at a time."""

    def __init__(self) -> None:
        self._due: list[tuple[float, int, K]] = []
        """A heap; an entry counts where it is the key's time in `_when`."""
        self._when: dict[K, float] = {}
        self._working: dict[K, tuple[float, float]] = {}
        """Keys that are worked on: since when they were due, and since when that is."""
        self._again: dict[K, float] = {}
        self._failures: dict[K, tuple[int, float]] = {}
        """Of keys whose work failed last: how often it did, each time after the wait that followed
        the time before; and when the wait that follows ends."""
        self._order = itertools.count()
        self._idle: deque[asyncio.Future[K]] = deque()
        """Workers that wait; each is given its key, so that no other wakes up for it."""
        self._timer: asyncio.TimerHandle | None = None

    def __len__(self) -> int:
        return len(self._when)

    def add(self, key: K, at: float = 0.0) -> None:
        """Work on the key at a time (seconds since the epoch), or now; the earliest counts."""
        self._add(key, time.monotonic() + max(0.0, at - time.time()) if at else time.monotonic())

    async def take(self) -> K:
        """The next key that is due; the caller says `done` or `failed` afterwards."""
        key, _ = self._next()
        if key is not None:
            return key
        given: asyncio.Future[K] = asyncio.get_running_loop().create_future()
        self._idle.append(given)
        self._hand_out()
        try:
            return await given
        except asyncio.CancelledError:
            if given.done() and not given.cancelled():
                # It was given a key at the moment in which it was told to end.
                self._give_back(given.result())
            raise

    def waited(self, key: K) -> float:
        """Seconds since a key that is worked on was due."""
        return time.monotonic() - self._working[key][0]

    def longest(self) -> float:
        """Seconds for which a key has been worked on at most; 0 where none is."""
        now = time.monotonic()
        return now - min((begun for _, begun in self._working.values()), default=now)

    def done(self, key: K) -> None:
        """The key was worked on."""
        self._failures.pop(key, None)
        self._release(key)

    def failed(self, key: K) -> float:
        """The work failed: it comes again after a while; the seconds of it."""
        now = time.monotonic()
        count, until = self._failures.get(key, (0, now))
        if now >= until:
            count += 1
        delay = min(_BACKOFF_SECONDS * 2 ** min(count - 1, 16), _BACKOFF_LIMIT_SECONDS)
        self._failures[key] = count, now + delay
        self._release(key)
        self._add(key, now + delay)
        return delay

    def _add(self, key: K, due: float) -> None:
        if key in self._working:
            self._again[key] = min(due, self._again.get(key, due))
            return
        if due >= self._when.get(key, float("inf")):
            return
        self._when[key] = due
        heapq.heappush(self._due, (due, next(self._order), key))
        self._hand_out()

    def _hand_out(self) -> None:
        """Give keys that are due to those who wait, and come again when the next one is."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        while self._idle:
            if self._idle[0].done():
                self._idle.popleft()
                continue
            key, wait = self._next()
            if key is not None:
                self._idle.popleft().set_result(key)
                continue
            if wait is not None:
                loop = asyncio.get_running_loop()
                self._timer = loop.call_later(min(wait, _LONGEST_WAIT), self._hand_out)
            return

    def _give_back(self, key: K) -> None:
        due, _ = self._working.pop(key)
        self._add(key, min(due, self._again.pop(key, due)))

    def _release(self, key: K) -> None:
        self._working.pop(key, None)
        if (due := self._again.pop(key, None)) is not None:
            self._add(key, due)

    def _next(self) -> tuple[K | None, float | None]:
        """A key that is due, from now on worked on; else the seconds until one is."""
        while self._due:
            due, _, key = self._due[0]
            if self._when.get(key) != due:
                heapq.heappop(self._due)
                continue
            now = time.monotonic()
            if due > now:
                return None, due - now
            heapq.heappop(self._due)
            del self._when[key]
            self._working[key] = due, now
            return key, None
        return None, None
