"""Deployments of the serving stage: one for each revision of the model."""

from __future__ import annotations

from trainyard_api import environment, locations
from trainyard_api.buckets import SCHEMES
from trainyard_api.names import (
    ANNOTATION_REDEPLOY,
    LABEL_JOB,
    LABEL_RUN,
    LABEL_SERVING,
    LABEL_STAGE,
    PORT_SERVING,
    revision_name,
    run_hash,
)
from trainyard_api.spec import Serving, TrainingJob
from trainyard_api.status import Artifact
from trainyard_operator.brain.plan import Manifest
from trainyard_operator.build.credentials import store_variables
from trainyard_operator.build.drift import digest
from trainyard_operator.build.metadata import build_metadata, with_digest
from trainyard_operator.build.overlay import lay_over
from trainyard_operator.build.pods import (
    CONTAINERS,
    claim_mounts,
    claim_volumes,
    container_security,
    pod_security,
)
from trainyard_operator.settings import Settings

GRACE_SECONDS = 30
MODEL_FOLDER = "/model"
"""Where a model lies that was fetched from a bucket."""
FETCHER = "fetch-model"
"""Name of the init container that fetches it."""
_MODEL_FILE = f"{MODEL_FOLDER}/model.tflite"


def serving_name(job: TrainingJob, serving: Serving) -> str:
    """Name of the Service and of the model behind it."""
    return serving.name or job.metadata.name


def serving_labels(job: TrainingJob, name: str, run: str) -> dict[str, str]:
    """Labels of the pods that answer with the model of `run` under `name`."""
    return {
        LABEL_JOB: job.metadata.name,
        LABEL_RUN: run_hash(run),
        LABEL_STAGE: "serve",
        LABEL_SERVING: name,
    }


def build_deployment(
    job: TrainingJob, serving: Serving, run: str, model: Artifact, settings: Settings
) -> Manifest:
    """The Deployment that serves the model of `run`."""
    name = serving_name(job, serving)
    selector = serving_labels(job, name, run)
    labels = {LABEL_STAGE: "serve", LABEL_SERVING: name}
    pod = lay_over(
        {
            "metadata": {"labels": selector},
            "spec": _pod_spec(job, serving, name, run, model, settings),
        },
        serving.template,
    )
    deployment: Manifest = {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": build_metadata(job, revision_name(name, run), run, labels),
        "spec": {
            "replicas": serving.replicas,
            "selector": {"matchLabels": selector},
            "strategy": {"rollingUpdate": {"maxUnavailable": 0, "maxSurge": 1}},
            "progressDeadlineSeconds": serving.rollout.progressDeadlineSeconds,
            "template": pod,
        },
    }
    return with_digest(deployment, asked_digest(job, serving, run, model))


def asked_digest(job: TrainingJob, serving: Serving, run: str, model: Artifact) -> str:
    """Digest of what the job asks of a revision's pods.

    An operator that is upgraded builds them anew only where this changes: a new image or a new
    default of its own never rolls all endpoints at once. What is no part of a pod is left out.
    """
    asked = serving.model_dump(
        mode="json",
        exclude_none=True,
        exclude_defaults=True,
        exclude={"name", "port", "replicas", "autoscaling", "rollout", "backend"},
    )
    return digest(
        {
            "serving": asked,
            "name": serving_name(job, serving),
            "run": run_hash(run),
            "model": model.model_dump(mode="json"),
            "redeploy": job.metadata.annotations.get(ANNOTATION_REDEPLOY),
        }
    )


def _pod_spec(
    job: TrainingJob, serving: Serving, name: str, run: str, model: Artifact, settings: Settings
) -> Manifest:
    claim = locations.claim(model.uri)
    claims = [claim] if claim is not None else []
    fetched = locations.scheme(model.uri) in SCHEMES
    models = [{"name": "model", "mountPath": MODEL_FOLDER}] if fetched else []
    variables = {
        environment.MODEL_NAME: name,
        environment.RUN: run_hash(run),
        environment.MODEL_URI: f"file://{_MODEL_FILE}" if fetched else model.uri,
        environment.MODEL_SHA256: model.sha256,
        environment.PORT: str(PORT_SERVING),
    }
    return {
        **pod_security(),
        "terminationGracePeriodSeconds": GRACE_SECONDS,
        **({"initContainers": [_fetcher(job, serving, model, settings)]} if fetched else {}),
        "containers": [
            {
                "name": CONTAINERS["serve"],
                "image": settings.serving_image,
                "imagePullPolicy": settings.image_pull_policy,
                "command": ["python", "-m", "trainyard_serving"],
                "env": [{"name": key, "value": value} for key, value in variables.items()],
                "ports": [{"name": "http", "containerPort": PORT_SERVING}],
                "resources": serving.resources.to_dict(),
                "readinessProbe": _probe("/healthz/ready", period=2, failures=3),
                "livenessProbe": _probe("/healthz/live", period=10, failures=3),
                "startupProbe": _probe("/healthz/ready", period=1, failures=60),
                "volumeMounts": [
                    *claim_mounts(claims, read_only=True),
                    *({**mount, "readOnly": True} for mount in models),
                    {"name": "tmp", "mountPath": "/tmp"},
                ],
                "securityContext": container_security(),
                "terminationMessagePolicy": "FallbackToLogsOnError",
            }
        ],
        "volumes": [
            *claim_volumes(claims),
            *({"name": mount["name"], "emptyDir": {}} for mount in models),
            {"name": "tmp", "emptyDir": {}},
        ],
    }


def _fetcher(job: TrainingJob, serving: Serving, model: Artifact, settings: Settings) -> Manifest:
    """The init container that brings a model from a bucket to the pod's disk.

    The store's credentials are in its environment and not in the server's.
    """
    variables = {
        environment.MODEL_URI: model.uri,
        environment.MODEL_SHA256: model.sha256,
        environment.MODEL_FILE: _MODEL_FILE,
    }
    secrets = store_variables(job)
    return {
        "name": FETCHER,
        "image": settings.serving_image,
        "imagePullPolicy": settings.image_pull_policy,
        "command": ["python", "-m", "trainyard_serving", "fetch"],
        "env": [{"name": key, "value": value} for key, value in variables.items()],
        **({"envFrom": secrets} if secrets else {}),
        "resources": serving.resources.to_dict(),
        "volumeMounts": [
            {"name": "model", "mountPath": MODEL_FOLDER},
            {"name": "tmp", "mountPath": "/tmp"},
        ],
        "securityContext": container_security(),
        "terminationMessagePolicy": "FallbackToLogsOnError",
    }


def _probe(path: str, *, period: int, failures: int) -> Manifest:
    return {
        "httpGet": {"path": path, "port": "http"},
        "periodSeconds": period,
        "failureThreshold": failures,
        "timeoutSeconds": 3,
    }
