"""Metadata that all objects of a job have."""

from __future__ import annotations

from trainyard_api.names import (
    API_VERSION,
    KIND,
    LABEL_JOB,
    LABEL_MANAGED_BY,
    LABEL_RUN,
    MANAGED_BY_VALUE,
    run_hash,
)
from trainyard_api.spec import TrainingJob
from trainyard_operator.brain.plan import Manifest

ANNOTATION_DIGEST = "trainyard.dev/digest"


def build_metadata(
    job: TrainingJob, name: str, run: str, labels: dict[str, str] | None = None
) -> Manifest:
    """Name, labels and owner of an object; it is deleted with its job, whoever is away."""
    return {
        "name": name,
        "namespace": job.metadata.namespace,
        "labels": {
            LABEL_MANAGED_BY: MANAGED_BY_VALUE,
            LABEL_JOB: job.metadata.name,
            LABEL_RUN: run_hash(run),
            **(labels or {}),
        },
        "ownerReferences": [
            {
                "apiVersion": API_VERSION,
                "kind": KIND,
                "name": job.metadata.name,
                "uid": job.metadata.uid,
                "controller": True,
                "blockOwnerDeletion": False,
            }
        ],
    }


def with_digest(manifest: Manifest, digest: str) -> Manifest:
    """The object with a digest of what it was asked to be, by which a change is seen later."""
    metadata = manifest["metadata"]
    annotations = {**metadata.get("annotations", {}), ANNOTATION_DIGEST: digest}
    return {**manifest, "metadata": {**metadata, "annotations": annotations}}


def digest_of(manifest: Manifest) -> str:
    """The digest that `with_digest` has put into an object; empty where there is none."""
    annotations = manifest["metadata"].get("annotations") or {}
    return str(annotations.get(ANNOTATION_DIGEST, ""))
