"""Keeps a store up to date: a list, then a watch, for as long as the operator lives.

kopf's own watch ends the operator at most errors of the API server, and filters by label only
after it has received everything. This one asks for the objects of jobs and nothing else, and goes
on after any error from where it was. A watch that is silently dead shows in `silent_since`.
"""

from __future__ import annotations

import asyncio
import logging
import random
import time
from collections.abc import Callable
from typing import Generic, TypeVar

from trainyard_api.names import LABEL_JOB
from trainyard_operator.hands.cluster.api import Api, ApiUnavailable, Expired
from trainyard_operator.hands.cluster.keys import Key
from trainyard_operator.hands.cluster.store import Store
from trainyard_operator.hands.cluster.versions import is_before, number_of

log = logging.getLogger(__name__)

V = TypeVar("V")

_BACKOFF_SECONDS = 0.5
_BACKOFF_LIMIT_SECONDS = 10.0
_SHORT_SECONDS = 1.0
"""A watch that ends within this time and has said nothing was refused by something."""
_EVENTS_AT_A_TIME = 64
"""Events that are taken without letting others have their turn."""


class Informer(Generic[V]):
    """The list and the watch of one kind."""

    def __init__(
        self,
        api: Api,
        kind: str,
        store: Store[V],
        changed: Callable[[Key], None],
        *,
        namespace: str | None = None,
        clock: Callable[[], float] = time.monotonic,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        """Args:
        api: the API server.
        kind: of the objects.
        store: is told what there is.
        changed: is called with each job of which something has changed.
        namespace: of the objects; None: all.
        clock: in seconds.
        jitter: between 0 and 1; spreads the attempts of many watches that have failed at once.
        """
        self._api = api
        self._kind = kind
        self._store = store
        self._changed = changed
        self._namespace = namespace
        self._clock = clock
        self._jitter = jitter
        self._version = ""
        """From where the watch goes on; empty: list first."""
        self._failures = 0
        self._alive_at = clock()
        self.synced = asyncio.Event()
        """Set when the first list has been read."""

    def silent_since(self) -> float:
        """When, by the clock, something was last heard of the API server.

        A bookmark comes every minute where nothing else happens, so minutes of silence are an
        error even if no error shows.
        """
        return self._alive_at

    async def run(self) -> None:
        """List and watch until cancelled."""
        while True:
            try:
                if not self._version:
                    await self._list()
                await self._watch()
            except Exception as error:
                if isinstance(error, Expired):
                    self._version = ""
                await asyncio.sleep(self._failed(error))

    async def _list(self) -> None:
        uids: set[str] = set()
        version = ""
        async for items, moment in self._api.pages(self._kind, self._namespace, LABEL_JOB):
            for key in self._store.page(items, uids):
                self._changed(key)
            version = moment
            self._alive_at = self._clock()
            await asyncio.sleep(0)
        for key in self._store.complete(uids, version):
            self._changed(key)
        self._version = version
        self.synced.set()

    async def _watch(self) -> None:
        """Watch until the API server ends it, as it does every few minutes."""
        began, events = self._clock(), 0
        watch = self._api.watch(self._kind, self._namespace, LABEL_JOB, self._version)
        async for event in watch:
            key = self._store.happened(event)
            version = event.object["metadata"]["resourceVersion"]
            if not is_before(number_of(version), number_of(self._version)):
                self._version = version
            self._works()
            if key is not None:
                self._changed(key)
            events += 1
            if events % _EVENTS_AT_A_TIME == 0:
                await asyncio.sleep(0)
        if not events and self._clock() < began + _SHORT_SECONDS:
            raise ApiUnavailable("the watch ended as soon as it had begun")
        self._works()

    def _works(self) -> None:
        self._alive_at = self._clock()
        if self._failures:
            log.info("the watch of %s goes on", self._kind)
            self._failures = 0

    def _failed(self, error: Exception) -> float:
        """The seconds to wait. Of errors in a row, the first is logged.

        A past that is forgotten is nothing to wait for, unless that is all there ever is.
        """
        failures = self._failures
        self._failures += 1
        forgotten = isinstance(error, Expired)
        if failures == 0:
            level = logging.INFO if forgotten else logging.WARNING
            log.log(level, "the watch of %s failed, and goes on: %r", self._kind, error)
            if forgotten:
                return 0.0
        seconds = min(_BACKOFF_SECONDS * 2 ** min(failures, 16), _BACKOFF_LIMIT_SECONDS)
        return seconds * (1 + self._jitter()) / 2
