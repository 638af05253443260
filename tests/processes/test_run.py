"""`trainyard run`, from the command line to the endpoint: it trains for real, in seconds."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest

from trainyard_api.results import TrainResult, parse_termination_message
from trainyard_api.status import TrainingJobStatus

pytestmark = pytest.mark.processes

EXAMPLE = Path(__file__).parents[2] / "manifests" / "examples" / "digits.yaml"
START = "from trainyard_cli.main import main; main()"


def command(job: Path, output: Path, *options: str) -> list[str]:
    arguments = ["run", str(job), "--output", str(output), *options]
    return [sys.executable, "-c", START, *arguments]


def run(job: Path, output: Path, *options: str) -> subprocess.CompletedProcess[str]:
    started = command(job, output, *options)
    return subprocess.run(started, capture_output=True, text=True, timeout=200, check=False)


def status_of(output: Path) -> TrainingJobStatus:
    return TrainingJobStatus.model_validate_json((output / "status.json").read_text())


def changed(tmp_path: Path, **changes: str) -> Path:
    """The example with whole lines replaced, by their first word."""
    text = EXAMPLE.read_text()
    for word, line in changes.items():
        text = re.sub(rf"(?m)^  {word}:.*$", f"  {line}", text)
    job = tmp_path / "job.yaml"
    job.write_text(text)
    return job


def results(output: Path) -> list[TrainResult]:
    found = []
    for path in sorted(output.glob("pods/*-train-*-0/termination-log")):
        document = parse_termination_message(path.read_text())
        if document is not None and document.train is not None:
            found.append(document.train)
    return found


def test_digits_are_trained_compressed_and_served_until_the_endpoint_has_answered(
    tmp_path: Path,
) -> None:
    output = tmp_path / "out"
    ended = run(EXAMPLE, output, "--once")
    assert ended.returncode == 0, ended.stdout + ended.stderr
    status = status_of(output)
    assert status.phase == "Succeeded"
    assert status.evaluation is not None
    assert status.evaluation.metrics["accuracy"] > 0.93
    text = "\n".join(line.rstrip() for line in ended.stdout.splitlines())
    assert re.search(r"(?m)^accuracy +precision +recall +f1 +examples", text)
    assert re.search(r"(?m)^original +[\d,]+ +0\.\d{4} +[\d,.]+$", text)
    for name in ("float16", "dynamic_range", "int8"):
        assert re.search(rf"(?m)^{name} +[\d,]+ +[\d.]+x +0\.\d{{4}} ", text), name
    assert text.count(" won\n") == 1
    assert "The endpoint has answered" in text
    assert "epoch" in text
    request = json.loads((output / "request.json").read_text())
    assert f"curl -d @{output}/request.json http://127.0.0.1:" in text
    assert len(request["instances"]) == 1
    with pytest.raises(httpx.ConnectError):
        httpx.get(status.serving.url if status.serving else "", trust_env=False)


def test_a_gate_that_does_not_hold_ends_with_one_and_nothing_is_served(tmp_path: Path) -> None:
    gates = "evaluation: {gates: [{metric: accuracy, minimum: 0.999}]}\n  serving: {}"
    job = changed(tmp_path, training="training: {epochs: 1}", serving=gates)
    ended = run(job, tmp_path / "out", "--once")
    assert ended.returncode == 1, ended.stdout + ended.stderr
    assert "Failed: GateFailed" in ended.stdout
    assert "is below the minimum 0.999" in ended.stdout
    status = status_of(tmp_path / "out")
    assert status.phase == "Failed"
    assert status.serving is None
    assert not list((tmp_path / "out" / "pods").glob("*-compress-*"))


def test_a_program_of_ones_own_that_has_diverged_is_not_tried_again(tmp_path: Path) -> None:
    workers = '{image: mine, command: ["sh", "-c", "exit 46"]}'
    job = changed(tmp_path, serving=f"workers: {workers}")
    ended = run(job, tmp_path / "out", "--once")
    assert ended.returncode == 1, ended.stdout + ended.stderr
    assert "Failed: Diverged" in ended.stdout
    assert "learningRate" in ended.stdout
    assert status_of(tmp_path / "out").stages[0].attempts == 1
    assert len(list((tmp_path / "out" / "pods").glob("*-train-*"))) == 1


def test_a_program_of_ones_own_may_be_all_there_is_to_a_job(tmp_path: Path) -> None:
    job, output = tmp_path / "job.yaml", tmp_path / "out"
    program = f'echo "$TF_CONFIG" > {tmp_path}/config; echo trained'
    job.write_text(
        "apiVersion: trainyard.dev/v1alpha1\nkind: TrainingJob\nmetadata: {name: mine}\n"
        f"spec: {{workers: {{image: mine, command: {json.dumps(['sh', '-c', program])}}}}}\n"
    )
    ended = run(job, output)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert "the program ended well and reported no result" in ended.stdout
    status = status_of(output)
    assert status.phase == "Succeeded"
    assert status.evaluation is None
    config = json.loads((tmp_path / "config").read_text())
    assert config["task"] == {"type": "worker", "index": 0}

    again = run(job, output)
    assert again.returncode == 0, again.stdout + again.stderr
    assert "run 1 ran the program" in again.stdout
    assert "trainyard.dev/retrain" in again.stdout
    assert status_of(output) == status


def test_a_program_of_ones_own_that_says_nothing_cannot_be_served(tmp_path: Path) -> None:
    workers = '{image: mine, command: ["sh", "-c", "exit 0"]}'
    job = changed(tmp_path, model=f"workers: {workers}")
    ended = run(job, tmp_path / "out", "--once")
    assert ended.returncode == 1, ended.stdout + ended.stderr
    said = " ".join(ended.stdout.split())
    assert "Failed: InvalidResult" in said
    assert "spec.serving needs the model it was to report" in said


def test_data_that_is_mounted_nowhere_is_wrong_input(tmp_path: Path) -> None:
    job = changed(tmp_path, data='data: {source: {uri: "pvc://datasets/digits"}}')
    job.write_text(re.sub(r"(?m)^    (source|preprocessing):.*\n", "", job.read_text()))
    ended = run(job, tmp_path / "out")
    assert ended.returncode == 2
    assert "spec.data.source.uri: claim datasets is mounted nowhere" in ended.stderr
    assert "--mount datasets=FOLDER" in ended.stderr


def test_training_goes_on_from_its_checkpoint_after_ctrl_c(tmp_path: Path) -> None:
    training = "training: {epochs: 300, batchSize: 32, checkpoint: {everySteps: 90}}"
    job = changed(tmp_path, training=training, compression="", serving="")
    output = tmp_path / "out"
    with subprocess.Popen(command(job, output), stdout=subprocess.PIPE, text=True) as first:
        _wait_for_epochs(first, output)
        first.send_signal(signal.SIGINT)
        said, _ = first.communicate(timeout=60)
    assert first.returncode == 130, said
    assert "Saved; run the same command to go on." in said
    stopped = status_of(output)
    assert stopped.phase == "Training"
    assert stopped.restarts.infrastructure == 1
    assert stopped.restarts.program == 0

    ended = run(job, output)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    (result,) = results(output)
    assert 0 < result.resumedFromStep < result.steps
    assert result.epochs == 300
    status = status_of(output)
    assert status.run is not None
    assert stopped.run is not None
    assert status.run.id == stopped.run.id
    assert status.restarts.infrastructure == 1


def test_data_that_was_mended_at_its_address_is_trained_on_anew(tmp_path: Path) -> None:
    table, output = tmp_path / "rows.csv", tmp_path / "out"
    rows = [f"{number},{'low' if number < 50 else 'high'}" for number in range(100)]
    table.write_text("\n".join(["amount,size", *rows]) + "\n")
    source = f'data: {{source: {{uri: "file://{table}", label: size}}}}'
    training = "training: {epochs: 1}"
    job = changed(tmp_path, data=source, training=training, compression="", serving="")
    job.write_text(re.sub(r"(?m)^    (source|preprocessing):.*\n", "", job.read_text()))
    first = run(job, output)
    assert first.returncode == 0, first.stdout + first.stderr
    trained = status_of(output)

    again = run(job, output)
    assert again.returncode == 0
    assert status_of(output) == trained
    assert "run 1 trained the model" in again.stdout
    assert "has not changed" in again.stdout

    table.write_text(table.read_text() + "100,high\n")
    mended = run(job, output)
    assert mended.returncode == 0, mended.stdout + mended.stderr
    assert "has changed since run 1: the model is trained anew" in mended.stdout
    after = status_of(output)
    assert after.run is not None
    assert after.run.id.startswith("2-")
    assert after.data is not None
    assert after.data.rows.train + after.data.rows.validation + after.data.rows.test == 101


def _wait_for_epochs(process: subprocess.Popen[str], output: Path) -> None:
    deadline = time.monotonic() + 90
    while time.monotonic() < deadline and process.poll() is None:
        if (output / "status.json").exists():
            progress = status_of(output).progress
            if progress is not None and progress.epoch >= 2:
                return
        time.sleep(0.1)
    os.kill(process.pid, signal.SIGKILL)
    pytest.fail("the second epoch did not begin within 90 s")
