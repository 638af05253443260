"""`status`, `submit` and `predict` with a kubectl that only pretends, and a small endpoint."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
from typer.testing import CliRunner

from trainyard_api.status import TrainingJobStatus
from trainyard_cli.datasets.catalogue import TEST_IMAGES, TEST_LABELS
from trainyard_cli.datasets.idx import header
from trainyard_cli.endpoint import Endpoint
from trainyard_cli.errors import CliError
from trainyard_cli.kubectl import Access, find_kubectl
from trainyard_cli.main import app

EXAMPLES = Path(__file__).parents[3] / "manifests" / "examples"


class Answering(BaseHTTPRequestHandler):
    """An endpoint of model `m` that takes every image for a 7."""

    def do_GET(self) -> None:
        taken: dict[str, object] = {"shape": [-1, 2, 2]}
        if self.path.endswith("/table"):
            taken["parameters"] = {"example": {"age": 50, "city": "Lyon"}}
        self._answer({"models": ["m"], "inputs": [taken]})

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        rows = json.loads(body)["instances"]
        self._answer({"predictions": [[0.0] * 7 + [0.9, 0.1] for _ in rows]})

    def _answer(self, document: object) -> None:
        content = json.dumps(document).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: object) -> None: ...


@pytest.fixture
def url() -> Iterator[str]:
    server = HTTPServer(("127.0.0.1", 0), Answering)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()


@pytest.fixture
def images(tmp_path: Path) -> Path:
    (tmp_path / TEST_IMAGES).write_bytes(header((2, 1, 2)) + bytes(4))
    (tmp_path / TEST_LABELS).write_bytes(header((2,)) + bytes([7, 1]))
    return tmp_path


def pretend_kubectl(folder: Path, monkeypatch: pytest.MonkeyPatch, script: str) -> None:
    program = folder / "kubectl"
    program.write_text(f'#!/bin/sh\necho "$@" >> {folder}/asked\n{script}\n')
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")


def job(status: TrainingJobStatus) -> str:
    spec = {"serving": {"port": 8080}}
    metadata = {"name": "fashion", "namespace": "default"}
    return json.dumps({"metadata": metadata, "spec": spec, "status": status.to_dict()}, indent=4)


def test_status_shows_stages_tables_and_endpoint(
    done: TrainingJobStatus, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "job").write_text(job(done))
    pretend_kubectl(tmp_path, monkeypatch, f"cat {tmp_path}/job")
    result = CliRunner().invoke(app, ["status", "fashion", "-n", "team", "--context", "here"])
    assert result.exit_code == 0
    assert "5 epochs, 2345 steps" in result.stdout
    assert "won" in result.stdout
    assert "POST http://127.0.0.1:8080/v1/models/fashion:predict" in result.stdout
    asked = (tmp_path / "asked").read_text()
    assert asked == "--context here --namespace team get trainingjobs fashion -o json\n"


def test_status_of_a_failed_job_is_one_and_says_why(
    failed: TrainingJobStatus, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "job").write_text(job(failed))
    pretend_kubectl(tmp_path, monkeypatch, f"cat {tmp_path}/job")
    result = CliRunner().invoke(app, ["status", "fashion"])
    assert result.exit_code == 1
    assert "GateFailed" in result.stdout
    assert "kubectl logs -n default -l trainyard.dev/job=fashion" in result.stdout


def test_status_follows_a_job_to_its_end(
    running: TrainingJobStatus,
    done: TrainingJobStatus,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    (tmp_path / "first").write_text(job(running) + "\n")
    (tmp_path / "both").write_text(f"{job(running)}\n{job(done)}\n")
    script = f'case "$*" in *--watch) cat {tmp_path}/both ;; *) cat {tmp_path}/first ;; esac'
    pretend_kubectl(tmp_path, monkeypatch, script)
    result = CliRunner().invoke(app, ["status", "fashion", "--watch"])
    assert result.exit_code == 0
    assert "epoch 3 of 5" in result.stdout
    assert "won" in result.stdout


def test_kubectls_complaint_is_the_message(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    complaint = 'error: the server doesn\'t have a resource type "trainingjobs"'
    pretend_kubectl(tmp_path, monkeypatch, f"echo '{complaint.replace(chr(39), '')}' >&2; exit 1")
    result = CliRunner().invoke(app, ["status", "fashion"])
    assert isinstance(result.exception, CliError)
    assert "resource type" in str(result.exception)


def test_submit_applies_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pretend_kubectl(tmp_path, monkeypatch, "echo trainingjob.trainyard.dev/digits created")
    file = EXAMPLES / "digits.yaml"
    result = CliRunner().invoke(app, ["submit", str(file)])
    assert "created" in result.stdout
    assert "trainyard status digits --watch" in result.stdout
    assert (tmp_path / "asked").read_text() == f"apply -f {file}\n"


def pretend_unchanged(there: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A kubectl that finds the job there as it is applied."""
    (tmp_path / "job").write_text(there)
    applied = "echo trainingjob.trainyard.dev/fashion unchanged"
    script = f'case "$*" in apply*) {applied} ;; *) cat {tmp_path}/job ;; esac'
    pretend_kubectl(tmp_path, monkeypatch, script)


