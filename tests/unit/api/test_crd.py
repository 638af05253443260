"""The CRD is structural, says what each field is, and agrees with the models."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from trainyard_api.crd import build_crd
from trainyard_api.results import MAX_BYTES
from trainyard_api.spec import TrainingJobSpec

Schema = dict[str, Any]


@pytest.fixture(scope="module")
def root() -> Schema:
    schema: Schema = build_crd()["spec"]["versions"][0]["schema"]["openAPIV3Schema"]
    return schema


def fields(schema: Schema, path: str = "") -> Iterator[tuple[str, Schema]]:
    for name, child in schema.get("properties", {}).items():
        yield f"{path}.{name}", child
        yield from fields(child, f"{path}.{name}")
    if "items" in schema:
        yield from fields(schema["items"], f"{path}[]")


def test_every_field_of_the_spec_has_a_description(root: Schema) -> None:
    missing = [path for path, s in fields(root["properties"]["spec"]) if not s.get("description")]
    assert missing == []


def test_the_schema_is_structural(root: Schema) -> None:
    for path, schema in fields(root):
        assert not {"$ref", "anyOf", "oneOf", "allOf", "title", "const"} & schema.keys(), path
        open_ended = {
            "x-kubernetes-preserve-unknown-fields",
            "x-kubernetes-int-or-string",
        } & schema.keys()
        assert "type" in schema or open_ended, path


def test_defaults_and_bounds_are_in_the_schema(root: Schema) -> None:
    training = root["properties"]["spec"]["properties"]["training"]
    assert training["properties"]["epochs"]["default"] == 5
    assert training["properties"]["epochs"]["minimum"] == 1
    smoothing = training["properties"]["labelSmoothing"]
    assert smoothing["maximum"] == 1.0
    assert smoothing["exclusiveMaximum"] is True


def test_an_absent_block_has_no_default(root: Schema) -> None:
    serving = root["properties"]["spec"]["properties"]["serving"]
    assert serving["nullable"] is True
    assert "default" not in serving


def test_only_what_the_model_requires_is_required(root: Schema) -> None:
    spec = root["properties"]["spec"]
    assert "required" not in spec, "a program of one's own needs neither data nor model"
    assert spec["properties"]["data"]["required"] == ["source"]


def test_what_a_program_of_ones_own_leaves_out_is_not_filled_in(root: Schema) -> None:
    fields = root["properties"]["spec"]["properties"]
    assert "default" not in fields["data"]
    assert "default" not in fields["model"]


def test_rules_carry_messages_for_people(root: Schema) -> None:
    rules = [
        rule
        for _, schema in [("", root), *fields(root)]
        for rule in schema.get("x-kubernetes-validations", [])
    ]
    assert len(rules) >= 8
    assert all(rule["message"] for rule in rules)


def test_what_a_pod_says_of_its_failure_fits_into_status(root: Schema) -> None:
    texts = ("message", "reason")
    short = [
        path
        for path, schema in fields(root["properties"]["status"])
        if path.rpartition(".")[2] in texts and schema.get("maxLength", 0) < MAX_BYTES
    ]
    assert short == [".conditions[].reason"], "a word, not a text"


def filled(schema: Schema, value: Any) -> Any:
    """A value with the defaults that the API server fills in."""
    if isinstance(value, list):
        return [filled(schema.get("items", {}), item) for item in value]
    if not isinstance(value, dict):
        return value
    fields = schema.get("properties", {})
    defaults = {name: f["default"] for name, f in fields.items() if "default" in f}
    return {name: filled(fields.get(name, {}), v) for name, v in {**defaults, **value}.items()}


def test_what_the_api_server_fills_in_is_what_the_models_would(root: Schema) -> None:
    """A block's default is cut down to what says something; nothing may change by that."""
    spec = {
        "data": {"source": {"uri": "pvc://datasets/fashion"}, "cleaning": {}},
        "model": {"architecture": "dense", "dense": {}, "cnn": {}, "rnn": {}, "vae": {}},
        "search": {
            "parameters": [{"path": "training.seed", "integer": {"minimum": 1, "maximum": 2}}]
        },
        "compression": {},
        "explanation": {},
        "serving": {"autoscaling": {"maxReplicas": 2}, "batching": {}, "rollout": {"gates": {}}},
    }
    schema = root["properties"]["spec"]
    assert TrainingJobSpec.model_validate(filled(schema, spec)) == TrainingJobSpec.model_validate(
        spec
    )


def test_what_is_absent_by_default_stays_absent(root: Schema) -> None:
    short = {"data": {"source": {"uri": "pvc://d/x"}}, "model": {"architecture": "cnn"}}
    stored = filled(root["properties"]["spec"], short)

    def empty(value: Any) -> bool:
        children = value.values() if isinstance(value, dict) else ()
        return value in (None, [], {}) or any(empty(child) for child in children)

    assert not empty(stored), stored
    assert set(stored["model"]) == {"architecture", "activation", "regularization"}
