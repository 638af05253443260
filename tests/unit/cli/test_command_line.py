"""The command line as it is typed."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

START = "from trainyard_cli.main import main; main()"


def trainyard(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", START, *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


@pytest.mark.parametrize(
    "command",
    ["", "run", "status", "submit", "predict", "data", "data get", "cluster", "digest", "convert"],
)
def test_every_command_has_help(command: str) -> None:
    ended = trainyard(*command.split(), "--help")
    assert ended.returncode == 0, ended.stderr
    assert "Usage" in ended.stdout


def test_cluster_passes_everything_through() -> None:
    ended = trainyard("cluster", "status", "--name", "Not A Name")
    assert ended.returncode == 2
    assert "trainyard cluster: 'Not A Name' cannot name a cluster" in ended.stderr


def test_wrong_field_is_one_message_that_names_it(tmp_path: Path) -> None:
    job = tmp_path / "job.yaml"
    job.write_text(
        "apiVersion: trainyard.dev/v1alpha1\n"
        "kind: TrainingJob\n"
        "metadata: {name: digits}\n"
        "spec:\n"
        "  data: {source: {uri: 'sklearn://digits'}}\n"
        "  model: {architecture: dense}\n"
        "  training: {epoch: 5}\n"
    )
    ended = trainyard("run", str(job))
    assert ended.returncode == 2
    assert "spec.training.epoch: is no field of a TrainingJob; did you mean epochs?" in ended.stderr
    assert "Traceback" not in ended.stderr


def test_a_job_of_another_manager_is_refused_not_waited_for(tmp_path: Path) -> None:
    job = tmp_path / "job.yaml"
    job.write_text(
        "apiVersion: trainyard.dev/v1alpha1\n"
        "kind: TrainingJob\n"
        "metadata: {name: digits}\n"
        "spec:\n"
        "  data: {source: {uri: 'sklearn://digits'}}\n"
        "  model: {architecture: dense}\n"
        "  runPolicy: {managedBy: example.com/queue}\n"
    )
    ended = trainyard("run", str(job), "--output", str(tmp_path / "out"))
    assert ended.returncode == 2
    assert "spec.runPolicy.managedBy: leaves the job to example.com/queue" in ended.stderr


@pytest.mark.parametrize(("content", "said"), [(b"\xff\xfe\x00", "text"), (b"{", "YAML")])
def test_a_file_that_is_no_job_is_one_message(tmp_path: Path, content: bytes, said: str) -> None:
    job = tmp_path / "job.yaml"
    job.write_bytes(content)
    ended = trainyard("run", str(job))
    assert ended.returncode == 2
    assert said in ended.stderr
    assert "Traceback" not in ended.stderr


def test_a_missing_file_is_one_line(tmp_path: Path) -> None:
    ended = trainyard("run", str(tmp_path / "none.yaml"))
    assert ended.returncode == 2
    assert ended.stderr == f"trainyard: {tmp_path}/none.yaml: No such file or directory\n"


def test_digest_prints_what_the_documented_shell_command_prints(tmp_path: Path) -> None:
    (tmp_path / "variables").mkdir()
    for name in ("saved_model.pb", "variables/b", "variables.index", "Ä", "B b"):
        (tmp_path / name).write_text(name)
    shell = (
        r"find . -type f -printf '%P\n' | LC_ALL=C sort | xargs -r -d '\n' sha256sum | sha256sum"
    )
    documented = subprocess.run(
        ["bash", "-c", shell], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    ended = trainyard("digest", str(tmp_path))
    assert (ended.returncode, ended.stderr) == (0, "")
    assert ended.stdout.split() == documented.stdout.split()[:1]
    docs = Path(__file__).parents[3] / "docs" / "own-program.md"
    assert shell in docs.read_text()


def test_digest_of_a_file_is_that_of_its_bytes(tmp_path: Path) -> None:
    (tmp_path / "model.keras").write_bytes(b"")
    ended = trainyard("digest", str(tmp_path / "model.keras"))
    empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    assert ended.stdout == f"{empty}\n"


@pytest.mark.parametrize(("path", "said"), [("none", "no such file"), ("pipe", "neither a file")])
def test_digest_of_what_is_no_artifact_is_one_line(tmp_path: Path, path: str, said: str) -> None:
    os.mkfifo(tmp_path / "pipe")
    ended = trainyard("digest", str(tmp_path / path))
    assert ended.returncode == 2
    assert ended.stderr.startswith(f"trainyard: {tmp_path}/{path}: ")
    assert said in ended.stderr
    assert ended.stderr.count("\n") == 1


def test_several_problems_are_a_line_each() -> None:
    reference = Path(__file__).parents[3] / "manifests" / "examples" / "reference.yaml"
    ended = trainyard("run", str(reference))
    assert ended.returncode == 2
    assert "things are wrong:\n  spec." in ended.stderr
