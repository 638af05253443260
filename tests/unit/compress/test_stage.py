"""The stage as a whole, from the pod's environment to the termination message."""

from __future__ import annotations

import logging
from pathlib import Path

import numpy as np
import pytest

from trainyard_api import environment
from trainyard_api.digests import file_sha256
from trainyard_api.exit_codes import ExitCode
from trainyard_api.results import (
    MAX_BYTES,
    CompressResult,
    TerminationMessage,
    parse_termination_message,
)
from trainyard_api.spec import Compression, Model, TrainingJobSpec
from trainyard_api.status import Artifact, Measured
from trainyard_trainer import compress
from trainyard_trainer.compress import stage
from trainyard_trainer.compress.choose import choose
from trainyard_trainer.compress.conversion import ConversionFailed
from trainyard_trainer.compress.measure import HeldOut, measure_litert
from trainyard_trainer.compress.stage import Materials, representative_rows
from trainyard_trainer.compress.techniques import TECHNIQUES
from trainyard_trainer.errors import InvalidSpec, ModelRejected
from trainyard_trainer.pod import Pod
from trainyard_trainer.progress import Tracker
from trainyard_trainer.store import Store


class Listening(Tracker):
    """A tracker that keeps what was said."""

    def __init__(self) -> None:
        super().__init__()
        self.said: list[str] = []

    def say(self, message: str, percent: int | None = None) -> None:
        super().say(message, percent)
        self.said.append(message)


def environ_of(trained, folder: Path, **changes: str) -> dict[str, str]:
    spec = TrainingJobSpec(
        data=trained.data, model=Model(architecture="cnn"), compression=Compression()
    )
    return {
        environment.JOB: "digits",
        environment.RUN: "1-5f3a9c",
        environment.SPEC: spec.model_dump_json(),
        environment.STORAGE: f"file://{folder}",
        environment.MODEL_URI: f"file://{trained.folder}",
        environment.MODEL_SHA256: trained.sha256,
        environment.TERMINATION_LOG: str(folder / "termination"),
        **changes,
    }


@pytest.fixture
def materials(trained) -> Materials:
    held_out = trained.held_out
    few = HeldOut(held_out.part.only(np.arange(64)), held_out.judge)
    return Materials(trained.folder, representative_rows(trained.dataset.train, 0), few)


def compress_with(
    materials: Materials, folder: Path, compression: Compression, **arguments
) -> tuple[CompressResult, list[str]]:
    tracker = Listening()
    store = Store.open(f"file://{folder}", {}, "compress", 1)
    return stage.compress(materials, compression, store, tracker, **arguments), tracker.said


def test_a_pod_publishes_all_candidates_and_reports_the_winner(trained, tmp_path: Path) -> None:
    pod = Pod.from_environment(environ_of(trained, tmp_path))
    tracker = Listening()
    assert compress.run(pod, tracker) == ExitCode.OK
    text = (tmp_path / "termination").read_text()
    assert len(text.encode()) <= MAX_BYTES
    message = parse_termination_message(text)
    assert message is not None
    result = message.compress
    assert result is not None
    assert [each.name for each in result.candidates] == list(TECHNIQUES)
    for candidate in result.candidates:
        published = tmp_path / "compressed" / f"{candidate.name}.tflite"
        assert published.stat().st_size == candidate.bytes
    winner = tmp_path / "compressed" / f"{result.winner}.tflite"
    assert result.compressed.uri == f"file://{winner}"
    assert result.compressed.sha256 == file_sha256(winner)
    assert result.withinBudget
    assert result.original.bytes > next(
        each.bytes for each in result.candidates if each.name == result.winner
    )
    assert "measuring int8 (4 of 4)" in tracker.said
    assert tracker.snapshot().percent == 100


def test_a_model_that_was_changed_is_rejected_before_it_is_loaded(
    trained, tmp_path: Path, monkeypatch
) -> None:
    monkeypatch.setattr(stage, "load", _must_not_be_called)
    environ = environ_of(trained, tmp_path, **{environment.MODEL_SHA256: "0" * 64})
    with pytest.raises(ModelRejected, match="the model was changed"):
        compress.run(Pod.from_environment(environ), Tracker())


def _must_not_be_called(*_: object) -> None:
    raise AssertionError("it went on")


@pytest.mark.parametrize("missing", [environment.MODEL_URI, environment.MODEL_SHA256])
def test_a_pod_without_model_or_digest_says_which_variable_is_missing(
    trained, tmp_path: Path, missing: str
) -> None:
    environ = environ_of(trained, tmp_path, **{missing: ""})
    with pytest.raises(InvalidSpec, match=missing):
        compress.run(Pod.from_environment(environ), Tracker())