def test_submit_of_a_job_that_is_done_says_how_to_train_on_changed_data(
    done: TrainingJobStatus, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pretend_unchanged(job(done), tmp_path, monkeypatch)
    file = EXAMPLES / "fashion-mnist.yaml"
    result = CliRunner().invoke(app, ["submit", str(file)])
    assert result.exit_code == 0, result.exception
    said = result.stdout
    assert "was trained before, until 2026-03-01T10:01:05Z, and is not trained again" in said
    assert "pvc://datasets/fashion-mnist has changed: kubectl annotate tj fashion" in said
    assert f"get -f {file} -o json" in (tmp_path / "asked").read_text()


def test_submit_of_a_job_that_trains_says_nothing_of_training_again(
    running: TrainingJobStatus, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pretend_unchanged(job(running), tmp_path, monkeypatch)
    result = CliRunner().invoke(app, ["submit", str(EXAMPLES / "fashion-mnist.yaml")])
    assert result.exit_code == 0
    assert "trained before" not in result.stdout


def test_submit_refuses_what_the_operator_would_refuse(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pretend_kubectl(tmp_path, monkeypatch, "exit 0")
    result = CliRunner().invoke(app, ["submit", str(EXAMPLES / "reference.yaml")])
    assert isinstance(result.exception, CliError)
    assert "spec.search" in str(result.exception)
    assert not (tmp_path / "asked").exists()


def test_without_kubectl_it_is_said_where_to_get_one(tmp_path: Path) -> None:
    with pytest.raises(CliError, match="trainyard cluster build"):
        find_kubectl(Access(), {"PATH": str(tmp_path), "HOME": str(tmp_path)})


def test_the_local_clusters_kubectl_is_found(tmp_path: Path) -> None:
    program = tmp_path / "cache" / "node" / "1a2b" / "kubectl"
    program.parent.mkdir(parents=True)
    program.touch()
    environment = {"PATH": "", "TRAINYARD_CACHE": str(tmp_path / "cache")}
    assert find_kubectl(Access(), environment).command == (str(program),)


def test_predict_shows_predictions_beside_labels(url: str, images: Path) -> None:
    for address in (url, url.removeprefix("http://"), f"{url}/v1/models/m:predict"):
        result = CliRunner().invoke(app, ["predict", address, "--data", str(images)])
        assert result.exit_code == 0, result.output
        assert "0.9000" in result.stdout
        assert "1 of 2 right (50.0%)" in result.stdout


def test_predict_reaches_a_job_through_a_forwarded_port(
    url: str, images: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    document = json.dumps({"spec": {"serving": {"name": "m", "port": 9000}}})
    address = url.removeprefix("http://")
    forward = f"echo 'Forwarding from {address} -> 8080'; exec sleep 60"
    script = f"case \"$*\" in *port-forward*) {forward} ;; *) echo '{document}' ;; esac"
    pretend_kubectl(tmp_path, monkeypatch, script)
    result = CliRunner().invoke(app, ["predict", "fashion", "--data", str(images)])
    assert result.exit_code == 0, result.output
    assert "1 of 2 right" in result.stdout
    assert "port-forward service/m :9000" in (tmp_path / "asked").read_text()


def test_an_endpoint_proposes_a_row_of_its_table_and_else_it_is_zeros(url: str) -> None:
    assert Endpoint(url, "table").example() == {"age": 50, "city": "Lyon"}
    assert Endpoint(url, "m").example() == [[0, 0], [0, 0]]


def test_an_endpoint_that_is_away_is_one_clear_message(images: Path) -> None:
    result = CliRunner().invoke(app, ["predict", "http://127.0.0.1:9", "--data", str(images)])
    assert isinstance(result.exception, CliError)
    assert "http://127.0.0.1:9/v1/models does not answer" in str(result.exception)
