"""The ConfigMap that brings a job's own code into a cluster."""

from __future__ import annotations

import base64
from typing import Any, Final

from trainyard_api.names import (
    API_VERSION,
    CODE_KEY,
    KIND,
    LABEL_JOB,
    LABEL_MANAGED_BY,
    MANAGED_BY_VALUE,
    code_name,
)
from trainyard_cli.errors import WrongInput
from trainyard_cli.own_code.packing import Packed

_MOST_BYTES: Final = 1_000_000
"""Kubernetes takes 1 MiB for the whole object."""


def build_config_map(job: str, namespace: str | None, packed: Packed) -> dict[str, Any]:
    """A ConfigMap of the archive, which never changes: other code has another name.

    Args:
        job: name of the job.
        namespace: that the job's file names; None: where kubectl puts it.

    Raises:
        WrongInput: the archive is too large for one.
    """
    if len(packed.content) > _MOST_BYTES:
        raise WrongInput(
            f"--code: packed it has {len(packed.content):,} bytes, and a ConfigMap holds a "
            "million; leave out what is no code, or put the archive to an address and name it in "
            "spec.code"
        )
    metadata: dict[str, Any] = {
        "name": code_name(job, packed.sha256),
        "labels": {LABEL_JOB: job, LABEL_MANAGED_BY: MANAGED_BY_VALUE},
    }
    if namespace is not None:
        metadata["namespace"] = namespace
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": metadata,
        "immutable": True,
        "binaryData": {CODE_KEY: base64.b64encode(packed.content).decode()},
    }


def with_owner(config_map: dict[str, Any], job: dict[str, Any]) -> dict[str, Any]:
    """The ConfigMap as one that goes when its job does.

    Args:
        job: as the cluster keeps it.
    """
    owner = {
        "apiVersion": API_VERSION,
        "kind": KIND,
        "name": job["metadata"]["name"],
        "uid": job["metadata"]["uid"],
    }
    metadata = {
        **config_map["metadata"],
        "namespace": job["metadata"]["namespace"],
        "ownerReferences": [owner],
    }
    return {**config_map, "metadata": metadata}
