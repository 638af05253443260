"""The example jobs."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import pytest
import yaml
from pydantic import BaseModel

from trainyard_api.names import ANNOTATION_REDEPLOY, ANNOTATION_RETRAIN
from trainyard_api.problems import find_problems, parse_job
from trainyard_api.spec import TrainingJobSpec

EXAMPLES = Path(__file__).parents[3] / "manifests" / "examples"
_ALTERNATIVES = {
    "spec.workers.resources.requests",
    "spec.serving.resources.limits",
    "spec.evaluation.gates.maximum",
}
"""Fields of which the reference shows the sibling only, to stay an example that makes sense."""
NAMES = sorted(path.name for path in EXAMPLES.glob("*.yaml"))


def test_the_four_examples_are_there() -> None:
    assert set(NAMES) >= {"digits.yaml", "fashion-mnist.yaml", "mnist.yaml", "reference.yaml"}


@pytest.mark.parametrize("name", NAMES)
def test_example_is_a_valid_job(name: str) -> None:
    job = parse_job((EXAMPLES / name).read_text())
    assert job.metadata.name in ("fashion", name.removesuffix(".yaml"))


@pytest.mark.parametrize("name", [name for name in NAMES if name != "reference.yaml"])
def test_example_can_be_run(name: str) -> None:
    assert find_problems(parse_job((EXAMPLES / name).read_text())) == []


def test_the_quickest_job_has_a_dozen_lines() -> None:
    lines = (EXAMPLES / "digits.yaml").read_text().splitlines()
    assert len([line for line in lines if not line.startswith("#")]) <= 12


def fields_of(annotation: Any, path: str = "spec") -> Iterator[str]:
    """Every field below a model, with dots between the names."""
    for inner in get_args(annotation):
        yield from fields_of(inner, path)
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        for name, field in annotation.model_fields.items():
            yield f"{path}.{name}"
            yield from fields_of(field.annotation, f"{path}.{name}")


def names_in(value: Any, path: str = "spec") -> Iterator[str]:
    for item in value if isinstance(value, list) else []:
        yield from names_in(item, path)
    for name, inner in value.items() if isinstance(value, dict) else []:
        yield f"{path}.{name}"
        yield from names_in(inner, f"{path}.{name}")


def test_the_reference_names_every_field() -> None:
    document = yaml.safe_load((EXAMPLES / "reference.yaml").read_text())
    named = set(names_in(document["spec"]))
    # A block that is null or {} has nothing below it.
    open_blocks = {_parent(field) for field in named}
    fields = {field for field in fields_of(TrainingJobSpec) if _parent(field) in open_blocks}
    assert fields - named - _ALTERNATIVES == set()


def test_the_reference_names_every_annotation_that_a_user_sets() -> None:
    annotations = parse_job((EXAMPLES / "reference.yaml").read_text()).metadata.annotations
    assert set(annotations) == {ANNOTATION_RETRAIN, ANNOTATION_REDEPLOY}


def _parent(field: str) -> str:
    return field.rpartition(".")[0]
