"""Trainer pods: the workers of a gang, and the pod that compresses."""

from __future__ import annotations

import json

from trainyard_api import environment, locations
from trainyard_api.names import (
    LABEL_ATTEMPT,
    LABEL_INDEX,
    LABEL_STAGE,
    PORT_GRPC,
    PORT_HTTP,
    VOLUMES_ROOT,
    gang_service_name,
    pod_address,
    pod_name,
)
from trainyard_api.spec import TrainingJob
from trainyard_api.spec.shared import Resources
from trainyard_api.status import Artifact
from trainyard_operator.brain.plan import Manifest
from trainyard_operator.build.metadata import build_metadata
from trainyard_operator.build.overlay import lay_over
from trainyard_operator.settings import Settings

USER = 65532
CONTAINER = "trainer"


def storage_uri(job: TrainingJob, settings: Settings) -> str:
    """The store of a job: its own, or the operator's."""
    return job.spec.storage.uri if job.spec.storage else settings.storage_uri


def run_storage_uri(job: TrainingJob, run: str, settings: Settings) -> str:
    """The folder of a run in the store."""
    metadata = job.metadata
    return locations.join(storage_uri(job, settings), metadata.namespace, metadata.name, run)


def build_worker(
    job: TrainingJob, run: str, attempt: int, index: int, settings: Settings
) -> Manifest:
    """Worker `index` of the gang that trains a run."""
    workers = job.spec.workers
    name = pod_name(job.metadata.name, run, "train", attempt, index)
    service = gang_service_name(job.metadata.name, run)
    env = {environment.TF_CONFIG: _tf_config(job, run, attempt, index)}
    pod = _build_pod(job, run, attempt, index, "train", workers.resources, settings, env)
    pod["spec"] |= {"hostname": name, "subdomain": service}
    container = pod["spec"]["containers"][0]
    container["ports"].append({"name": "grpc", "containerPort": PORT_GRPC})
    if workers.command is not None:
        container["command"] = workers.command
        del container["args"]
    if workers.sharedMemory is not None:
        memory = {"medium": "Memory", "sizeLimit": workers.sharedMemory}
        pod["spec"]["volumes"].append({"name": "shared-memory", "emptyDir": memory})
        container["volumeMounts"].append({"name": "shared-memory", "mountPath": "/dev/shm"})
    return lay_over(pod, workers.template)


def build_compressor(
    job: TrainingJob, run: str, attempt: int, model: Artifact, settings: Settings
) -> Manifest:
    """The pod that compresses a run's model."""
    compression = job.spec.compression
    resources = compression.resources if compression else Resources()
    env = {environment.MODEL_URI: model.uri, environment.MODEL_SHA256: model.sha256}
    return _build_pod(job, run, attempt, 0, "compress", resources, settings, env)


def _build_pod(
    job: TrainingJob,
    run: str,
    attempt: int,
    index: int,
    stage: str,
    resources: Resources,
    settings: Settings,
    env: dict[str, str],
) -> Manifest:
    name = pod_name(job.metadata.name, run, stage, attempt, index)
    labels = {LABEL_STAGE: stage, LABEL_ATTEMPT: str(attempt), LABEL_INDEX: str(index)}
    policy = job.spec.runPolicy
    claims = claims_of(job, settings)
    variables = {
        environment.JOB: job.metadata.name,
        environment.NAMESPACE: job.metadata.namespace,
        environment.RUN: run,
        environment.ATTEMPT: str(attempt),
        environment.SPEC: job.spec.model_dump_json(exclude_none=True),
        environment.STORAGE: run_storage_uri(job, run, settings),
        environment.PORT: str(PORT_HTTP),
        "HOME": "/tmp",
        **env,
    }
    spec: Manifest = {
        "restartPolicy": "Never",
        **pod_security(),
        **({"schedulerName": policy.schedulerName} if policy.schedulerName else {}),
        **({"priorityClassName": policy.priorityClassName} if policy.priorityClassName else {}),
        "containers": [
            {
                "name": CONTAINER,
                "image": job.spec.workers.image or settings.trainer_image,
                "imagePullPolicy": settings.image_pull_policy,
                "command": ["python", "-m", "trainyard_trainer"],
                "args": [stage],
                "env": [{"name": key, "value": value} for key, value in variables.items()],
                "ports": [{"name": "http", "containerPort": PORT_HTTP}],
                "resources": resources.to_dict(),
                "volumeMounts": [*claim_mounts(claims), {"name": "tmp", "mountPath": "/tmp"}],
                "securityContext": container_security(),
                "terminationMessagePolicy": "FallbackToLogsOnError",
            }
        ],
        "volumes": [*claim_volumes(claims), {"name": "tmp", "emptyDir": {}}],
    }
    metadata = build_metadata(job, name, run, labels)
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec}


def claims_of(job: TrainingJob, settings: Settings) -> list[str]:
    """The volume claims that a job's data and store are on."""
    uris = (job.spec.data.source.uri, storage_uri(job, settings))
    return sorted({name for uri in uris if (name := locations.claim(uri)) is not None})


def claim_volumes(claims: list[str]) -> list[Manifest]:
    """A volume for each claim."""
    return [
        {"name": _volume_name(claim), "persistentVolumeClaim": {"claimName": claim}}
        for claim in claims
    ]


def claim_mounts(claims: list[str], *, read_only: bool = False) -> list[Manifest]:
    """A mount for each claim, at the path that its URIs mean."""
    return [
        {
            "name": _volume_name(claim),
            "mountPath": f"{VOLUMES_ROOT}/{claim}",
            **({"readOnly": True} if read_only else {}),
        }
        for claim in claims
    ]


def _volume_name(claim: str) -> str:
    """A label: claims may have dots in their names, volumes may not."""
    return f"claim-{claim.replace('.', '-')}"[:63].rstrip("-")


def pod_security() -> Manifest:
    """What the `restricted` Pod Security Standard asks of a pod, and no token."""
    return {
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        "securityContext": {
            "runAsNonRoot": True,
            "runAsUser": USER,
            "runAsGroup": USER,
            "fsGroup": USER,
            "fsGroupChangePolicy": "OnRootMismatch",
            "seccompProfile": {"type": "RuntimeDefault"},
        },
    }


def container_security() -> Manifest:
    """What the `restricted` Pod Security Standard asks of a container, and more."""
    return {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }


def _tf_config(job: TrainingJob, run: str, attempt: int, index: int) -> str:
    name, namespace = job.metadata.name, job.metadata.namespace
    service = gang_service_name(name, run)
    addresses = [
        pod_address(pod_name(name, run, "train", attempt, i), service, namespace, PORT_GRPC)
        for i in range(job.spec.workers.replicas)
    ]
    return json.dumps(
        {"cluster": {"worker": addresses}, "task": {"type": "worker", "index": index}}
    )
