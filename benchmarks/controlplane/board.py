"""What becomes of the jobs, and when, as somebody sees it who watches them.

The times of the objects themselves are whole seconds: too coarse for what is measured here.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from benchmarks.controlplane.api import Api, Object
from trainyard_api.names import API_VERSION, LABEL_JOB, PLURAL

STALL_SECONDS = 180.0
LOOK_SECONDS = 0.05
SAY_SECONDS = 5.0

log = logging.getLogger(__name__)


class Stalled(Exception):
    """Nothing moves any more, or something failed: the figures would mean nothing."""


@dataclass
class PodTimes:
    """When a pod was seen to be there, to run and to have ended; seconds of a steady clock."""

    created: float
    running: float | None = None
    ended: float | None = None


@dataclass
class JobTimes:
    """When a job was seen to be there and to have succeeded, and its pods."""

    created: float
    succeeded: float | None = None
    pods: dict[str, PodTimes] = field(default_factory=dict)

    def parts(self) -> Parts | None:
        """Returns how long it took, part by part; None of a job that has not run to its end."""
        running = [pod.running for pod in self.pods.values() if pod.running is not None]
        ended = [pod.ended for pod in self.pods.values() if pod.ended is not None]
        if self.succeeded is None or not running or not ended:
            return None
        there = max(pod.created for pod in self.pods.values())
        return Parts(
            pods=there - self.created,
            running=max(running) - there,
            end=max(0.0, self.succeeded - max(ended)),
        )


@dataclass(frozen=True)
class Parts:
    """The seconds of a job that are not its program's.

    Attributes:
        pods: from its creation until the last of its pods was there: the operator's.
        running: until the last of them ran: the scheduler's and the nodes'.
        end: from the end of the last until the job had succeeded: the operator's.
    """

    pods: float
    running: float
    end: float

    @property
    def all(self) -> float:
        """All of them: what the job took, less the time in which all its pods ran."""
        return self.pods + self.running + self.end


class Board:
    """Keeps the times of all jobs of a namespace.

    Args:
        api: to watch by.
        namespace: of the jobs.
    """

    def __init__(self, api: Api, namespace: str) -> None:
        self._api = api
        self._namespace = namespace
        self.jobs: dict[str, JobTimes] = {}
        self.failures: list[str] = []
        self.pods = self.running = self.succeeded = 0

    async def watch(self) -> None:
        """Watches, for ever."""
        jobs = f"/apis/{API_VERSION}/namespaces/{self._namespace}/{PLURAL}"
        pods = f"/api/v1/namespaces/{self._namespace}/pods"
        await asyncio.gather(
            self._api.watch(jobs, "", self.on_job), self._api.watch(pods, LABEL_JOB, self.on_pod)
        )

    async def wait(self, what: str, wanted: int, look: Callable[[], int]) -> None:
        """Waits until `look` gives `wanted`.

        Raises:
            Stalled: a job failed, or the number has not changed for minutes.
        """
        seen, moved, said = -1, time.monotonic(), time.monotonic()
        while (number := look()) < wanted:
            now = time.monotonic()
            if self.failures:
                raise Stalled(f"a job failed: {self.failures[0]}")
            if number != seen:
                seen, moved = number, now
            elif now > moved + STALL_SECONDS:
                raise Stalled(f"{number} of {wanted} {what} since {STALL_SECONDS:.0f} s")
            if now > said + SAY_SECONDS:
                said = now
                log.info("%d of %d %s", number, wanted, what)
            await asyncio.sleep(LOOK_SECONDS)

    def on_job(self, _kind: str, job: Object) -> None:
        """Takes note of a job's event."""
        now, name = time.monotonic(), job["metadata"]["name"]
        times = self.jobs.setdefault(name, JobTimes(now))
        status = job.get("status", {})
        if status.get("phase") == "Succeeded" and times.succeeded is None:
            times.succeeded = now
            self.succeeded += 1
        elif status.get("phase") == "Failed":
            self.failures.append(f"{name}: {status.get('conditions')}")

    def on_pod(self, _kind: str, pod: Object) -> None:
        """Takes note of a pod's event."""
        now, metadata = time.monotonic(), pod["metadata"]
        # The two watches are not in step: a pod may be seen before its job.
        job = self.jobs.setdefault(metadata["labels"][LABEL_JOB], JobTimes(now))
        if metadata["name"] not in job.pods:
            job.pods[metadata["name"]] = PodTimes(now)
            self.pods += 1
        times, phase = job.pods[metadata["name"]], pod["status"].get("phase")
        if phase == "Running" and times.running is None:
            times.running = now
            self.running += 1
        elif phase in ("Succeeded", "Failed") and times.ended is None:
            times.ended = now
