"""From the API's objects to the few fields that decisions need."""

from __future__ import annotations

import re
import sys
from typing import Any

from trainyard_api.listening import host_port
from trainyard_api.names import LABEL_ATTEMPT, LABEL_INDEX, LABEL_RUN, LABEL_STAGE, PORT_HTTP
from trainyard_api.results import parse_termination_message
from trainyard_operator.brain import times
from trainyard_operator.brain.observed import DeploymentView, PodView, PolicyView, ServiceView
from trainyard_operator.brain.plan import Manifest
from trainyard_operator.build.drift import policy_digest, service_digest
from trainyard_operator.build.metadata import digest_of
from trainyard_operator.build.pods import CONTAINERS

_UNKNOWN_END = ("Unknown", "ContainerStatusUnknown")
"""Reasons of a container whose end nobody saw, as after a restart of its node."""
_ORDINARY_WAITING = ("", "ContainerCreating", "PodInitializing")
_IMAGE_WAITING = ("ErrImagePull", "ImagePullBackOff", "InvalidImageName", "ErrImageNeverPull")
_CLAIM_NOT_FOUND = re.compile(r'persistentvolumeclaim "([^"]+)" not found')


def pod_view(pod: Manifest) -> PodView | None:
    """A pod as decisions see it; None for one that is none of a stage of ours."""
    metadata, status = pod["metadata"], pod.get("status") or {}
    labels = metadata.get("labels") or {}
    stage = labels.get(LABEL_STAGE)
    attempt, index = _number(labels, LABEL_ATTEMPT, 1), _number(labels, LABEL_INDEX, 0)
    if stage not in CONTAINERS or attempt is None or index is None:
        return None
    container = _named(status.get("containerStatuses"), CONTAINERS[stage])
    ended = (container.get("state") or {}).get("terminated") or _failed_before(status)
    reason, message = _waiting(pod, container)
    return PodView(
        name=metadata["name"],
        stage=stage,
        run=sys.intern(labels.get(LABEL_RUN, "")),
        attempt=attempt,
        index=index,
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
        address=host_port(status["podIP"], _http_port(pod, CONTAINERS[stage]))
        if status.get("podIP")
        else "",
        setting_up=not reason and _is_set_up(pod, container),
    )


def service_view(service: Manifest) -> ServiceView | None:
    """A Service as decisions see it; None for one that is none of a stage of ours."""
    stage = service["metadata"]["labels"].get(LABEL_STAGE)
    if stage not in CONTAINERS:
        return None
    selector = service["spec"].get("selector") or {}
    return ServiceView(
        name=service["metadata"]["name"],
        stage=stage,
        run=sys.intern(selector.get(LABEL_RUN, "")),
        digest=service_digest(service),
    )


def policy_view(policy: Manifest) -> PolicyView:
    """A NetworkPolicy as decisions see it."""
    return PolicyView(name=policy["metadata"]["name"], digest=policy_digest(policy))


def deployment_view(deployment: Manifest) -> DeploymentView:
    """A Deployment as decisions see it."""
    metadata, status = deployment["metadata"], deployment.get("status") or {}
    wanted = deployment["spec"].get("replicas", 1)
    seen = status.get("observedGeneration", 0) >= metadata.get("generation", 1)
    ready, updated = status.get("readyReplicas", 0), status.get("updatedReplicas", 0)
    failure = _condition(status, "ReplicaFailure")
    return DeploymentView(
        name=metadata["name"],
        run=metadata["labels"].get(LABEL_RUN, ""),
        digest=digest_of(deployment),
        selector=deployment["spec"]["selector"].get("matchLabels") or {},
        replicas=wanted,
        ready_replicas=ready,
        current=seen and updated == wanted and ready == wanted,
        autoscaled=_is_autoscaled(metadata),
        trouble=failure.get("message", "") if failure.get("status") == "True" else "",
    )


def is_owned(manifest: Manifest, uid: str) -> bool:
    """Whether the object belongs to the job with that uid."""
    return any(owner["uid"] == uid for owner in manifest["metadata"].get("ownerReferences") or [])


