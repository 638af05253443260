"""Measures a serving process: start, memory, latency and throughput over loopback.

    python benchmarks/serving.py --model MODEL.tflite [--requests 2000] [--clients 4]

Prints one JSON line. Latency is that of one client asking for one row at a time, with the
connection kept; throughput that of several clients, which share the machine with the process.
"""

from __future__ import annotations

import argparse
import http.client
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from trainyard_api import environment
from trainyard_api.digests import file_sha256
from trainyard_serving.model import Model

_NAME = "benchmark"
_HEADERS = {"Content-Type": "application/json"}


@contextmanager
def serving(model: Path, log: Path) -> Iterator[tuple[subprocess.Popen[bytes], int, float]]:
    """A serving process, its port, and the seconds it took to become ready."""
    variables = {
        environment.MODEL_URI: f"file://{model.resolve()}",
        environment.MODEL_SHA256: file_sha256(model),
        environment.MODEL_NAME: _NAME,
        environment.HOST: "127.0.0.1",
        environment.PORT: "0",
    }
    started = time.perf_counter()
    command = [sys.executable, "-m", "trainyard_serving", "--drain-seconds", "0"]
    with log.open("wb") as file:
        process = subprocess.Popen(command, env=os.environ | variables, stderr=file)
    try:
        port = wait_for_port(process, log)
        while ask(http.client.HTTPConnection("127.0.0.1", port), "/healthz/ready", b"") != 200:
            time.sleep(0.005)
        yield process, port, time.perf_counter() - started
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(30)


def wait_for_port(process: subprocess.Popen[bytes], log: Path) -> int:
    """The port that the process says it listens on."""
    while process.poll() is None:
        for line in log.read_text().splitlines():
            if " on 127.0.0.1:" in line:
                return int(line.rpartition(":")[2])
        time.sleep(0.005)
    raise RuntimeError(f"the process ended: {log.read_text()}")


def ask(connection: http.client.HTTPConnection, path: str, body: bytes) -> int:
    """One request on a kept connection; gives its status."""
    connection.request("POST" if body else "GET", path, body or None, _HEADERS)
    response = connection.getresponse()
    response.read()
    return response.status


def ask_often(port: int, path: str, body: bytes, count: int) -> list[float]:
    """Milliseconds of each of `count` requests on one connection."""
    connection = http.client.HTTPConnection("127.0.0.1", port)
    taken = []
    for _ in range(count):
        started = time.perf_counter()
        status = ask(connection, path, body)
        taken.append((time.perf_counter() - started) * 1000)
        if status != 200:
            raise RuntimeError(f"{path} answered {status}")
    return taken


def resident_megabytes(process: subprocess.Popen[bytes]) -> float:
    """Resident memory of a process."""
    status = Path(f"/proc/{process.pid}/status").read_text()
    line = next(line for line in status.splitlines() if line.startswith("VmRSS:"))
    return int(line.split()[1]) / 1024


def model_microseconds(model: Model) -> float:
    """Median time of the model alone for one row."""
    row = np.zeros((1, *model.input.shape), model.input.dtype)
    taken = []
    for _ in range(500):
        started = time.perf_counter()
        model.predict(row)
        taken.append(time.perf_counter() - started)
    return float(np.median(taken)) * 1e6


def main() -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(description="Measure a serving process over loopback.")
    parser.add_argument("--model", type=Path, required=True, help="the .tflite file")
    parser.add_argument("--requests", type=int, default=2000, help="requests of each measurement")
    parser.add_argument("--clients", type=int, default=4, help="clients of the throughput")
    options = parser.parse_args()
    model = Model.load(options.model, file_sha256(options.model))
    row = np.random.default_rng(0).integers(0, 256, model.input.shape).tolist()
    path, body = f"/v1/models/{_NAME}:predict", json.dumps({"instances": [row]}).encode()
    with (
        tempfile.TemporaryDirectory() as folder,
        serving(options.model, Path(folder, "log")) as (process, port, start_seconds),
        ThreadPoolExecutor(options.clients) as clients,
    ):
        idle = resident_megabytes(process)
        ask_often(port, path, body, 100)
        latencies = ask_often(port, path, body, options.requests)
        share = options.requests // options.clients
        started = time.perf_counter()
        jobs = [clients.submit(ask_often, port, path, body, share) for _ in range(options.clients)]
        count = sum(len(job.result()) for job in jobs)
        seconds = time.perf_counter() - started
        result = {
            "benchmark": "serving",
            "model_bytes": options.model.stat().st_size,
            "request_bytes": len(body),
            "start_seconds": round(start_seconds, 3),
            "resident_mb_idle": round(idle, 1),
            "resident_mb": round(resident_megabytes(process), 1),
            "model_us": round(model_microseconds(model), 1),
            "p50_ms": round(float(np.percentile(latencies, 50)), 3),
            "p95_ms": round(float(np.percentile(latencies, 95)), 3),
            "clients": options.clients,
            "requests_per_second": round(count / seconds),
        }
    print(json.dumps(result))


if __name__ == "__main__":
    main()
