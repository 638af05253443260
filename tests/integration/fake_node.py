"""Plays scheduler and kubelet: pods of the real API server run, end and fail as a test says."""

from __future__ import annotations

import contextlib
import json
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from kubernetes import client, config

from trainyard_api.names import LABEL_ATTEMPT, LABEL_INDEX, LABEL_JOB, LABEL_STAGE, PORT_HTTP
from trainyard_api.results import CompressResult, TerminationMessage, TrainResult
from trainyard_api.status import Artifact, Candidate, Measured, Progress
from trainyard_operator.brain.times import to_text

ADDRESS = "127.0.0.1"
ARTIFACT = Artifact(uri="pvc://trainyard-artifacts/x", sha256="0" * 64)


@dataclass(frozen=True)
class PodId:
    """Which pod of a job it is."""

    job: str
    stage: str
    attempt: int
    index: int


@dataclass(frozen=True)
class Outcome:
    """What becomes of a pod."""

    exit_code: int = 0
    message: str = ""
    after: float = 0.2
    """Seconds it runs."""
    waiting: str = ""
    """It never runs, for this reason."""


def train_message(accuracy: float = 0.9) -> str:
    """What a trainer that has done its work leaves behind."""
    metrics = {"accuracy": accuracy, "precision": accuracy, "recall": accuracy, "f1": accuracy}
    result = TrainResult(
        metrics=metrics, examples=1000, epochs=5, steps=100, model=ARTIFACT, keras=ARTIFACT
    )
    return TerminationMessage(train=result).encode()


def compress_message() -> str:
    """What a compressor that has done its work leaves behind."""
    winner = Candidate(
        name="int8", bytes=100, accuracy=0.9, latencyMicroseconds=10.0, accepted=True
    )
    result = CompressResult(
        original=Measured(bytes=1000, accuracy=0.9, latencyMicroseconds=500.0),
        candidates=[winner],
        winner="int8",
        withinBudget=True,
        compressed=ARTIFACT,
    )
    return TerminationMessage(compress=result).encode()


def good_outcome(pod: PodId) -> Outcome:
    """All goes well."""
    messages = {"train": train_message(), "compress": compress_message()}
    return Outcome(message=messages.get(pod.stage, ""))


@dataclass
class FakeNode:
    """Moves the pods of a namespace on, a few times a second."""

    kubeconfig: Path
    namespace: str
    outcome: Callable[[PodId], Outcome | None] = good_outcome
    """None: the pod runs on."""
    started: dict[str, float] = field(default_factory=dict)
    seen: set[str] = field(default_factory=set)
    """Names of all pods that ever ran."""

    def __post_init__(self) -> None:
        api = config.new_client_from_config(str(self.kubeconfig))
        self._core = client.CoreV1Api(api)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """End."""
        self._stop.set()
        self._thread.join()

    def disrupt(self, name: str, reason: str) -> None:
        """Evict a pod: the condition first, then the deletion, as a cluster does it."""
        condition = {"type": "DisruptionTarget", "status": "True", "reason": reason}
        self._patch(name, {"conditions": [condition]})
        with contextlib.suppress(client.exceptions.NotFoundException):
            # The operator, which has seen the condition, may have been faster.
            self._core.delete_namespaced_pod(name, self.namespace)

    def _run(self) -> None:
        while not self._stop.wait(0.1):
            for pod in self._core.list_namespaced_pod(
                self.namespace, label_selector=LABEL_JOB
            ).items:
                try:
                    self._move_on(pod)
                except client.ApiException as error:
                    if error.status not in (404, 409):
                        raise

    def _move_on(self, pod: Any) -> None:
        labels, name = pod.metadata.labels, pod.metadata.name
        who = PodId(
            job=labels[LABEL_JOB],
            stage=labels[LABEL_STAGE],
            attempt=int(labels.get(LABEL_ATTEMPT, "1")),
            index=int(labels.get(LABEL_INDEX, "0")),
        )
        container = pod.spec.containers[0].name
        if pod.status.phase == "Pending":
            self._begin(name, who, container)
        elif pod.status.phase == "Running" and who.stage != "serve":
            self._end(name, who, container)

    def _begin(self, name: str, who: PodId, container: str) -> None:
        outcome = self.outcome(who)
        if outcome is not None and outcome.waiting:
            waiting = {"reason": outcome.waiting, "message": outcome.message}
            self._patch(name, {"containerStatuses": [_container(container, waiting=waiting)]})
            return
        self.started[name] = time.time()
        self.seen.add(name)
        running = {"startedAt": to_text(time.time())}
        self._patch(
            name,
            {
                "phase": "Running",
                "podIP": ADDRESS,
                "podIPs": [{"ip": ADDRESS}],
                "conditions": [{"type": "Ready", "status": "True"}],
                "containerStatuses": [_container(container, running=running)],
            },
        )

    def _end(self, name: str, who: PodId, container: str) -> None:
        outcome = self.outcome(who)
        if outcome is None or time.time() < self.started.get(name, 0.0) + outcome.after:
            return
        ended = {
            "exitCode": outcome.exit_code,
            "message": outcome.message,
            "reason": "Completed" if outcome.exit_code == 0 else "Error",
            "finishedAt": to_text(time.time()),
        }
        phase = "Succeeded" if outcome.exit_code == 0 else "Failed"
        status = _container(container, terminated=ended)
        self._patch(name, {"phase": phase, "containerStatuses": [status]})

    def _patch(self, name: str, status: dict[str, Any]) -> None:
        self._core.patch_namespaced_pod_status(name, self.namespace, {"status": status})


def _container(name: str, **state: Any) -> dict[str, Any]:
    return {
        "name": name,
        "image": "x",
        "imageID": "x",
        "ready": "running" in state,
        "restartCount": 0,
        "state": state,
    }


def serve_progress(progress: Progress) -> ThreadingHTTPServer:
    """What a chief serves at its port, for the operator to read."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = json.dumps(progress.to_dict()).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            return

    server = ThreadingHTTPServer((ADDRESS, PORT_HTTP), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server
