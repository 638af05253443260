"""What a spec may leave to a program of one's own, and what it asks of it."""

from __future__ import annotations

from typing import Any

import pytest

from trainyard_api.own_program import asked_of_training
from trainyard_api.problems import find_problems, parse_job_object
from trainyard_api.results import is_silent
from trainyard_api.spec import TrainingJob, TrainingJobSpec

PROGRAM = {"image": "mine:1", "command": ["python", "train.py"]}


def job(**spec: Any) -> TrainingJob:
    return parse_job_object(
        {
            "apiVersion": "trainyard.dev/v1alpha1",
            "kind": "TrainingJob",
            "metadata": {"name": "mine"},
            "spec": spec,
        }
    )


def problems(**spec: Any) -> dict[str, str]:
    return {problem.field: problem.message for problem in find_problems(job(**spec))}


def test_a_program_needs_neither_data_nor_model() -> None:
    assert problems(workers=PROGRAM) == {}


def test_our_trainer_needs_both() -> None:
    found = problems(workers={"image": "mine:1"})
    assert set(found) == {"spec.data", "spec.model"}
    assert all("is required" in message for message in found.values())
    assert "spec.workers.command" in found["spec.data"]


def test_data_of_nowhere_is_no_data_of_our_trainer() -> None:
    source = {"source": {"uri": "none://"}}
    assert set(problems(data=source, model={"architecture": "dense"})) == {"spec.data"}


@pytest.mark.parametrize("block", ["serving", "compression"])
def test_what_measures_needs_rows(block: str) -> None:
    assert f"required by spec.{block}" in problems(workers=PROGRAM, **{block: {}})["spec.data"]
    data = {"source": {"uri": "pvc://datasets/x"}}
    assert problems(workers=PROGRAM, data=data, **{block: {}}) == {}


def test_a_gang_of_programs_may_be_larger_than_a_batch_of_ours() -> None:
    assert problems(workers={**PROGRAM, "replicas": 300}) == {}


def test_the_spec_that_a_program_gets_can_be_read_again() -> None:
    spec = job(workers=PROGRAM).spec
    assert TrainingJobSpec.model_validate_json(spec.model_dump_json(exclude_none=True)) == spec


@pytest.mark.parametrize(
    ("block", "asked"),
    [
        ({"serving": {}}, "spec.serving needs the model"),
        ({"compression": {}}, "spec.compression needs the model"),
        ({"explanation": {}}, "spec.explanation needs the model"),
        (
            {"evaluation": {"gates": [{"metric": "f1", "minimum": 0.9}]}},
            "spec.evaluation.gates needs the metrics",
        ),
        ({"search": {"parameters": [{"path": "a.b", "choices": [1]}]}}, "spec.search needs"),
        ({"evaluation": {"metrics": ["f1"]}}, ""),
        ({}, ""),
    ],
)
def test_who_asks_for_a_result_is_named(block: dict[str, Any], asked: str) -> None:
    found = asked_of_training(job(workers=PROGRAM, **block).spec)
    assert found.startswith(asked)
    assert bool(found) == bool(asked)


@pytest.mark.parametrize("text", ["", " \n", "done", "[INFO] saved to /out", '"x"', "42"])
def test_log_text_is_no_document(text: str) -> None:
    assert is_silent(text)


@pytest.mark.parametrize("text", ["{}", '{"train": 1}', ' {"train": {', 'cut": 1}}\n'])
def test_a_document_is_one_however_wrong(text: str) -> None:
    assert not is_silent(text)
