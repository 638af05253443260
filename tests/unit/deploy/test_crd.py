"""The CRD is one that the API server takes, and `kubectl explain` has something to say."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

Manifest = dict[str, Any]

FORBIDDEN = ("$ref", "$defs", "definitions", "deprecated", "id", "patternProperties", "uniqueItems")
LOGICAL = ("allOf", "anyOf", "oneOf", "not")


def nodes(schema: Manifest, path: str = "") -> Iterator[tuple[str, Manifest]]:
    """Every schema below one, itself included, with its path."""
    yield path, schema
    for name, child in schema.get("properties", {}).items():
        yield from nodes(child, f"{path}.{name}")
    if "items" in schema:
        yield from nodes(schema["items"], f"{path}[]")
    if isinstance(schema.get("additionalProperties"), dict):
        yield from nodes(schema["additionalProperties"], f"{path}.*")


def faults(path: str, schema: Manifest) -> list[str]:
    """What keeps one schema from being structural."""
    found = [f"{path}: {key} is not allowed" for key in FORBIDDEN if key in schema]
    untyped = schema.get("x-kubernetes-int-or-string") or schema.get(
        "x-kubernetes-preserve-unknown-fields"
    )
    if "type" not in schema and not untyped:
        found.append(f"{path}: has no type")
    if isinstance(schema.get("type"), list):
        found.append(f"{path}: several types; use nullable")
    if "properties" in schema and "additionalProperties" in schema:
        found.append(f"{path}: properties and additionalProperties exclude each other")
    if schema.get("type") == "array" and not isinstance(schema.get("items"), dict):
        found.append(f"{path}: an array needs one schema of its items")
    if schema.get("default", ...) is None and not schema.get("nullable"):
        found.append(f"{path}: null is no default of what is not nullable")
    found += [
        f"{path}: {key} would have to repeat what is outside" for key in LOGICAL if key in schema
    ]
    missing = set(schema.get("required", [])) - set(schema.get("properties", {}))
    found += [f"{path}: requires {name}, which it does not have" for name in missing]
    return found


def root_schema(crd: Manifest) -> Manifest:
    """The schema of a whole TrainingJob."""
    (version,) = crd["spec"]["versions"]
    schema: Manifest = version["schema"]["openAPIV3Schema"]
    return schema


def test_the_schema_is_structural(crd: Manifest) -> None:
    assert [fault for node in nodes(root_schema(crd)) for fault in faults(*node)] == []


def test_the_validator_finds_what_is_not_structural() -> None:
    assert faults("a", {"anyOf": [{"type": "string"}]}) == [
        "a: has no type",
        "a: anyOf would have to repeat what is outside",
    ]
    assert faults("a", {"type": "array"})
    assert faults("a", {"type": "object", "properties": {}, "additionalProperties": True})


def test_every_field_of_the_spec_is_described(crd: Manifest) -> None:
    spec = root_schema(crd)["properties"]["spec"]
    silent = [
        f"{path}.{name}"
        for path, node in nodes(spec, "spec")
        for name, field in node.get("properties", {}).items()
        if not field.get("description", "").strip()
    ]
    assert silent == []


def test_every_rule_says_what_to_write_instead(crd: Manifest) -> None:
    for path, node in nodes(root_schema(crd)):
        for rule in node.get("x-kubernetes-validations", []):
            assert rule.get("message") or rule.get("messageExpression"), (path, rule)


def test_the_crd_can_be_applied_by_any_kubectl(crd: Manifest) -> None:
    # Client-side apply keeps the whole object in an annotation of at most 256 KiB.
    import json

    assert len(json.dumps(crd)) < 256 * 1024
