"""The real process, over a real socket."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from trainyard_api import environment
from trainyard_api.results import parse_termination_message

PREDICT = "/v1/models/digits:predict"
MEMORY_MB = 100


@dataclass(frozen=True)
class Process:
    """A serving process."""

    popen: subprocess.Popen[bytes]
    port: int

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def connect(self) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.port), timeout=10)


StartProcess = Callable[..., Process]


@pytest.fixture
def launch(model_files, tmp_path: Path) -> Iterator[StartProcess]:
    """Starts a serving process and waits until it listens."""
    started: list[subprocess.Popen[bytes]] = []
    log = tmp_path / "log"

    def launch_one(*options: str) -> Process:
        with log.open("wb") as file:
            popen = subprocess.Popen(
                [sys.executable, "-m", "trainyard_serving", *options],
                env=_environ(model_files["image"]),
                stderr=file,
            )
        started.append(popen)
        return Process(popen, _port(popen, log))

    yield launch_one
    for popen in started:
        popen.kill()
        popen.wait()


def _environ(model_file, **changes: str) -> dict[str, str]:
    return {
        **os.environ,
        environment.MODEL_URI: f"file://{model_file.path}",
        environment.MODEL_SHA256: model_file.sha256,
        environment.MODEL_NAME: "digits",
        environment.HOST: "127.0.0.1",
        environment.PORT: "0",
        **changes,
    }


def _port(popen: subprocess.Popen[bytes], log: Path) -> int:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline and popen.poll() is None:
        for line in log.read_text().splitlines():
            if " on 127.0.0.1:" in line:
                return int(line.rpartition(":")[2])
        time.sleep(0.01)
    raise AssertionError(f"it does not listen: {log.read_text()}")


def _request(body: bytes, connection: str = "keep-alive") -> bytes:
    head = f"POST {PREDICT} HTTP/1.1\r\nHost: x\r\nConnection: {connection}\r\n"
    return f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body


def _read_all(sock: socket.socket) -> bytes:
    received = b""
    while chunk := sock.recv(65536):
        received += chunk
    return received


def test_it_serves_within_its_memory_and_ends_with_0(launch, images) -> None:
    process = launch("--drain-seconds", "0")
    body = {"instances": images[:40].tolist()}
    with httpx.Client(base_url=process.url) as client:
        for _ in range(200):
            assert client.post(PREDICT, json=body).status_code == 200
    status = Path(f"/proc/{process.popen.pid}/status").read_text()
    resident = int(status.partition("VmRSS:")[2].split()[0]) / 1024
    assert resident < MEMORY_MB
    process.popen.send_signal(signal.SIGTERM)
    assert process.popen.wait(10) == 0


def test_a_request_that_is_in_flight_at_sigterm_is_answered_in_full(launch, images) -> None:
    process = launch("--drain-seconds", "0.5")
    request = _request(json.dumps({"instances": images.tolist()}).encode())
    with process.connect() as sock:
        sock.sendall(request[:-1000])
        time.sleep(0.2)
        process.popen.send_signal(signal.SIGTERM)
        time.sleep(1.0)  # the port is closed by now, the connection is not
        assert process.popen.poll() is None
        sock.sendall(request[-1000:])
        response = _read_all(sock)
    head, _, body = response.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200")
    assert len(json.loads(body)["predictions"]) == 70
    assert process.popen.wait(10) == 0


def test_it_goes_on_accepting_while_it_drains(launch, images) -> None:
    process = launch("--drain-seconds", "1.5")
    process.popen.send_signal(signal.SIGTERM)
    time.sleep(0.3)
    assert httpx.get(process.url + "/healthz/ready").status_code == 503
    body = {"instances": images[:1].tolist()}
    assert httpx.post(process.url + PREDICT, json=body).status_code == 200
    assert process.popen.wait(10) == 0
    with pytest.raises(httpx.ConnectError):
        httpx.get(process.url)


def test_a_second_signal_ends_it_at_once(launch) -> None:
    process = launch("--drain-seconds", "60")
    process.popen.send_signal(signal.SIGTERM)
    time.sleep(0.3)
    assert process.popen.poll() is None
    process.popen.send_signal(signal.SIGTERM)
    assert process.popen.wait(5) == 128 + signal.SIGTERM


def test_a_request_that_never_ends_does_not_outlast_the_grace(launch) -> None:
    process = launch("--drain-seconds", "0", "--grace-seconds", "1")
    with process.connect() as sock:
        sock.sendall(_request(b"1" * 100)[:-50])
        time.sleep(0.2)
        process.popen.send_signal(signal.SIGTERM)
        assert process.popen.wait(10) == 0


def test_answers_are_not_delayed_by_the_network_stack(launch, images) -> None:
    process = launch()
    body = json.dumps({"instances": images[:1].tolist()}).encode()
    with httpx.Client() as client:
        taken = []
        for _ in range(20):
            started = time.perf_counter()
            client.post(process.url + PREDICT, content=body)
            taken.append(time.perf_counter() - started)
    assert sorted(taken)[10] < 0.03


def test_a_refused_large_body_still_gets_its_answer(launch) -> None:
    process = launch("--max-body-bytes", "1000")
    with process.connect() as sock:
        sock.sendall(_request(b"1" * 500_000, connection="close"))
        assert sock.recv(65536).startswith(b"HTTP/1.1 413")
    assert httpx.get(process.url + "/healthz/live").status_code == 200


def test_what_is_no_http_gets_400_and_the_process_lives(launch) -> None:
    process = launch()
    with process.connect() as sock:
        sock.sendall(b"\x16\x03\x01 nonsense\r\n\r\n")
        assert _read_all(sock).startswith(b"HTTP/1.1 400")
    assert httpx.get(process.url + "/healthz/live").status_code == 200


def test_another_digest_ends_with_2_and_says_so_in_the_termination_message(
    model_files, tmp_path: Path
) -> None:
    log = tmp_path / "termination"
    changes = {environment.MODEL_SHA256: "0" * 64, environment.TERMINATION_LOG: str(log)}
    ended = subprocess.run(
        [sys.executable, "-m", "trainyard_serving"],
        env=_environ(model_files["image"], **changes),
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert ended.returncode == 2
    assert "it was not loaded" in ended.stderr
    message = parse_termination_message(log.read_text())
    assert message is not None
    assert message.failure is not None
    assert message.failure.reason == "ModelRejected"


def test_a_missing_variable_ends_with_2_and_names_it() -> None:
    environ = {k: v for k, v in os.environ.items() if not k.startswith("TRAINYARD_")}
    ended = subprocess.run(
        [sys.executable, "-m", "trainyard_serving"],
        env=environ,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert ended.returncode == 2
    assert environment.MODEL_URI in ended.stderr
    assert "Traceback" not in ended.stderr


def test_it_loads_no_tensorflow() -> None:
    code = "import trainyard_serving.__main__, sys; print('tensorflow' in sys.modules)"
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ended.stdout.strip() == "False"
