"""Termination messages fit, survive the way, and say what went wrong."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trainyard_api.results import (
    MAX_BYTES,
    Failure,
    TerminationMessage,
    TrainResult,
    parse_termination_message,
)
from trainyard_api.status import Artifact, Progress

ARTIFACT = Artifact(uri="pvc://a/b", sha256="0" * 64)


def result(metrics: dict[str, float]) -> TerminationMessage:
    return TerminationMessage(
        train=TrainResult(
            metrics=metrics, examples=10, epochs=1, steps=2, model=ARTIFACT, keras=ARTIFACT
        )
    )


@given(st.text(max_size=6000))
def test_any_failure_fits_into_a_pod_and_comes_back(message: str) -> None:
    text = TerminationMessage(failure=Failure(reason="InvalidData", message=message)).encode()
    assert len(text.encode()) <= MAX_BYTES
    parsed = parse_termination_message(text)
    assert parsed is not None
    assert parsed.failure is not None
    assert parsed.failure.reason == "InvalidData"
    assert parsed.failure.message.removesuffix(" ...") in message


def test_a_result_comes_back_as_it_was() -> None:
    document = result({"accuracy": 0.5})
    assert parse_termination_message(document.encode()) == document


def test_a_result_that_does_not_fit_is_an_error_and_never_cut() -> None:
    with pytest.raises(ValueError, match="bytes"):
        result({f"metric-{i}": 0.123456789 for i in range(400)}).encode()


@pytest.mark.parametrize("text", ["", "Traceback ...", "[1]", '{"train": {"metrics": 1}}'])
def test_foreign_words_are_no_document(text: str) -> None:
    assert parse_termination_message(text) is None


def test_a_metric_that_is_no_number_is_left_out_and_spoils_nothing() -> None:
    progress = Progress.model_validate_json('{"step": 3, "metrics": {"loss": NaN, "accuracy": 1}}')
    assert progress.to_dict()["metrics"] == {"accuracy": 1.0}
    progress = Progress.model_validate_json('{"step": 3, "metrics": {"loss": null}}')
    assert (progress.step, progress.metrics) == (3, {})
