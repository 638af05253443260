"""Trainer pods: the workers of a gang, and the pod that compresses."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Final

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
from trainyard_api.peers import INDEX, Peers, can_be_inherited
from trainyard_api.spec import TrainingJob
from trainyard_api.spec.shared import Resources
from trainyard_api.status import Artifacts
from trainyard_operator.brain.plan import Manifest
from trainyard_operator.build.credentials import trainer_variables
from trainyard_operator.build.host_ports import PORTS_OF_A_WORKER, first_port, on_host
from trainyard_operator.build.metadata import build_metadata
from trainyard_operator.build.overlay import lay_over
from trainyard_operator.build.own_code import code_mounts, code_volumes
from trainyard_operator.settings import Settings

USER = 65532
CONTAINERS: Final = {"train": "trainer", "compress": "trainer", "serve": "serving"}
"""Name of the program's container in the pods of each stage."""


def storage_uri(job: TrainingJob, settings: Settings) -> str:
    """The store of a job: its own, or the operator's."""
    return job.spec.storage.uri if job.spec.storage else settings.storage_uri


def run_storage_uri(job: TrainingJob, run: str, settings: Settings) -> str:
    """The folder of a run in the store."""
    metadata = job.metadata
    return locations.join(storage_uri(job, settings), metadata.namespace, metadata.name, run)


def build_workers(
    job: TrainingJob,
    run: str,
    attempt: int,
    indexes: Sequence[int],
    settings: Settings,
    size: int | None = None,
) -> list[Manifest]:
    """Workers of the gang that trains a run, those with the given indexes.

    Args:
        job: the job.
        run: id of the run.
        attempt: of the stage.
        indexes: of the workers.
        settings: of the operator.
        size: how many workers the gang has; by default as many as the job wants.
    """
    workers = job.spec.workers
    pod = _build_pod(job, run, attempt, "train", workers.resources, settings)
    pod["spec"]["terminationGracePeriodSeconds"] = workers.terminationGracePeriodSeconds
    pod["spec"]["subdomain"] = gang_service_name(job.metadata.name, run)
    container = pod["spec"]["containers"][0]
    container["ports"].append({"name": "grpc", "containerPort": PORT_GRPC})
    if workers.command is not None:
        container["command"] = workers.command
        del container["args"]
    if workers.sharedMemory is not None:
        memory = {"medium": "Memory", "sizeLimit": workers.sharedMemory}
        pod["spec"]["volumes"].append({"name": "shared-memory", "emptyDir": memory})
        container["volumeMounts"].append({"name": "shared-memory", "mountPath": "/dev/shm"})
    pod = lay_over(pod, workers.template)
    count = size or workers.replicas
    port = first_port(job, run, attempt, count, settings) if workers.hostNetwork else PORT_GRPC
    views = _views_of_the_gang(job, run, attempt, indexes, count, port)
    named = [(pod_name(job.metadata.name, run, "train", attempt, i), i) for i in indexes]
    pods = [_numbered(pod, name, i, views[i], {"hostname": name}) for name, i in named]
    if not workers.hostNetwork:
        return pods
    own = [port + PORTS_OF_A_WORKER * index for index in indexes]
    return [on_host(pod, grpc, grpc + 1) for pod, grpc in zip(pods, own, strict=True)]


def build_compressor(
    job: TrainingJob, run: str, attempt: int, artifacts: Artifacts, settings: Settings
) -> Manifest:
    """The pod that compresses a run's model.

    The image of a program of one's own need not have the compressor; an image without a command
    has to have the trainer, and with it the compressor and what custom layers need.

    Raises:
        ValueError: no model was trained.
    """
    model, prepared = artifacts.model, artifacts.prepared
    if model is None:
        raise ValueError("there is no trained model to compress")
    compression = job.spec.compression
    resources = compression.resources if compression else Resources()
    pod = _build_pod(job, run, attempt, "compress", resources, settings)
    container = pod["spec"]["containers"][0]
    if job.spec.workers.command is not None:
        container["image"] = settings.trainer_image
    variables = {environment.MODEL_URI: model.uri, environment.MODEL_SHA256: model.sha256}
    if prepared is not None:
        variables[environment.PREPARED_URI] = prepared.uri
        variables[environment.PREPARED_SHA256] = prepared.sha256
    name = pod_name(job.metadata.name, run, "compress", attempt, 0)
    return _numbered(pod, name, 0, variables, {})


