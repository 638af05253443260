"""Laying a user's pod template over a pod that Trainyard built."""

from __future__ import annotations

from typing import Any

from trainyard_api.spec.shared import PodTemplate
from trainyard_operator.brain.plan import Manifest

_BY_NAME = ("containers", "initContainers", "volumes", "env", "imagePullSecrets")
_APPENDED = ("tolerations", "topologySpreadConstraints", "volumeMounts", "hostAliases")


def lay_over(pod: Manifest, template: PodTemplate) -> Manifest:
    """`pod` with the template's labels, annotations and spec merged in.

    Objects are merged field by field, containers, volumes and variables by their name;
    tolerations and mounts are appended; everything else is replaced. Trainyard's own labels
    stay: the operator finds its pods by them.
    """
    metadata = pod["metadata"]
    return {
        **pod,
        "metadata": {
            **metadata,
            "labels": {**template.metadata.labels, **metadata["labels"]},
            **_annotations({**metadata.get("annotations", {}), **template.metadata.annotations}),
        },
        "spec": _merge_objects(pod["spec"], template.spec),
    }


def _annotations(annotations: dict[str, str]) -> Manifest:
    return {"annotations": annotations} if annotations else {}


def _merge_objects(base: Manifest, over: Manifest) -> Manifest:
    merged = dict(base)
    for key, value in over.items():
        merged[key] = _merge_values(key, base.get(key), value)
    return merged


def _merge_values(key: str, base: Any, over: Any) -> Any:
    if isinstance(base, dict) and isinstance(over, dict):
        return _merge_objects(base, over)
    if isinstance(base, list) and isinstance(over, list):
        if key in _BY_NAME:
            return _merge_by_name(base, over)
        if key in _APPENDED:
            return [*base, *over]
    return over


def _merge_by_name(base: list[Manifest], over: list[Any]) -> list[Manifest]:
    """What has no name stays as it is: the API server says better what is wrong with it."""
    merged: dict[Any, Any] = {item["name"]: item for item in base}
    for number, item in enumerate(over):
        name = item.get("name", number) if isinstance(item, dict) else number
        merged[name] = _merge_objects(merged[name], item) if name in merged else item
    return list(merged.values())
