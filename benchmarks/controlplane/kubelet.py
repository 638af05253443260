"""Plays the kubelets of all nodes: pods that are placed run for a while, and succeed.

    python -m benchmarks.controlplane.kubelet --server URL --pki FOLDER --address IP

A process of its own, so that its CPU is not taken for the driver's. Says `ready` once there are
nodes; ends by SIGTERM.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import logging
import signal
import time
from collections.abc import Coroutine
from pathlib import Path

import uvloop

from benchmarks.controlplane.api import Access, Api, ApiError, Object
from benchmarks.controlplane.nodes import create_nodes, keep_ready, utc
from benchmarks.controlplane.progress import serve_progress
from trainyard_api.names import LABEL_JOB, LABEL_STAGE
from trainyard_api.results import TerminationMessage, TrainResult
from trainyard_api.status import Artifact

GONE = frozenset({404, 409})
"""Answers to who would move a pod that somebody else has removed."""


def train_message() -> str:
    """Returns what a trainer that has done its work leaves behind."""
    artifact = Artifact(uri="pvc://trainyard-artifacts/x", sha256="0" * 64)
    metrics = dict.fromkeys(("accuracy", "precision", "recall", "f1"), 0.9)
    result = TrainResult(
        metrics=metrics, examples=1000, epochs=5, steps=100, model=artifact, keras=artifact
    )
    return TerminationMessage(train=result).encode()


class Kubelet:
    """Moves pods on.

    Args:
        api: to do so by.
        address: of every pod.
        pod_seconds: how long a pod runs; None: for ever.
    """

    def __init__(self, api: Api, address: str, pod_seconds: float | None) -> None:
        self._api = api
        self._address = address
        self._pod_seconds = pod_seconds
        self._message = train_message()
        self._begun: set[str] = set()
        self._removed: set[str] = set()
        self._tasks: set[asyncio.Task[None]] = set()

    async def play(self) -> None:
        """Plays, for ever."""
        await self._api.watch("/api/v1/pods", LABEL_JOB, self.on_pod)

    def on_pod(self, kind: str, pod: Object) -> None:
        """Takes up what an event of a pod asks for."""
        metadata, uid = pod["metadata"], pod["metadata"]["uid"]
        if kind == "DELETED":
            self._begun.discard(uid)
            self._removed.discard(uid)
        elif metadata.get("deletionTimestamp") and uid not in self._removed:
            self._removed.add(uid)
            self._do(self._remove(metadata))
        elif pod["spec"].get("nodeName") and uid not in self._begun:
            self._begun.add(uid)
            if pod["status"].get("phase") == "Pending":
                self._do(self._run(pod))

    def _do(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._done)

    def _done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        error = None if task.cancelled() else task.exception()
        if error is not None and not (isinstance(error, ApiError) and error.status in GONE):
            logging.error("a pod is left as it is: %r", error)

    async def _run(self, pod: Object) -> None:
        path, began = f"{_path(pod['metadata'])}/status", time.time()
        await self._api.patch(path, {"status": self._running(pod, began)})
        if self._pod_seconds is not None:
            await asyncio.sleep(self._pod_seconds)
            await self._api.patch(path, {"status": self._succeeded(pod, began)})

    async def _remove(self, metadata: Object) -> None:
        options = {"gracePeriodSeconds": 0, "preconditions": {"uid": metadata["uid"]}}
        await self._api.delete(_path(metadata), options)

    def _running(self, pod: Object, began: float) -> Object:
        return {
            "phase": "Running",
            "startTime": utc(began),
            "hostIP": self._address,
            "podIP": self._address,
            "podIPs": [{"ip": self._address}],
            "conditions": _conditions(began, ready=True),
            "containerStatuses": [_container(pod, {"running": {"startedAt": utc(began)}})],
        }

    def _succeeded(self, pod: Object, began: float) -> Object:
        now = time.time()
        trains = pod["metadata"]["labels"].get(LABEL_STAGE) == "train"
        ended = {
            "exitCode": 0,
            "reason": "Completed",
            "message": self._message if trains else "",
            "startedAt": utc(began),
            "finishedAt": utc(now),
        }
        return {
            "phase": "Succeeded",
            "conditions": _conditions(now, ready=False),
            "containerStatuses": [_container(pod, {"terminated": ended})],
        }


def _path(metadata: Object) -> str:
    return f"/api/v1/namespaces/{metadata['namespace']}/pods/{metadata['name']}"


def _conditions(now: float, *, ready: bool) -> list[Object]:
    state = {"status": str(ready), "lastTransitionTime": utc(now)}
    if not ready:
        state["reason"] = "PodCompleted"
    return [{"type": kind, **state} for kind in ("Ready", "ContainersReady")]


def _container(pod: Object, state: Object) -> Object:
    return {
        "name": pod["spec"]["containers"][0]["name"],
        "image": pod["spec"]["containers"][0]["image"],
        "imageID": "played",
        "ready": "running" in state,
        "restartCount": 0,
        "state": state,
    }


async def play(access: Access, address: str, pod_seconds: float | None, *, progress: bool) -> None:
    """Makes the nodes, says so, and plays until it is cancelled."""
    async with Api(access) as api, contextlib.AsyncExitStack() as stack:
        await create_nodes(api, address)
        if progress:
            await stack.enter_async_context(serve_progress(address))
        print("ready", flush=True)
        await asyncio.gather(keep_ready(api), Kubelet(api, address, pod_seconds).play())


async def until_terminated(work: Coroutine[None, None, None]) -> None:
    """Does the work until SIGTERM."""
    task = asyncio.ensure_future(work)
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    with contextlib.suppress(asyncio.CancelledError):
        await task


def main() -> None:
    """Reads the arguments and plays."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--server", required=True, help="the API server's URL")
    parser.add_argument("--pki", required=True, type=Path, help="the folder of its certificates")
    parser.add_argument("--address", required=True, help="address of all nodes and pods")
    parser.add_argument("--pod-seconds", type=float, help="how long a pod runs; default: for ever")
    parser.add_argument("--progress", action="store_true", help="answer who asks how far pods are")
    given = parser.parse_args()
    access = Access(given.server, given.pki)
    work = play(access, given.address, given.pod_seconds, progress=given.progress)
    uvloop.run(until_terminated(work))


if __name__ == "__main__":
    main()
