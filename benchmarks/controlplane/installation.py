"""Installs Trainyard from its manifests, but for the pod of the operator, and takes its place.

The operator gets what the manifests give it: its own service account with the role's rights, which
is also the name under which its requests are noted down, and the environment of its container.
"""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from benchmarks.controlplane.api import SERVER_SIDE_APPLY, Access, Api, ApiError, Object
from trainyard_api.names import API_VERSION, PLURAL

MANIFESTS = Path(__file__).parents[2] / "manifests"
NAMESPACE = "trainyard-system"
ACCOUNT = "trainyard"
USER = f"system:serviceaccount:{NAMESPACE}:{ACCOUNT}"
TOKEN_SECONDS = 86400
NOT_YET = frozenset({404, 429, 503})
"""Answers about a kind that is not served yet."""

COLLECTIONS: Mapping[str, str] = {
    "Namespace": "/api/v1/namespaces",
    "ServiceAccount": f"/api/v1/namespaces/{NAMESPACE}/serviceaccounts",
    "ClusterRole": "/apis/rbac.authorization.k8s.io/v1/clusterroles",
    "ClusterRoleBinding": "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings",
    "Role": f"/apis/rbac.authorization.k8s.io/v1/namespaces/{NAMESPACE}/roles",
    "RoleBinding": f"/apis/rbac.authorization.k8s.io/v1/namespaces/{NAMESPACE}/rolebindings",
    "CustomResourceDefinition": "/apis/apiextensions.k8s.io/v1/customresourcedefinitions",
}
"""What is installed, and where; all else is for a cluster that runs pods."""


@dataclass(frozen=True)
class Identity:
    """What the operator's process gets: as whom it asks, and its container's environment."""

    token: str
    environment: Mapping[str, str]

    def write_kubeconfig(self, path: Path, access: Access) -> None:
        """Writes the file that the operator is to connect by."""
        authority = base64.b64encode((access.pki / "ca.crt").read_bytes()).decode()
        cluster = {"server": access.server, "certificate-authority-data": authority}
        config = {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": "benchmark", "cluster": cluster}],
            "users": [{"name": ACCOUNT, "user": {"token": self.token}}],
            "contexts": [
                {"name": "benchmark", "context": {"cluster": "benchmark", "user": ACCOUNT}}
            ],
            "current-context": "benchmark",
        }
        path.touch(mode=0o600)
        path.write_text(yaml.safe_dump(config))


async def install(api: Api) -> Identity:
    """Installs the manifests; returns what the operator's process gets."""
    manifests = [
        manifest
        for file in ("namespace.yaml", "crd.yaml", "operator.yaml")
        for manifest in yaml.safe_load_all((MANIFESTS / file).read_text())
    ]
    environment: dict[str, str] = {}
    for manifest in manifests:
        if manifest["kind"] == "Deployment":
            environment |= container_environment(manifest)
        elif manifest["kind"] in COLLECTIONS:
            path = f"{COLLECTIONS[manifest['kind']]}/{manifest['metadata']['name']}"
            owner = "?fieldManager=benchmark&force=true"
            await api.patch(f"{path}{owner}", manifest, SERVER_SIDE_APPLY)
    await _wait_for_jobs(api)
    path = f"{COLLECTIONS['ServiceAccount']}/{ACCOUNT}/token"
    asked = {"spec": {"expirationSeconds": TOKEN_SECONDS}}
    token = await api.create(path, asked)
    return Identity(token["status"]["token"], environment)


async def _wait_for_jobs(api: Api) -> None:
    """Waits until a kind that is new to the API server can be listed and watched."""
    while True:
        try:
            # From its cache: that is what it refuses until the kind can be watched.
            await api.get(f"/apis/{API_VERSION}/{PLURAL}?resourceVersion=0")
            return
        except ApiError as error:
            if error.status not in NOT_YET:
                raise
        await asyncio.sleep(0.1)


def container_environment(deployment: Object) -> dict[str, str]:
    """Returns the environment of a Deployment's first container, as its pod would see it."""
    variables: list[dict[str, Any]] = deployment["spec"]["template"]["spec"]["containers"][0].get(
        "env", []
    )
    fields = {"metadata.namespace": NAMESPACE, "metadata.name": f"{ACCOUNT}-0"}
    found: dict[str, str] = {}
    for variable in variables:
        source = variable.get("valueFrom", {}).get("fieldRef", {}).get("fieldPath")
        found[variable["name"]] = fields.get(source, "") if source else variable.get("value", "")
    return found
