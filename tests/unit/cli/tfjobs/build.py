"""TFJobs in a line, for tests."""

from __future__ import annotations

from typing import Any

import yaml

from trainyard_cli.convert import Converted, convert

POD = "spec.tfReplicaSpecs.Worker.template.spec"
PROGRAM = f"{POD}.containers[tensorflow]"


def container(**fields: Any) -> dict[str, Any]:
    return {"name": "tensorflow", "image": "mine:1", "command": ["python", "train.py"], **fields}


def replica(replicas: int = 1, own: dict[str, Any] | None = None, **pod: Any) -> dict[str, Any]:
    spec = {"containers": [container(**(own or {}))], **pod}
    return {"replicas": replicas, "restartPolicy": "OnFailure", "template": {"spec": spec}}


def tfjob(name: str = "mine", spec: dict[str, Any] | None = None, **roles: Any) -> dict[str, Any]:
    return {
        "apiVersion": "kubeflow.org/v1",
        "kind": "TFJob",
        "metadata": {"name": name},
        "spec": {"tfReplicaSpecs": roles or {"Worker": replica()}, **(spec or {})},
    }


def converted(document: dict[str, Any]) -> Converted:
    return convert(yaml.safe_dump(document))


def notes_of(document: dict[str, Any]) -> dict[str, str]:
    return {note.field: note.text for note in converted(document).notes}
