"""The CustomResourceDefinition, generated from the models.

Kubernetes wants a structural schema: no references, no titles, `nullable` instead of a union
with null, and bounds in the style of OpenAPI 3.0. `python -m trainyard_api.crd` prints it.
"""

from __future__ import annotations

import sys
from typing import Any

import yaml

from trainyard_api.names import GROUP, KIND, MAX_JOB_NAME, PLURAL, SHORT_NAME, SINGULAR, VERSION
from trainyard_api.spec import TrainingJobSpec
from trainyard_api.status import TrainingJobStatus

Schema = dict[str, Any]

_KEPT = (
    "description",
    "type",
    "format",
    "enum",
    "default",
    "minimum",
    "maximum",
    "minLength",
    "maxLength",
    "minItems",
    "maxItems",
    "pattern",
    "x-kubernetes-validations",
)
_MAX_ITEMS = 1024
_MAX_LENGTH = 2048

PRINTER_COLUMNS = [
    {"name": "Phase", "type": "string", "jsonPath": ".status.phase"},
    {
        "name": "Progress",
        "type": "integer",
        "jsonPath": ".status.progress.percent",
        "description": "Percent of the running stage.",
    },
    {
        "name": "Accuracy",
        "type": "number",
        "jsonPath": ".status.evaluation.metrics.accuracy",
        "description": "On the test part, before compression.",
    },
    {
        "name": "Size",
        "type": "integer",
        "jsonPath": ".status.compression.compressed.bytes",
        "description": "Bytes of the compressed model.",
    },
    {"name": "Endpoint", "type": "string", "jsonPath": ".status.serving.url"},
    {"name": "Age", "type": "date", "jsonPath": ".metadata.creationTimestamp"},
]


ROOT_RULES = [
    {
        "rule": f"self.metadata.name.size() <= {MAX_JOB_NAME}",
        "message": (
            f"metadata.name is too long: pods are named after it; "
            f"use at most {MAX_JOB_NAME} characters"
        ),
    },
    {
        "rule": "self.metadata.name.matches('^[a-z]([-a-z0-9]*[a-z0-9])?$')",
        "message": (
            "metadata.name becomes part of host names: use lower-case letters, digits "
            "and '-', beginning with a letter"
        ),
    },
    {
        "rule": (
            "self.spec.workers == oldSelf.spec.workers || self.spec.runPolicy.suspend || "
            "oldSelf.spec.runPolicy.suspend || (has(oldSelf.status) && "
            "has(oldSelf.status.phase) && oldSelf.status.phase in ['Succeeded', 'Failed'])"
        ),
        "message": (
            "spec.workers cannot change while the job runs: set runPolicy.suspend to true, "
            "change it, and set suspend back to false"
        ),
    },
]
"""CEL rules that need the metadata or the status too."""


def structural(schema: Schema, definitions: dict[str, Schema]) -> Schema:
    """The structural form of a JSON schema as pydantic writes it.

    Args:
        schema: a JSON schema (2020-12), possibly with references.
        definitions: what the references name.
    """
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        overrides = {k: v for k, v in schema.items() if k != "$ref"}
        return structural({**definitions[name], **overrides}, definitions)
    if "allOf" in schema and len(schema["allOf"]) == 1:
        rest = {k: v for k, v in schema.items() if k != "allOf"}
        return structural({**schema["allOf"][0], **rest}, definitions)
    if "anyOf" in schema:
        return _union(schema, definitions)
    result: Schema = {key: schema[key] for key in _KEPT if key in schema}
    if "const" in schema:
        result["enum"] = [schema["const"]]
    _bounds(schema, result)
    _children(schema, result, definitions)
    return _with_fitting_default(result)


def _with_fitting_default(schema: Schema) -> Schema:
    """The schema with a default that says something.

    Every default is stored in every job, and written out, compared and owned at every change of
    it. So what is absent by default stays absent.
    """
    rest = {key: value for key, value in schema.items() if key != "default"}
    default = _said(schema.get("default"))
    return rest if default is None else {**rest, "default": default}


def _said(default: Any) -> Any:
    """A default without what is null or empty; None where nothing is left."""
    if isinstance(default, dict):
        said = {name: _said(value) for name, value in default.items()}
        default = {name: value for name, value in said.items() if value is not None}
    return None if default in ([], {}) else default


def _bounds(schema: Schema, result: Schema) -> None:
    for side in ("Minimum", "Maximum"):
        if (bound := schema.get(f"exclusive{side}")) is not None:
            result[side.lower()] = bound
            result[f"exclusive{side}"] = True


