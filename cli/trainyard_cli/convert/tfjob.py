"""A TFJob, as its users write it: kubeflow.org/v1 (training-operator v1.9).

Pods are free-form here: `pod_fields` knows what may stand in them.
"""

from __future__ import annotations

import difflib
from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, Field, ValidationError

from trainyard_api.model import Document
from trainyard_cli.convert.outcome import Block, NotConvertible

Role = Literal["Chief", "Master", "Worker", "PS", "Evaluator"]
ROLES: Final[tuple[Role, ...]] = ("Chief", "Master", "Worker", "PS", "Evaluator")
Count = Annotated[int, Field(ge=0, le=2**31 - 1)]
RestartPolicy = Literal["Always", "OnFailure", "Never", "ExitCode"]


class SchedulingPolicy(Document):
    """How the gang is placed."""

    minAvailable: Count | None = None
    queue: str = ""
    minResources: dict[str, Any] | None = None
    priorityClass: str = ""
    scheduleTimeoutSeconds: Count | None = None


class TfRunPolicy(Document):
    """Retries, deadlines and what is left behind."""

    cleanPodPolicy: Literal["", "All", "Running", "None"] = ""
    ttlSecondsAfterFinished: Count | None = None
    activeDeadlineSeconds: Count | None = None
    backoffLimit: Count | None = None
    schedulingPolicy: SchedulingPolicy = SchedulingPolicy()
    suspend: bool = False
    managedBy: str = ""


class Replica(Document):
    """Pods of one role."""

    replicas: Count = 1
    restartPolicy: RestartPolicy | Literal[""] = "Never"
    template: Block


class TfJobSpec(Document):
    """What is run."""

    runPolicy: TfRunPolicy = TfRunPolicy()
    successPolicy: Literal["", "AllWorkers"] = ""
    tfReplicaSpecs: dict[str, Replica]
    enableDynamicWorker: bool = False

    def replica(self, role: Role) -> Replica | None:
        """The pods of a role; Kubeflow takes its name in any case."""
        found = [value for key, value in self.tfReplicaSpecs.items() if key.lower() == role.lower()]
        return found[0] if found else None


_IN_RUN_POLICY: Final = tuple(TfRunPolicy.model_fields)


def read_spec(document: Block) -> TfJobSpec:
    """The spec of a TFJob.

    Raises:
        NotConvertible: a field is unknown, missing, or of a wrong type; the first one.
    """
    try:
        spec = TfJobSpec.model_validate(pruned(document.get("spec") or {}))
    except ValidationError as error:
        detail = error.errors()[0]
        # Parts in [] name the branch of a union.
        location = [str(part) for part in detail["loc"] if "[" not in str(part)]
        field = ".".join(["spec", *location])
        if detail["type"] == "extra_forbidden":
            message = _unknown(location)
        elif detail["type"] == "missing":
            message = "is required"
        else:
            wanted = detail["msg"].removeprefix("Input ")
            message = f"{wanted}, not {detail['input']!r}"
        raise NotConvertible(field, message) from error
    roles = {role.lower(): role for role in ROLES}
    found: set[str] = set()
    for key in spec.tfReplicaSpecs:
        field = f"spec.tfReplicaSpecs.{key}"
        if key.lower() not in roles:
            raise NotConvertible(field, f"is no role of a TFJob; known are {', '.join(ROLES)}")
        if key.lower() in found:
            raise NotConvertible(field, f"is {roles[key.lower()]} a second time; keep one")
        found.add(key.lower())
    return spec


def pruned(value: Any) -> Any:
    """A value without the fields that are null: they say nothing."""
    if isinstance(value, dict):
        return {key: pruned(item) for key, item in value.items() if item is not None}
    return [pruned(item) for item in value] if isinstance(value, list) else value


def unknown_field(name: str, known: list[str]) -> str:
    """What to say of a field that nobody knows."""
    near = difflib.get_close_matches(name, known, n=1)
    hint = f"did you mean {near[0]}?" if near else f"known here: {', '.join(known)}"
    return f"is no field of a TFJob; {hint}"


def _unknown(location: list[str]) -> str:
    name = location[-1]
    if len(location) == 1 and name in _IN_RUN_POLICY:
        return f"is no field of a TFJob; move it to spec.runPolicy.{name}"
    models: dict[int, type[BaseModel]] = {1: TfJobSpec, 2: TfRunPolicy}
    model = models.get(len(location), SchedulingPolicy)
    if location[0] == "tfReplicaSpecs":
        model = Replica
    return unknown_field(name, list(model.model_fields))