def _http_port(pod: Manifest, container: str) -> int:
    """Where a pod tells its progress: in its node's network, not where others do."""
    ports = [
        port
        for candidate in pod["spec"].get("containers") or []
        if candidate["name"] == container
        for port in candidate.get("ports") or []
    ]
    return next((p["containerPort"] for p in ports if p.get("name") == "http"), PORT_HTTP)


def _number(labels: dict[str, str], label: str, otherwise: int) -> int | None:
    """The number in a label; None where somebody has written something else there."""
    text = labels.get(label, str(otherwise))
    return int(text) if text.isdecimal() and len(text) <= 9 else None


def _named(statuses: list[dict[str, Any]] | None, name: str) -> dict[str, Any]:
    """Status of a container by its name: a service mesh puts its own before ours."""
    return next((status for status in statuses or [] if status["name"] == name), {})


def _failed_before(status: dict[str, Any]) -> dict[str, Any]:
    """How an init container ended that kept the program from starting."""
    if status.get("phase") != "Failed":
        return {}
    for container in status.get("initContainerStatuses") or []:
        ended = (container.get("state") or {}).get("terminated") or {}
        if ended.get("exitCode"):
            said = f"init container {container['name']}: {ended.get('message', '')}"
            return {**ended, "message": said}
    return {}


def _condition(status: dict[str, Any], kind: str) -> dict[str, Any]:
    conditions = status.get("conditions") or []
    return next((condition for condition in conditions if condition["type"] == kind), {})


def _disruption(status: dict[str, Any]) -> str:
    if status.get("reason") == "NodeLost":
        return "NodeLost"
    condition = _condition(status, "DisruptionTarget")
    return str(condition.get("reason", "")) if condition.get("status") == "True" else ""


def _is_autoscaled(metadata: dict[str, Any]) -> bool:
    """Whether somebody sets the replicas through the scale subresource, other than by hand."""
    return any(
        entry.get("subresource") == "scale" and not entry.get("manager", "").startswith("kubectl")
        for entry in metadata.get("managedFields") or []
    )


def _is_set_up(pod: Manifest, container: dict[str, Any]) -> bool:
    """Whether the pod has a node, and its container does not exist yet."""
    state = container.get("state") or {}
    waits = not state or state.get("waiting", {}).get("reason") in _ORDINARY_WAITING
    pending = (pod.get("status") or {}).get("phase", "Pending") == "Pending"
    return pending and waits and bool(pod["spec"].get("nodeName"))


def _waiting(pod: Manifest, container: dict[str, Any]) -> tuple[str, str]:
    """Why a pod does not run, as reason and message; empty while all is ordinary."""
    status = pod.get("status") or {}
    others = [
        *(status.get("initContainerStatuses") or []),
        *(status.get("containerStatuses") or []),
    ]
    for waits in (container, *others):
        waiting = (waits.get("state") or {}).get("waiting") or {}
        reason, message = waiting.get("reason", ""), waiting.get("message", "")
        if reason in _IMAGE_WAITING:
            return reason, _image_cure(pod, waits.get("name", ""), message)
        if reason not in _ORDINARY_WAITING:
            return _with_last_words(waits, reason, message)
    scheduled = _condition(status, "PodScheduled")
    if scheduled.get("status") != "False":
        return "", ""
    message = scheduled.get("message", "")
    if found := _CLAIM_NOT_FOUND.search(message):
        return "ClaimNotFound", (
            f"claim {found[1]} does not exist in namespace {pod['metadata']['namespace']}; create "
            "it, or change spec.data.source.uri or spec.storage.uri"
        )
    return scheduled.get("reason", "Unschedulable"), message


def _with_last_words(waits: dict[str, Any], reason: str, message: str) -> tuple[str, str]:
    """Why a container waits, in the words that it ended with last, where it left a document."""
    ended = (waits.get("lastState") or {}).get("terminated") or {}
    document = parse_termination_message(ended.get("message") or "")
    if document is None or document.failure is None:
        return reason, message
    return document.failure.reason, document.failure.message


def _image_cure(pod: Manifest, container: str, message: str) -> str:
    spec = pod["spec"]
    containers = [*(spec.get("initContainers") or []), *spec["containers"]]
    image = next((c["image"] for c in containers if c["name"] == container), "of the pod")
    return (
        f"image {image} cannot be pulled; check its name (spec.workers.image) and "
        f"imagePullSecrets: {message}"
    )