def test_only_the_asked_techniques_are_made_and_float32(materials, tmp_path: Path) -> None:
    result, _ = compress_with(materials, tmp_path, Compression(techniques=["int8"]))
    assert [each.name for each in result.candidates] == ["float32", "int8"]


def test_a_technique_that_fails_is_left_out_and_logged(
    materials, tmp_path: Path, monkeypatch, caplog
) -> None:
    def fail(*_: object) -> bytes:
        raise ConversionFailed("no int8 form of ROLL")

    monkeypatch.setattr(stage, "TECHNIQUES", {**TECHNIQUES, "int8": fail})
    result, _ = compress_with(
        materials, tmp_path, Compression(techniques=["int8", "dynamic_range"])
    )
    assert [each.name for each in result.candidates] == ["float32", "dynamic_range"]
    assert "int8 is no candidate" in caplog.text
    assert "no int8 form of ROLL" in caplog.text


def test_a_file_that_litert_cannot_load_is_left_out(
    materials, tmp_path: Path, monkeypatch, caplog
) -> None:
    monkeypatch.setattr(stage, "TECHNIQUES", {**TECHNIQUES, "int8": lambda *_: b"no model"})
    result, _ = compress_with(materials, tmp_path, Compression(techniques=["int8", "float16"]))
    assert [each.name for each in result.candidates] == ["float32", "float16"]
    assert not (tmp_path / "compressed" / "int8.tflite").exists()
    assert "int8 is no candidate" in caplog.text


def test_a_model_that_litert_cannot_express_fails_the_stage_with_a_cure(
    materials, tmp_path: Path, monkeypatch
) -> None:
    def fail(*_: object) -> bytes:
        raise ConversionFailed("some ops are not supported")

    monkeypatch.setattr(stage, "TECHNIQUES", {**TECHNIQUES, "float32": fail})
    with pytest.raises(InvalidSpec, match=r"some ops are not supported.*leave out"):
        compress_with(materials, tmp_path, Compression())


def test_no_further_candidate_begins_after_max_seconds(materials, tmp_path: Path, caplog) -> None:
    ticks = iter([0.0, 30.0, 61.0, 62.0, 63.0])
    with caplog.at_level(logging.WARNING):
        result, said = compress_with(
            materials, tmp_path, Compression(maxSeconds=60), clock=lambda: next(ticks)
        )
    assert [each.name for each in result.candidates] == ["float32", "float16"]
    assert not any("int8" in message for message in said)
    assert [each.name for each in result.leftOut] == ["dynamic_range", "int8"]
    assert "maxSeconds (60) were over" in result.leftOut[0].reason
    assert "int8 is no candidate" in caplog.text


def test_float32_is_made_however_little_time_there_is(materials, tmp_path: Path) -> None:
    ticks = iter([0.0, 61.0, 62.0, 63.0, 64.0])
    result, _ = compress_with(
        materials, tmp_path, Compression(maxSeconds=60), clock=lambda: next(ticks)
    )
    assert (result.winner, result.withinBudget) == ("float32", False)
    assert (tmp_path / "compressed" / "float32.tflite").exists()


def test_an_accuracy_budget_that_nobody_keeps_serves_float32(
    materials, tmp_path: Path, monkeypatch
) -> None:
    losses = iter([0.0, 0.5])

    def worse(content: bytes, held_out) -> Measured:
        measured = measure_litert(content, held_out)
        loss = next(losses)
        return measured.model_copy(update={"accuracy": measured.accuracy - loss})

    monkeypatch.setattr(stage, "measure_litert", worse)
    result, _ = compress_with(materials, tmp_path, Compression(techniques=["int8"]))
    assert (result.winner, result.withinBudget) == ("float32", False)
    assert "maxAccuracyLoss allows 0.0100" in result.candidates[1].reason


def test_the_largest_result_fits_the_termination_message() -> None:
    large = Measured(
        bytes=10**10, accuracy=0.123456, latencyMicroseconds=123456789.1, throughput=123456789.1
    )
    table = {"float32": large} | {f"quantization_aware_{i}": large for i in range(11)}
    choice = choose(0.987654, table, "latency", 0.0)
    result = CompressResult(
        original=large,
        candidates=list(choice.candidates),
        winner=choice.winner,
        withinBudget=choice.within_budget,
        compressed=Artifact(uri="pvc://" + "x" * 253 + "/" + "y" * 200, sha256="0" * 64),
    )
    assert len(TerminationMessage(compress=result).encode().encode()) <= MAX_BYTES
