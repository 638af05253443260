"""Termination messages fit, survive the way, and say what went wrong."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trainyard_api.results import (
    MAX_BYTES,
    Failure,
    TerminationMessage,
    TrainResult,
    parse_termination_message,
    why_no_document,
)
from trainyard_api.status import Artifact, EvaluationStatus, Progress

ARTIFACT = Artifact(uri="pvc://a/b", sha256="0" * 64)


MEASURED = {"bytes": 100, "accuracy": 0.9, "latencyMicroseconds": 10.0}
CANDIDATE = {**MEASURED, "name": "int8", "accepted": True}


def train(**changes: object) -> str:
    """What a program of one's own may write, with changes."""
    artifact = {"uri": "pvc://a/b", "sha256": "0" * 64}
    return json.dumps(
        {
            "train": {
                "metrics": {"accuracy": 0.5},
                "examples": 10,
                "epochs": 1,
                "steps": 2,
                "model": artifact,
                "keras": artifact,
                **changes,
            }
        }
    )


def compress(**changes: object) -> str:
    return json.dumps(
        {
            "compress": {
                "original": MEASURED,
                "candidates": [CANDIDATE],
                "winner": "int8",
                "withinBudget": True,
                "compressed": {"uri": "pvc://a/b", "sha256": "0" * 64},
                **changes,
            }
        }
    )


def artifact(**changes: str) -> dict[str, str]:
    return {"uri": "pvc://a/b", "sha256": "0" * 64, **changes}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("  \n", "it is empty"),
        ("Traceback", "it is no JSON"),
        ("[" * 4000, "it is no JSON: recursion limit"),
        ('{"train": {' + " " * 4085, "only the last 4,096 bytes reach the operator"),
        ("x" * 5000, "it has 5000 bytes; a pod can report 4096"),
        ("\ud800", "it is no JSON"),
        ("null", "it: should be an object"),
        ("{}", "must have one of train, compress, failure; it has none"),
        ('{"trian": {}}', "it has none"),
        (
            json.dumps({**json.loads(train()), **json.loads(compress())}),
            "it has train and compress",
        ),
        ('{"failure": {"reason": "Other", "message": "x"}}', "failure.reason: should be"),
        (train(metrics={"loss": float("nan")}), "train.metrics.loss: should be a finite number"),
        (train(metrics={"loss": float("-inf")}), "train.metrics.loss: should be a finite number"),
        (train(metrics={"m" * 3000: 1}), "at most 63 characters"),
        (train(metrics={f"m{i}": i for i in range(65)}), "should have at most 64 items"),
        (train(metrics={"a\u0000": 1}), "a name is printable"),
        (train(metrics={"": 1}), "at least 1 character"),
        (train(examples=-1), "train.examples: should be greater than or equal to 0, not -1"),
        (train(steps=10**400), "train.steps: should be less than or equal to"),
        (train(epochs=1.5), "train.epochs: should be a valid integer"),
        (train(seconds=-0.5), "train.seconds: should be greater than or equal to 0, not -0.5"),
        (train(model=None), "train.model: should be an object"),
        (train(model=artifact(sha256="0" * 63)), "train.model: sha256 must be 64 hexadecimal"),
        (train(model=artifact(sha256="A" * 64)), "in lower case"),
        (train(keras=artifact(uri="http://x/y")), "train.keras: uri must begin with one of file"),
        (train(keras=artifact(uri="/tmp/model")), "uri must begin with one of file"),
        (train(keras=artifact(uri="pvc://a/\u0007")), "uri must be printable"),
        (train(keras=artifact(uri="pvc://a/" + "x" * 2048)), "2048 characters at most"),
        (train(keras=artifact(uri="pvc://a/../b")), "must not contain '..'"),
        (train(keras=artifact(uri="file://a/b")), "file:///PATH"),
        (train(keras=artifact(uri="pvc:///b")), "pvc://CLAIM/PATH"),
        (compress(winner="int4"), "winner int4 is none of the candidates int8"),
        (compress(candidates=[]), "compress.candidates: should have at least 1 item"),
        (compress(candidates=[CANDIDATE, CANDIDATE]), "two candidates have one name"),
        (compress(leftOut=[{"name": "x", "reason": ""}] * 65), "at most 64 items"),
        (compress(original={**MEASURED, "bytes": 0}), "bytes must be from 1 to"),
        (compress(original={**MEASURED, "bytes": 10**400}), "bytes must be from 1 to"),
        (compress(original={**MEASURED, "accuracy": float("nan")}), "finite number"),
        (
            compress(candidates=[{**CANDIDATE, "latencyMicroseconds": -1}]),
            "compress.candidates.0: latencyMicroseconds must not be negative, and is -1",
        ),
        (compress(candidates=[{**CANDIDATE, "name": "x" * 64}]), "1 to 63 characters"),
    ],
)
def test_a_strangers_word_is_refused_in_a_clear_sentence(text: str, said: str) -> None:
    assert parse_termination_message(text) is None
    why = why_no_document(text)
    assert said in why
    assert len(why) < 1000
    assert why.isprintable()


@given(st.text(st.characters(exclude_categories=()), max_size=5000) | st.binary().map(repr))
def test_any_text_gets_an_answer(text: str) -> None:
    assert (parse_termination_message(text) is None) == bool(why_no_document(text))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=10,
)


@given(st.sampled_from(["metrics", "examples", "seconds", "model", "keras", "steps"]), JSON)
def test_what_passes_can_be_put_into_status(field: str, value: object) -> None:
    document = parse_termination_message(train(**{field: value}))
    if document is None or document.train is None:
        return
    found = document.train
    status = EvaluationStatus(metrics=found.metrics, examples=found.examples)
    json.dumps(status.to_dict(), allow_nan=False)
    assert all(0 <= n < 2**53 for n in (found.examples, found.epochs, found.steps))


def test_all_that_is_wrong_is_told_field_by_field_and_no_more_than_five() -> None:
    assert why_no_document('{"train": {}}').count("is required") == 5
    many = why_no_document('{"train": {"seconds": -1}}')
    assert many.endswith("and 1 more")


def test_a_result_that_is_right_has_nothing_wrong() -> None:
    assert why_no_document(train()) == why_no_document(compress()) == ""
    assert why_no_document(train(metrics={"r2": -3.5, "roc_auc": None})) == ""


def test_a_metric_without_a_value_is_left_out_of_our_own_result() -> None:
    document = result({"accuracy": 0.5, "roc_auc": float("nan")})
    assert document.train is not None
    assert document.train.metrics == {"accuracy": 0.5}


def test_a_failure_may_quote_any_name_of_a_file() -> None:
    text = TerminationMessage(failure=Failure(reason="InvalidData", message="no \udcff")).encode()
    assert why_no_document(text) == ""


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
        result({f"{i:02}{'m' * 60}": 0.123456789 for i in range(64)}).encode()


@pytest.mark.parametrize("text", ["", "Traceback ...", "[1]", '{"train": {"metrics": 1}}'])
def test_foreign_words_are_no_document(text: str) -> None:
    assert parse_termination_message(text) is None


def test_a_metric_that_is_no_number_is_left_out_and_spoils_nothing() -> None:
    progress = Progress.model_validate_json('{"step": 3, "metrics": {"loss": NaN, "accuracy": 1}}')
    assert progress.to_dict()["metrics"] == {"accuracy": 1.0}
    progress = Progress.model_validate_json('{"step": 3, "metrics": {"loss": null}}')
    assert (progress.step, progress.metrics) == (3, {})