def _views_of_the_gang(
    job: TrainingJob, run: str, attempt: int, indexes: Sequence[int], count: int, port: int
) -> dict[int, dict[str, str]]:
    """By which variable each worker finds the others.

    A program of one's own reads TF_CONFIG, as long as it fits into a variable. Ours makes it of
    the pattern, which is short: a gang of a thousand would carry a thousand lists of itself.
    """
    pattern = pod_address(
        pod_name(job.metadata.name, run, "train", attempt, INDEX),
        gang_service_name(job.metadata.name, run),
        job.metadata.namespace,
        port,
    )
    step = PORTS_OF_A_WORKER if job.spec.workers.hostNetwork else 0
    peers = Peers(pattern=pattern, count=count, index=0, portStep=step)
    if job.spec.workers.command is not None:
        cluster = json.dumps({"worker": peers.addresses()}, separators=(",", ":"))
        config = {
            index: f'{{"cluster":{cluster},"task":{{"type":"worker","index":{index}}}}}'
            for index in indexes
        }
        if all(can_be_inherited(environment.TF_CONFIG, text) for text in config.values()):
            return {index: {environment.TF_CONFIG: text} for index, text in config.items()}
    return {
        index: {environment.PEERS: peers.model_copy(update={"index": index}).encode()}
        for index in indexes
    }


def _numbered(
    pod: Manifest, name: str, index: int, variables: dict[str, str], fields: dict[str, str]
) -> Manifest:
    """A pod of its own name and number, with variables and fields that are its own."""
    metadata, spec = pod["metadata"], pod["spec"]
    first, *others = spec["containers"]
    own = [{"name": key, "value": value} for key, value in variables.items()]
    return {
        **pod,
        "metadata": {
            **metadata,
            "name": name,
            "labels": {**metadata["labels"], LABEL_INDEX: str(index)},
        },
        "spec": {
            **spec,
            **fields,
            "containers": [{**first, "env": [*own, *first["env"]]}, *others],
        },
    }


def _build_pod(
    job: TrainingJob,
    run: str,
    attempt: int,
    stage: str,
    resources: Resources,
    settings: Settings,
) -> Manifest:
    """What the pods of a stage have in common."""
    labels = {LABEL_STAGE: stage, LABEL_ATTEMPT: str(attempt)}
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
    }
    spec: Manifest = {
        "restartPolicy": "Never",
        **pod_security(),
        **({"schedulerName": policy.schedulerName} if policy.schedulerName else {}),
        **({"priorityClassName": policy.priorityClassName} if policy.priorityClassName else {}),
        "containers": [
            {
                "name": CONTAINERS[stage],
                "image": job.spec.workers.image or settings.trainer_image,
                "imagePullPolicy": settings.image_pull_policy,
                "command": ["python", "-m", "trainyard_trainer"],
                "args": [stage],
                "env": [{"name": key, "value": value} for key, value in variables.items()],
                **_env_from(trainer_variables(job, storage_uri(job, settings))),
                "ports": [{"name": "http", "containerPort": PORT_HTTP}],
                "resources": resources.to_dict(),
                "volumeMounts": [
                    *claim_mounts(claims),
                    *code_mounts(job),
                    {"name": "tmp", "mountPath": "/tmp"},
                ],
                "securityContext": container_security(),
                "terminationMessagePolicy": "FallbackToLogsOnError",
            }
        ],
        "volumes": [*claim_volumes(claims), *code_volumes(job), {"name": "tmp", "emptyDir": {}}],
    }
    metadata = build_metadata(job, "", run, labels)
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec}


def _env_from(variables: list[Manifest]) -> Manifest:
    return {"envFrom": variables} if variables else {}


def claims_of(job: TrainingJob, settings: Settings) -> list[str]:
    """The volume claims that a job's data, code and store are on."""
    uris = [job.spec.data.source.uri, storage_uri(job, settings)]
    uris += [job.spec.code.uri] if job.spec.code is not None else []
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
