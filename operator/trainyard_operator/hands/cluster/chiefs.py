"""Asks the chiefs of running stages how far they are, beside the decisions.

A chief that is slow or dead costs its own job's progress and nothing else.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass

import aiohttp

from trainyard_api.status import Progress
from trainyard_operator.brain.progress import look_alike
from trainyard_operator.hands.cluster.keys import Key
from trainyard_operator.hands.cluster.workqueue import WorkQueue
from trainyard_operator.hands.progress import read_progress

SIDE_BY_SIDE = 32
FIRST_SECONDS = 1.0
"""How long a chief runs before it is asked: it has nothing to say while it imports TensorFlow."""
SILENT_SECONDS = 300.0
"""Longest time between two questions to a chief that does not answer: a program of one's own need
not tell anything, ever."""
_PATIENCE = 3
"""Questions that a chief may leave unanswered before it is asked less: it may yet be starting."""
_LESS = 4
"""How many times as long each further silence lasts."""


@dataclass(slots=True)
class _Chief:
    address: str
    said: Progress | None = None
    silent: int = 0
    """Questions in a row that it has not answered."""


class Chiefs:
    """What the chiefs of running stages last said."""

    def __init__(
        self, session: aiohttp.ClientSession, changed: Callable[[Key], None], every: float
    ) -> None:
        """Args:
        session: for the questions.
        changed: is called with each job of which a person would see a difference.
        every: seconds between two questions to one chief.
        """
        self._session = session
        self._changed = changed
        self._every = every
        self._chiefs: dict[Key, _Chief] = {}
        self._due: WorkQueue[Key] = WorkQueue()
        self._free = asyncio.Semaphore(SIDE_BY_SIDE)

    def follow(self, key: Key, address: str) -> None:
        """Ask the chief at HOST:PORT from now on; without an address, nobody of the job."""
        known = self._chiefs.get(key)
        if not address:
            self._chiefs.pop(key, None)
        elif known is None or known.address != address:
            self._chiefs[key] = _Chief(address)
            self._due.add(key, time.time() + min(FIRST_SECONDS, self._every))

    def said(self, key: Key) -> Progress | None:
        """What the job's chief last said."""
        chief = self._chiefs.get(key)
        return chief.said if chief is not None else None

    async def ask(self) -> None:
        """Ask until cancelled."""
        async with asyncio.TaskGroup() as questions:
            while True:
                key = await self._due.take()
                await self._free.acquire()
                questions.create_task(self._ask(key))

    async def _ask(self, key: Key) -> None:
        try:
            chief = self._chiefs.get(key)
            if chief is None:
                return
            said = await read_progress(self._session, chief.address)
            if self._chiefs.get(key) is not chief:
                self._due.add(key)
                return
            self._take(key, chief, said)
            self._due.add(key, time.time() + self._pause(chief.silent))
        finally:
            self._due.done(key)
            self._free.release()

    def _pause(self, silent: int) -> float:
        """Seconds until the next question to a chief, by how many it has not answered."""
        longer = self._every * float(_LESS ** max(0, silent - _PATIENCE))
        return min(longer, max(self._every, SILENT_SECONDS))

    def _take(self, key: Key, chief: _Chief, said: Progress | None) -> None:
        if said is None:
            chief.silent = min(chief.silent + 1, 16)
            return
        chief.silent = 0
        before, chief.said = chief.said, said
        if before is None or not look_alike(before, said):
            self._changed(key)
