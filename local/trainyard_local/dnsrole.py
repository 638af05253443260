"""What CoreDNS may read: no role that Kubernetes brings is both enough and small."""

from __future__ import annotations

from trainyard_local.api import Api

_RBAC = "/apis/rbac.authorization.k8s.io/v1"
NAME = "trainyard:coredns"


def build_role() -> dict[str, object]:
    """Returns the role."""
    core = ["endpoints", "services", "pods", "namespaces"]
    return {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "ClusterRole",
        "metadata": {"name": NAME},
        "rules": [
            {"apiGroups": [""], "resources": core, "verbs": ["list", "watch"]},
            {
                "apiGroups": ["discovery.k8s.io"],
                "resources": ["endpointslices"],
                "verbs": ["list", "watch"],
            },
        ],
    }


def build_binding() -> dict[str, object]:
    """Returns what gives the role to CoreDNS's certificate."""
    group = "rbac.authorization.k8s.io"
    return {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "ClusterRoleBinding",
        "metadata": {"name": NAME},
        "roleRef": {"apiGroup": group, "kind": "ClusterRole", "name": NAME},
        "subjects": [{"apiGroup": group, "kind": "User", "name": "system:coredns"}],
    }


def grant(api: Api) -> None:
    """Lets CoreDNS read what it answers from."""
    api.apply(f"{_RBAC}/clusterroles/{NAME}", build_role())
    api.apply(f"{_RBAC}/clusterrolebindings/{NAME}", build_binding())
