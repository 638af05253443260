"""Names, labels, ports and paths that the parts have in common."""

from __future__ import annotations

from typing import Final, Literal

GROUP: Final = "trainyard.dev"
VERSION: Final = "v1alpha1"
API_VERSION: Final[Literal["trainyard.dev/v1alpha1"]] = "trainyard.dev/v1alpha1"
KIND: Final[Literal["TrainingJob"]] = "TrainingJob"
PLURAL: Final = "trainingjobs"
SINGULAR: Final = "trainingjob"
SHORT_NAME: Final = "tj"
MANAGER: Final = "trainyard.dev/operator"

LABEL_JOB: Final = "trainyard.dev/job"
LABEL_RUN: Final = "trainyard.dev/run"
LABEL_STAGE: Final = "trainyard.dev/stage"
LABEL_ATTEMPT: Final = "trainyard.dev/attempt"
LABEL_INDEX: Final = "trainyard.dev/index"
LABEL_MANAGED_BY: Final = "app.kubernetes.io/managed-by"
MANAGED_BY_VALUE: Final = "trainyard"
LABEL_SERVING: Final = "trainyard.dev/serving"
"""Name of the endpoint that a serving pod answers for, the same in all its revisions."""
ANNOTATION_RETRAIN: Final = "trainyard.dev/retrain"
"""Any new value starts a new run on the same spec."""
ANNOTATION_REDEPLOY: Final = "trainyard.dev/redeploy"
"""Any new value rolls the endpoint out anew, by the ordinary rollout; nothing is trained."""

CONTAINER_TRAINER: Final = "trainer"
"""Trainyard's container in pods that compute; templates merge into it by this name."""
CONTAINER_SERVING: Final = "serving"
"""Trainyard's container in serving pods."""

PORT_GRPC: Final = 2222
"""TensorFlow's collectives between the workers."""
PORT_HTTP: Final = 8081
"""Progress and metrics of a trainer pod."""
PORT_SERVING: Final = 8080

PATH_PROGRESS: Final = "/progress"
PATH_METRICS: Final = "/metrics"

VOLUMES_ROOT: Final = "/volumes"
"""Claims are mounted at VOLUMES_ROOT/CLAIM in every pod."""
CODE_ROOT: Final = "/code"
"""The ConfigMap with a job's own code is mounted here."""
CODE_KEY: Final = "code.zip"
"""Key of the ConfigMap that has the archive."""
TERMINATION_LOG: Final = "/dev/termination-log"

MAX_JOB_NAME: Final = 38
"""Pod names carry run, stage, attempt and index and must stay host names of 63 characters."""


def pod_name(job: str, run: str, stage: str, attempt: int, index: int | str) -> str:
    """Name of a pod; `run` is the run's id, of which the hash is used.

    With `peers.INDEX` as the index it is the pattern of all names of a gang.
    """
    return f"{job}-{run_hash(run)}-{stage}-{attempt}-{index}"


def gang_service_name(job: str, run: str) -> str:
    """Name of the headless Service that gives the workers of a run their DNS names."""
    return f"{job}-{run_hash(run)}-train"


def code_name(job: str, sha256: str) -> str:
    """Name of the ConfigMap that has a job's own code."""
    return f"{job}-code-{sha256[:12]}"


def revision_name(serving: str, run: str) -> str:
    """Name of the Deployment that serves the model of `run`."""
    return f"{serving}-{run_hash(run)}"


def run_hash(run: str) -> str:
    """The hash of a run's id: `5f3a9c` of `1-5f3a9c`."""
    return run.rpartition("-")[2]


def pod_address(pod: str, service: str, namespace: str, port: int) -> str:
    """Address under which the other workers reach `pod`."""
    return f"{pod}.{service}.{namespace}.svc:{port}"
