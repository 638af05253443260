"""Services and network policies of a job."""

from __future__ import annotations

from collections.abc import Mapping

from trainyard_api.names import (
    LABEL_JOB,
    LABEL_RUN,
    LABEL_STAGE,
    PORT_GRPC,
    PORT_HTTP,
    gang_service_name,
    run_hash,
)
from trainyard_api.spec import TrainingJob
from trainyard_operator.brain.plan import Manifest
from trainyard_operator.build.metadata import build_metadata


def build_gang_service(job: TrainingJob, run: str) -> Manifest:
    """The headless Service that gives the workers of a run their names.

    Names are published before the workers are ready: they wait for each other to be ready.
    """
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": build_metadata(
            job, gang_service_name(job.metadata.name, run), run, {LABEL_STAGE: "train"}
        ),
        "spec": {
            "clusterIP": "None",
            "publishNotReadyAddresses": True,
            "selector": {
                LABEL_JOB: job.metadata.name,
                LABEL_RUN: run_hash(run),
                LABEL_STAGE: "train",
            },
            "ports": [
                {"name": "grpc", "port": PORT_GRPC, "targetPort": PORT_GRPC},
                {"name": "http", "port": PORT_HTTP, "targetPort": PORT_HTTP},
            ],
        },
    }


def build_gang_policy(job: TrainingJob, run: str) -> Manifest:
    """Who may reach a gang: TensorFlow's ports have no authentication, so only the gang.

    Progress and metrics are open: the operator and Prometheus read them.
    """
    gang = {LABEL_JOB: job.metadata.name, LABEL_RUN: run_hash(run), LABEL_STAGE: "train"}
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": build_metadata(
            job, gang_service_name(job.metadata.name, run), run, {LABEL_STAGE: "train"}
        ),
        "spec": {
            "podSelector": {"matchLabels": gang},
            "policyTypes": ["Ingress"],
            "ingress": [
                {
                    "from": [{"podSelector": {"matchLabels": gang}}],
                },
                {"ports": [{"port": PORT_HTTP, "protocol": "TCP"}]},
            ],
        },
    }


def build_serving_service(
    job: TrainingJob, name: str, run: str, port: int, selector: Mapping[str, str]
) -> Manifest:
    """The Service of the endpoint; it leads to the pods of one run's model."""
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": build_metadata(job, name, run, {LABEL_STAGE: "serve"}),
        "spec": {
            "selector": dict(selector),
            "ports": [{"name": "http", "port": port, "targetPort": "http"}],
        },
    }
