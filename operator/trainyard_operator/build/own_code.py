"""A job's own code in its pods: a ConfigMap, where it is in one."""

from __future__ import annotations

from typing import Final

from trainyard_api.locations import config_map
from trainyard_api.names import CODE_ROOT
from trainyard_api.spec import TrainingJob
from trainyard_operator.brain.plan import Manifest

_VOLUME: Final = "code"


def code_volumes(job: TrainingJob) -> list[Manifest]:
    """The volume with the ConfigMap; none where the code is elsewhere, or there is none."""
    found = _config_map(job)
    if found is None:
        return []
    name, key = found
    items = [{"key": key, "path": key}]
    return [{"name": _VOLUME, "configMap": {"name": name, "items": items}}]


def code_mounts(job: TrainingJob) -> list[Manifest]:
    """Where the volume is in a container."""
    if _config_map(job) is None:
        return []
    return [{"name": _VOLUME, "mountPath": CODE_ROOT, "readOnly": True}]


def _config_map(job: TrainingJob) -> tuple[str, str] | None:
    return config_map(job.spec.code.uri) if job.spec.code is not None else None
