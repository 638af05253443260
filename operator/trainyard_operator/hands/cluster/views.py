"""From the API's objects to the few fields that decisions need."""

from __future__ import annotations

import re
from typing import Any

from trainyard_api.names import (
    LABEL_ATTEMPT,
    LABEL_INDEX,
    LABEL_RUN,
    LABEL_STAGE,
    PORT_HTTP,
)
from trainyard_operator.brain import times
from trainyard_operator.brain.observed import DeploymentView, PodView, ServiceView
from trainyard_operator.brain.plan import Manifest
from trainyard_operator.build.metadata import digest_of

_UNKNOWN_END = ("Unknown", "ContainerStatusUnknown")
"""Reasons of a container whose end nobody saw, as after a restart of its node."""
_ORDINARY_WAITING = ("", "ContainerCreating", "PodInitializing")
_CLAIM_NOT_FOUND = re.compile(r'persistentvolumeclaim "([^"]+)" not found')


def pod_view(pod: Manifest) -> PodView | None:
    """A pod as decisions see it; None for one that is not of a stage of ours."""
    metadata, status = pod["metadata"], pod.get("status") or {}
    labels = metadata.get("labels") or {}
    if labels.get(LABEL_STAGE) not in ("train", "compress", "serve"):
        return None
    container = _main_container(pod)
    ended = (container.get("state") or {}).get("terminated") or {}
    reason, message = _waiting(pod, container)
    return PodView(
        name=metadata["name"],
        stage=labels[LABEL_STAGE],
        run=labels.get(LABEL_RUN, ""),
        attempt=int(labels.get(LABEL_ATTEMPT, "1")),
        index=int(labels.get(LABEL_INDEX, "0")),
        phase=status.get("phase", "Pending"),
        ready=_condition(status, "Ready").get("status") == "True",
        deleting="deletionTimestamp" in metadata,
        disruption=_disruption(status),
        exit_code=None if ended.get("reason") in _UNKNOWN_END else ended.get("exitCode"),
        oom_killed=ended.get("reason") == "OOMKilled",
        message=ended.get("message", ""),
        finish_time=times.to_seconds(ended["finishedAt"]) if ended.get("finishedAt") else None,
        waiting_reason=reason,
        waiting_message=message,
        address=f"{status['podIP']}:{PORT_HTTP}" if status.get("podIP") else "",
    )


def service_view(service: Manifest) -> ServiceView:
    """A Service as decisions see it."""
    labels = service["metadata"]["labels"]
    return ServiceView(
        name=service["metadata"]["name"],
        run=labels.get(LABEL_RUN, ""),
        stage=labels.get(LABEL_STAGE, "train"),
        digest=digest_of(service),
    )


def deployment_view(deployment: Manifest) -> DeploymentView:
    """A Deployment as decisions see it."""
    metadata, status = deployment["metadata"], deployment.get("status") or {}
    wanted = deployment["spec"].get("replicas", 1)
    seen = status.get("observedGeneration", 0) >= metadata.get("generation", 1)
    ready, updated = status.get("readyReplicas", 0), status.get("updatedReplicas", 0)
    return DeploymentView(
        name=metadata["name"],
        run=metadata["labels"].get(LABEL_RUN, ""),
        digest=digest_of(deployment),
        replicas=wanted,
        ready_replicas=ready,
        current=seen and updated == wanted and ready == wanted,
    )


def is_owned(manifest: Manifest, uid: str) -> bool:
    """Whether the object belongs to the job with that uid."""
    return any(owner["uid"] == uid for owner in manifest["metadata"].get("ownerReferences") or [])


def _main_container(pod: Manifest) -> dict[str, Any]:
    """Status of the first container: sidecars come after it."""
    name = pod["spec"]["containers"][0]["name"]
    statuses = (pod.get("status") or {}).get("containerStatuses") or []
    return next((status for status in statuses if status["name"] == name), {})


def _condition(status: dict[str, Any], kind: str) -> dict[str, Any]:
    conditions = status.get("conditions") or []
    return next((condition for condition in conditions if condition["type"] == kind), {})


def _disruption(status: dict[str, Any]) -> str:
    if status.get("reason") == "NodeLost":
        return "NodeLost"
    condition = _condition(status, "DisruptionTarget")
    return str(condition.get("reason", "")) if condition.get("status") == "True" else ""


def _waiting(pod: Manifest, container: dict[str, Any]) -> tuple[str, str]:
    """Why a pod does not run, as reason and message; empty while all is ordinary."""
    waiting = (container.get("state") or {}).get("waiting") or {}
    reason, message = waiting.get("reason", ""), waiting.get("message", "")
    if reason in ("ErrImagePull", "ImagePullBackOff", "InvalidImageName", "ErrImageNeverPull"):
        image = pod["spec"]["containers"][0]["image"]
        return reason, (
            f"image {image} cannot be pulled; check its name (spec.workers.image) and "
            f"imagePullSecrets: {message}"
        )
    if reason not in _ORDINARY_WAITING:
        return reason, message
    scheduled = _condition(pod.get("status") or {}, "PodScheduled")
    if scheduled.get("status") != "False":
        return "", ""
    message = scheduled.get("message", "")
    if found := _CLAIM_NOT_FOUND.search(message):
        return "ClaimNotFound", (
            f"claim {found[1]} does not exist in namespace {pod['metadata']['namespace']}; create "
            "it, or change spec.data.source.uri or spec.storage.uri"
        )
    return scheduled.get("reason", "Unschedulable"), message
