"""kopf's watch of TrainingJobs.

kopf runs in a thread and an event loop of its own. It takes over the signals of the main thread,
and when it ends, it ends every task of its loop that it does not know. What it hears is handed
over to the operator's loop, in order; nothing else is shared between the two.

kopf ends at whatever it does not expect of the API server, and is started again.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import threading
import time
from collections.abc import Callable
from typing import Any

import kopf
import uvloop

from trainyard_api.names import GROUP, KIND, PLURAL, VERSION
from trainyard_operator.brain.plan import Manifest
from trainyard_operator.hands.cluster.api import Api, ApiError, ApiUnavailable
from trainyard_operator.hands.cluster.connection import login
from trainyard_operator.hands.cluster.storages import NoDiffs, NoProgress

log = logging.getLogger(__name__)

Told = Callable[[str | None, Manifest], None]
"""What is called with each event: its type, None for what a list has; and the job."""

_SERVER_TIMEOUT_SECONDS = 290
_CLIENT_TIMEOUT_SECONDS = 330
_SILENT_SECONDS = 150
"""The API server sends a bookmark every minute; a connection that is silent for longer is dead."""
_CONNECT_TIMEOUT_SECONDS = 10
_CHUNK = 100
"""Jobs of a list at a time: as objects, they need ten times their bytes."""
_IDLE_SECONDS = 0.2
"""kopf keeps the last event of a job, all of it, for as long as its worker idles."""
_BACKOFF_SECONDS = 1.0
_BACKOFF_LIMIT_SECONDS = 30.0
_HEALTHY_SECONDS = 60.0
"""A watch that has run for as long did not fail because of what ended the one before."""
_STOP_SECONDS = 5.0


class JobWatch:
    """The watch, for as long as the operator lives."""

    def __init__(self, api: Api, namespace: str, told: Told) -> None:
        """Args:
        api: the API server.
        namespace: to watch; empty: all.
        told: is called in the loop that runs the watch.
        """
        self._api = api
        self._namespace = namespace
        self._told = told
        self._works_at = time.monotonic()
        self._watches = False
        self.expected: int | None = None
        """How many jobs there were when kopf was first started; None before."""

    def silent_for(self) -> float:
        """Seconds for which there has been no watch."""
        return 0.0 if self._watches else time.monotonic() - self._works_at

    async def run(self) -> None:
        """Watch until cancelled."""
        failures = 0
        while True:
            await self._wait_for_api()
            began = time.monotonic()
            error = await self._run_kopf()
            self._works_at = time.monotonic()
            failures = 1 if self._works_at > began + _HEALTHY_SECONDS else failures + 1
            log.warning("the watch of jobs ended, and is started again: %r", error)
            seconds = min(_BACKOFF_SECONDS * 2 ** min(failures - 1, 16), _BACKOFF_LIMIT_SECONDS)
            await asyncio.sleep(seconds)

    async def _wait_for_api(self) -> None:
        """Wait until the API server serves TrainingJobs: kopf would not see a CRD that comes."""
        said = ""
        while True:
            try:
                count = await self._api.count(KIND, self._namespace or None)
            except (ApiError, ApiUnavailable) as error:
                if str(error) != said:
                    missing = isinstance(error, ApiError) and error.status == 404
                    cure = "; install the CRD (helm does)" if missing else ""
                    log.warning("the API server serves no TrainingJobs: %s%s", error, cure)
                said = str(error)
                await asyncio.sleep(2.0)
            else:
                if self.expected is None:
                    self.expected = count
                return

    async def _run_kopf(self) -> Exception | None:
        """Run kopf until it ends; why it did."""
        loop = asyncio.get_running_loop()
        ended: asyncio.Future[Exception | None] = loop.create_future()

        def end(error: Exception | None) -> None:
            if not ended.done():
                ended.set_result(error)

        life = _Life(self._namespace, loop, self._told, end)
        self._watches = True
        life.start()
        try:
            return await asyncio.shield(ended)
        finally:
            self._watches = False
            life.stop()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(asyncio.shield(ended), _STOP_SECONDS)


class _Life(threading.Thread):
    """kopf, from its start to its end."""

    def __init__(
        self,
        namespace: str,
        home: asyncio.AbstractEventLoop,
        told: Told,
        ended: Callable[[Exception | None], None],
    ) -> None:
        super().__init__(name="kopf", daemon=True)
        self._namespace = namespace
        self._home = home
        self._told = told
        self._ended = ended
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stopped = threading.Event()
        self._stop_flag: asyncio.Event | None = None

    def run(self) -> None:
        """Run it."""
        error: Exception | None = None
        try:
            with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
                runner.run(self._live())
        except Exception as raised:
            error = raised
        self._at_home(self._ended, error)

    def stop(self) -> None:
        """Let it end."""
        self._stopped.set()
        loop, flag = self._loop, self._stop_flag
        if loop is not None and flag is not None:
            with contextlib.suppress(RuntimeError):
                loop.call_soon_threadsafe(flag.set)

    async def _live(self) -> None:
        flag = asyncio.Event()
        self._loop, self._stop_flag = asyncio.get_running_loop(), flag
        if self._stopped.is_set():
            return
        await kopf.operator(
            registry=build_registry(self._tell),
            settings=build_settings(),
            standalone=True,
            clusterwide=not self._namespace,
            namespaces=[self._namespace] if self._namespace else [],
            stop_flag=flag,
        )

    def _tell(self, kind: str | None, job: Manifest) -> None:
        self._at_home(self._told, kind, job)

    def _at_home(self, call: Callable[..., None], *arguments: Any) -> None:
        with contextlib.suppress(RuntimeError):  # Its loop is closed: nobody listens any more.
            self._home.call_soon_threadsafe(call, *arguments)


def build_registry(told: Told) -> kopf.OperatorRegistry:
    """The one handler: it passes on what it hears."""
    registry = kopf.OperatorRegistry()

    async def job_changed(event: dict[str, Any], **_: Any) -> None:
        told(event["type"], event["object"])

    kopf.on.event(GROUP, VERSION, PLURAL, registry=registry)(job_changed)
    kopf.on.login(registry=registry)(login)
    return registry


def build_settings() -> kopf.OperatorSettings:
    """kopf without what it would write, and without what it would work out for other handlers.

    It does not look for CRDs and namespaces that come later: a scan of all CRDs of a cluster
    needs rights and memory.
    """
    settings = kopf.OperatorSettings()
    settings.posting.enabled = False
    settings.scanning.disabled = True
    settings.watching.server_timeout = _SERVER_TIMEOUT_SECONDS
    settings.watching.client_timeout = _CLIENT_TIMEOUT_SECONDS
    settings.watching.inactivity_timeout = _SILENT_SECONDS
    settings.watching.connect_timeout = _CONNECT_TIMEOUT_SECONDS
    settings.watching.chunk_size = _CHUNK
    settings.queueing.idle_timeout = _IDLE_SECONDS
    settings.persistence.diffbase_storage = NoDiffs()
    settings.persistence.progress_storage = NoProgress()
    return settings
