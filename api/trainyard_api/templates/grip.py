"""What the operator steers its pods by: a template leaves it alone."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from trainyard_api import environment
from trainyard_api.names import GROUP, LABEL_MANAGED_BY
from trainyard_api.problem import Problem
from trainyard_api.spec.shared import PodTemplate
from trainyard_api.templates.pod import WORKERS, Block, Target, blocks

OWNED: Final = (
    "restartPolicy",
    "automountServiceAccountToken",
    "hostNetwork",
    "hostPID",
    "hostIPC",
    "hostname",
    "hostnameOverride",
    "subdomain",
    "activeDeadlineSeconds",
    "ephemeralContainers",
)
"""Fields of a pod's spec that are never taken from a template, whatever let it pass."""

_CURES: Final = {
    "hostname": "pods find each other by it; leave it out",
    "hostnameOverride": "pods find each other by it; leave it out",
    "subdomain": "pods find each other by it; leave it out",
    "activeDeadlineSeconds": "it would end a pod, not the job; use "
    "spec.runPolicy.activeDeadlineSeconds",
    "ephemeralContainers": "they cannot be in a pod that is created; use 'kubectl debug'",
}
_OWN_VARIABLES: Final = (
    environment.JOB,
    environment.NAMESPACE,
    environment.RUN,
    environment.ATTEMPT,
    environment.SPEC,
    environment.STORAGE,
    environment.MODEL_URI,
    environment.MODEL_SHA256,
    environment.PREPARED_URI,
    environment.PREPARED_SHA256,
    environment.MODEL_NAME,
    environment.PORT,
    environment.PEERS,
    environment.TF_CONFIG,
)
_OWN_FIELDS: Final = {
    "restartPolicy": "leave it out: the operator restarts the gang as a whole",
    "restartPolicyRules": "leave it out: the operator restarts the gang as a whole",
    "terminationMessagePath": "leave it out: the operator reads the result there",
    "terminationMessagePolicy": "leave it out: the operator reads the result by it",
}


def loosened_grip(target: Target, template: PodTemplate) -> Iterator[Problem]:
    """Fields that are the operator's."""
    pod = template.spec
    for label in template.metadata.labels:
        if label.startswith(f"{GROUP}/") or label == LABEL_MANAGED_BY:
            field = f"{target.field}.metadata.labels"
            yield Problem(field, f"{label} is the operator's, which finds pods by it; leave it out")
    policy = pod.get("restartPolicy")
    if policy not in (None, target.restart_policy):
        yield Problem(
            f"{target.spec}.restartPolicy",
            f"{policy} would restart pods behind the operator's back; leave it out, and set "
            "spec.runPolicy.backoffLimit",
        )
    for name, cure in _CURES.items():
        if pod.get(name) is not None:
            yield Problem(f"{target.spec}.{name}", cure)
    for index, container in blocks(pod.get("containers")):
        if container.get("name") == target.container:
            yield from _own_container(target, f"{target.spec}.containers[{index}]", container)


def _own_container(target: Target, field: str, container: Block) -> Iterator[Problem]:
    for name, cure in _OWN_FIELDS.items():
        if container.get(name) is not None:
            yield Problem(f"{field}.{name}", cure)
    if target is WORKERS:
        for name in ("command", "args"):
            if container.get(name) is not None:
                cure = "use spec.workers.command for a program of your own"
                yield Problem(f"{field}.{name}", cure)
    for index, variable in blocks(container.get("env")):
        if variable.get("name") in _OWN_VARIABLES:
            cure = f"{variable['name']} is set by the operator; leave it out"
            yield Problem(f"{field}.env[{index}]", cure)