def _children(schema: Schema, result: Schema, definitions: dict[str, Schema]) -> None:
    kind = schema.get("type")
    if kind == "array":
        result["items"] = structural(schema.get("items", {}), definitions)
        result.setdefault("maxItems", _MAX_ITEMS)
    elif kind == "string" and "enum" not in schema:
        result.setdefault("maxLength", _MAX_LENGTH)
    elif kind == "object" and "properties" in schema:
        result["properties"] = {
            name: structural(child, definitions) for name, child in schema["properties"].items()
        }
        if required := schema.get("required"):
            result["required"] = required
    elif kind == "object" or kind is None:
        extra = schema.get("additionalProperties", True)
        if isinstance(extra, dict):
            result["additionalProperties"] = structural(extra, definitions)
        else:
            result["x-kubernetes-preserve-unknown-fields"] = True


def _union(schema: Schema, definitions: dict[str, Schema]) -> Schema:
    """A union: with null it is nullable; of scalars it is an int-or-string or left open."""
    branches = [b for b in schema["anyOf"] if b.get("type") != "null"]
    rest = {k: v for k, v in schema.items() if k != "anyOf"}
    if len(branches) == 1:
        result = structural({**branches[0], **rest}, definitions)
        if "$ref" in branches[0] and "description" in rest:
            result["description"] = rest["description"]
    else:
        result = {key: rest[key] for key in ("description", "default") if key in rest}
        kinds = {b.get("type", "string") for b in branches}
        if kinds == {"integer", "string"}:
            result["x-kubernetes-int-or-string"] = True
            result |= _int_or_string_bounds(branches)
        else:
            result["x-kubernetes-preserve-unknown-fields"] = True
    if len(branches) < len(schema["anyOf"]):
        result["nullable"] = True
        if result.get("default", ...) is None:
            del result["default"]
    return result


def _int_or_string_bounds(branches: list[Schema]) -> Schema:
    words = [b["const"] for b in branches if "const" in b]
    number = next(b for b in branches if b.get("type") == "integer")
    if not words or "minimum" not in number:
        return {}
    listed = ", ".join(f"'{word}'" for word in words)
    low, high = number["minimum"], number["maximum"]
    return {
        "x-kubernetes-validations": [
            {
                "rule": (
                    f"type(self) == int ? (self >= {low} && self <= {high}) : self in [{listed}]"
                ),
                "message": f"must be {' or '.join(words)}, or a number from {low} to {high}",
            }
        ]
    }


def _schema_of(model: type[TrainingJobSpec] | type[TrainingJobStatus]) -> Schema:
    schema = model.model_json_schema()
    return structural(schema, schema.get("$defs", {}))


def build_crd() -> Schema:
    """The CustomResourceDefinition of TrainingJob."""
    status = _without_defaults(_schema_of(TrainingJobStatus))
    status["properties"]["conditions"] |= {
        "x-kubernetes-list-type": "map",
        "x-kubernetes-list-map-keys": ["type"],
    }
    root: Schema = {
        "type": "object",
        "description": (
            "One model, from data to a serving deployment: trained by a gang of workers, "
            "evaluated, compressed within an accuracy budget and rolled out."
        ),
        "required": ["spec"],
        "properties": {
            "apiVersion": {"type": "string"},
            "kind": {"type": "string"},
            "metadata": {"type": "object"},
            "spec": _schema_of(TrainingJobSpec),
            "status": status,
        },
        "x-kubernetes-validations": ROOT_RULES,
    }
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {
            "name": f"{PLURAL}.{GROUP}",
            "labels": {"app.kubernetes.io/name": "trainyard"},
        },
        "spec": {
            "group": GROUP,
            "scope": "Namespaced",
            "names": {
                "kind": KIND,
                "listKind": f"{KIND}List",
                "plural": PLURAL,
                "singular": SINGULAR,
                "shortNames": [SHORT_NAME],
                "categories": ["all"],
            },
            "versions": [
                {
                    "name": VERSION,
                    "served": True,
                    "storage": True,
                    "subresources": {"status": {}},
                    "additionalPrinterColumns": PRINTER_COLUMNS,
                    "selectableFields": [{"jsonPath": ".status.phase"}],
                    "schema": {"openAPIV3Schema": root},
                }
            ],
        },
    }


def _without_defaults(schema: Schema) -> Schema:
    """Status is written by the operator as a whole: nothing is to be filled in."""
    return {
        key: _without_defaults(value) if isinstance(value, dict) else value
        for key, value in schema.items()
        if key != "default"
    }


class _Dumper(yaml.SafeDumper):
    def ignore_aliases(self, data: object) -> bool:  # noqa: ARG002
        return True


def render_crd() -> str:
    """The CRD as YAML."""
    header = "# Generated by `python -m trainyard_api.crd`; do not edit.\n"
    return header + yaml.dump(build_crd(), Dumper=_Dumper, sort_keys=False, width=100)


if __name__ == "__main__":
    sys.stdout.write(render_crd())
