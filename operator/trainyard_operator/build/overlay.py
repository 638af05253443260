"""Laying a user's pod template over a pod that Trainyard built.

`trainyard_api.templates` refuses what a template must not do. What has passed it all the same,
as the template of a job that an older version let in, gets no further than here.
"""

from __future__ import annotations

from typing import Any, Final

from trainyard_api.spec.shared import PodTemplate
from trainyard_api.templates import OWNED
from trainyard_operator.brain.plan import Manifest

_BY_NAME: Final = ("containers", "initContainers", "volumes", "env", "ports", "imagePullSecrets")
_APPENDED: Final = (
    "tolerations",
    "topologySpreadConstraints",
    "volumeMounts",
    "hostAliases",
    "envFrom",
)
_RESTRICTED: Final[Manifest] = {
    "allowPrivilegeEscalation": False,
    "capabilities": {"drop": ["ALL"]},
}
"""What the Pod Security Standard `restricted` asks of every container."""


def lay_over(pod: Manifest, template: PodTemplate) -> Manifest:
    """`pod` with the template's labels, annotations and spec merged in.

    Objects are merged field by field, containers, volumes, ports and variables by their name;
    tolerations and mounts are appended; everything else is replaced, and null changes nothing.
    Trainyard's own labels stay: the operator finds its pods by them. So do the fields that it
    steers pods by. Containers of the template are restricted where they do not say it themselves.
    """
    metadata = pod["metadata"]
    laid_over = {key: value for key, value in template.spec.items() if key not in OWNED}
    spec = _merge_objects(pod["spec"], laid_over)
    return {
        **pod,
        "metadata": {
            **metadata,
            "labels": {**template.metadata.labels, **metadata["labels"]},
            **_annotations({**metadata.get("annotations", {}), **template.metadata.annotations}),
        },
        "spec": {**spec, **_restricted(spec)},
    }


def _annotations(annotations: dict[str, str]) -> Manifest:
    return {"annotations": annotations} if annotations else {}


def _restricted(spec: Manifest) -> Manifest:
    """The containers of a pod, restricted."""
    return {
        kind: [_restrict(container) for container in spec[kind]]
        for kind in ("containers", "initContainers")
        if isinstance(spec.get(kind), list)
    }


def _restrict(container: Any) -> Any:
    if not isinstance(container, dict):
        return container
    context = container.get("securityContext") or {}
    if not isinstance(context, dict):
        return container
    return {**container, "securityContext": _merge_objects(_RESTRICTED, context)}


def _merge_objects(base: Manifest, over: Manifest) -> Manifest:
    merged = dict(base)
    for key, value in over.items():
        if value is not None:
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
    merged: dict[str | int, Any] = {item["name"]: item for item in base}
    for number, item in enumerate(over):
        name = item.get("name") if isinstance(item, dict) else None
        key = name if isinstance(name, str) else number
        merged[key] = _merge_objects(merged[key], item) if key in merged else item
    return list(merged.values())
