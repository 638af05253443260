"""How far this pod is, for the operator and for Prometheus.

Training and compression report into one `Tracker`; a small HTTP server reads it from its own
threads.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.exposition import CONTENT_TYPE_LATEST

from trainyard_api.listening import host_port, listen
from trainyard_api.names import PATH_METRICS, PATH_PROGRESS
from trainyard_api.status import Progress
from trainyard_trainer.errors import ProgramFailed


@dataclass(frozen=True)
class Speed:
    """How fast the training is, as measured."""

    step_seconds: float
    examples_per_second: float


class Tracker:
    """The progress of this pod's stage; all methods may be called from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._progress = Progress(message="starting", updateTime=_now())
        self._speed: Speed | None = None

    def report(self, progress: Progress, speed: Speed | None = None) -> None:
        """Replace the progress; its time is filled in.

        Args:
            progress: percent is that of the whole stage.
            speed: as measured last; None keeps the one before.
        """
        with self._lock:
            self._progress = progress.model_copy(update={"updateTime": _now()})
            self._speed = speed or self._speed

    def say(self, message: str, percent: int | None = None) -> None:
        """Say what is being done now; how long it takes is not known.

        Args:
            percent: of the whole stage; None keeps the one before.
        """
        progress = self.snapshot()
        done = progress.percent if percent is None else percent
        update = {"message": message, "percent": done, "secondsLeft": None}
        self.report(progress.model_copy(update=update))

    def part(self, first: int, last: int, doing: str = "") -> Tracker:
        """A tracker of something that takes this one from one percent to another.

        Args:
            doing: what it is for, said before what it says.
        """
        return _Share(self, first, last, doing)

    def snapshot(self) -> Progress:
        """The progress as it is now."""
        with self._lock:
            return self._progress

    def speed(self) -> Speed | None:
        """The speed that was measured last."""
        with self._lock:
            return self._speed


class _Share(Tracker):
    """Tells another tracker, as far as it goes."""

    def __init__(self, whole: Tracker, first: int, last: int, doing: str) -> None:
        super().__init__()
        self._whole = whole
        self._first = first
        self._width = last - first
        self._doing = doing

    def report(self, progress: Progress, speed: Speed | None = None) -> None:
        super().report(progress, speed)
        told: dict[str, object] = {"percent": self._first + self._width * progress.percent // 100}
        if self._doing:
            told |= {"message": f"{self._doing}: {progress.message}", "secondsLeft": None}
        self._whole.report(progress.model_copy(update=told), speed)


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


class _Collector:
    """The tracker's numbers as Prometheus gauges; what is not known yet is left out."""

    def __init__(self, tracker: Tracker, labels: dict[str, str]) -> None:
        self._tracker = tracker
        self._labels = labels

    def collect(self) -> Iterator[GaugeMetricFamily]:
        progress, speed = self._tracker.snapshot(), self._tracker.speed()
        yield self._gauge("progress_ratio", "Share of the stage done.", progress.percent / 100)
        if progress.steps:
            yield self._gauge("epoch", "Epoch being trained, from 1.", progress.epoch)
            yield self._gauge("step", "Steps trained, over all attempts.", progress.step)
        for name, value in progress.metrics.items():
            yield self._gauge(name, f"Latest {name} of the training.", value)
        if speed is not None:
            yield self._gauge("step_seconds", "Time of one step.", speed.step_seconds)
            yield self._gauge(
                "examples_per_second",
                "Examples trained a second, by all workers together.",
                speed.examples_per_second,
            )

    def _gauge(self, name: str, text: str, value: float) -> GaugeMetricFamily:
        gauge = GaugeMetricFamily(f"trainyard_trainer_{name}", text, labels=list(self._labels))
        gauge.add_metric(list(self._labels.values()), value)
        return gauge


class ProgressServer:
    """Answers GET /progress (JSON) and GET /metrics (Prometheus) until it is closed."""

    def __init__(self, tracker: Tracker, host: str, port: int, labels: dict[str, str]) -> None:
        """Listen, and serve from a thread of its own.

        Args:
            port: 0 takes a free one; `self.port` tells which.
            labels: put on every metric, for example job and run.

        Raises:
            ProgramFailed: the address cannot be listened on.
        """
        registry = CollectorRegistry()
        registry.register(_Collector(tracker, labels))
        try:
            listening = listen(host, port)
        except OSError as error:
            raise ProgramFailed(
                f"cannot listen on {host_port(host, port)} for progress and metrics "
                f"({error.strerror}); another program may have the port"
            ) from error
        self.port: int = listening.getsockname()[1]
        handler = _handler(tracker, registry)
        self._server = ThreadingHTTPServer((host, self.port), handler, bind_and_activate=False)
        self._server.socket.close()
        self._server.socket = listening
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, name="progress", daemon=True).start()

    def close(self) -> None:
        """Stop answering."""
        self._server.shutdown()
        self._server.server_close()


def _handler(tracker: Tracker, registry: CollectorRegistry) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        timeout = 10  # seconds; a client that sends nothing must not keep its thread for ever

        def do_GET(self) -> None:
            path = self.path.partition("?")[0]
            if path == PATH_PROGRESS:
                body = tracker.snapshot().model_dump_json(exclude_none=True).encode()
                self._answer("application/json", body)
            elif path == PATH_METRICS:
                self._answer(CONTENT_TYPE_LATEST, generate_latest(registry))
            else:
                self.send_error(HTTPStatus.NOT_FOUND, f"ask for {PATH_PROGRESS} or {PATH_METRICS}")

        def _answer(self, kind: str, body: bytes) -> None:
            self.send_response(HTTPStatus.OK)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *arguments: Any) -> None:
            """Nothing: a scrape every few seconds would drown the training's own lines."""

    return Handler
