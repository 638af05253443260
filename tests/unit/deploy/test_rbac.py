"""The operator may do what its code does, and nothing else."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import pytest

from trainyard_api.names import KIND
from trainyard_operator.hands.cluster.api import Api
from trainyard_operator.hands.cluster.children import Children
from trainyard_operator.hands.cluster.resources import _BASES

Manifest = dict[str, Any]
Permission = tuple[str, str, str]

USED: dict[str, tuple[str, str, frozenset[str]]] = {
    # kind: (group, resource, verbs). Informers: list and watch; actor: create, delete, patch where
    # a plan replaces (server-side apply), and get (names that are taken); complaints: list events.
    "TrainingJob": (
        "trainyard.dev",
        "trainingjobs",
        # delete: ttlSecondsAfterFinished
        frozenset({"get", "list", "watch", "delete"}),
    ),
    "Pod": ("", "pods", frozenset({"get", "list", "watch", "create", "delete"})),
    "Service": ("", "services", frozenset({"get", "list", "watch", "create", "patch", "delete"})),
    "Deployment": (
        "apps",
        "deployments",
        frozenset({"get", "list", "watch", "create", "patch", "delete"}),
    ),
    "NetworkPolicy": (
        "networking.k8s.io",
        "networkpolicies",
        frozenset({"get", "list", "watch", "create", "patch", "delete"}),
    ),
    "Event": ("", "events", frozenset({"list", "create"})),
}
LEASE = {("coordination.k8s.io", "leases", verb) for verb in ("get", "create", "update")}
"""In the operator's own namespace only, not where jobs are."""
FURTHER: set[Permission] = {("trainyard.dev", "trainingjobs/status", "update")}


def used() -> set[Permission]:
    """What the operator's requests need in a namespace."""
    return FURTHER | {
        (group, resource, verb) for group, resource, verbs in USED.values() for verb in verbs
    }


def permissions(role: Manifest) -> set[Permission]:
    """What a role allows."""
    return {
        (group, resource, verb)
        for rule in role["rules"]
        for group in rule["apiGroups"]
        for resource in rule["resources"]
        for verb in rule["verbs"]
    }


def roles(manifests: Iterable[Manifest]) -> dict[str, Manifest]:
    """Roles of either scope, by name."""
    kinds = ("Role", "ClusterRole")
    return {m["metadata"]["name"]: m for m in manifests if m["kind"] in kinds}


def test_the_table_has_every_kind_that_the_code_has_a_path_for() -> None:
    assert set(USED) | {"Lease"} == set(_BASES)
    assert KIND in USED


def test_the_table_has_every_watch() -> None:
    api: Any = Api
    for kind in Children(api, lambda _: None, None).informers:
        assert {"list", "watch"} <= USED[kind][2]


def test_the_operator_may_do_exactly_what_it_does(operator_manifests: list[Manifest]) -> None:
    assert permissions(roles(operator_manifests)["trainyard"]) == used()


def test_no_role_has_a_wildcard_or_reads_secrets(operator_manifests: list[Manifest]) -> None:
    for role in roles(operator_manifests).values():
        for permission in permissions(role):
            assert "*" not in permission
            assert permission[1] not in ("secrets", "configmaps", "pods/exec")
        assert all("nonResourceURLs" not in rule for rule in role["rules"])


def test_the_role_is_bound_to_the_service_account_of_the_pod(
    operator_manifests: list[Manifest],
) -> None:
    binding = next(m for m in operator_manifests if m["kind"] == "ClusterRoleBinding")
    account = next(m for m in operator_manifests if m["kind"] == "ServiceAccount")
    deployment = next(m for m in operator_manifests if m["kind"] == "Deployment")
    assert binding["roleRef"]["name"] in roles(operator_manifests)
    assert [s["name"] for s in binding["subjects"]] == [account["metadata"]["name"]]
    spec = deployment["spec"]["template"]["spec"]
    assert spec["serviceAccountName"] == account["metadata"]["name"]


def test_with_one_namespace_nothing_of_the_whole_cluster_is_allowed(
    helm_template: Callable[..., list[Manifest]],
) -> None:
    manifests = helm_template(watchNamespace="team-a", crds={"install": False})
    assert not [m for m in manifests if m["kind"].startswith("Cluster")]
    role, lease = roles(manifests)["trainyard"], roles(manifests)["trainyard-lease"]
    assert role["metadata"]["namespace"] == "team-a"
    assert permissions(role) == used()
    assert lease["metadata"]["namespace"] != "team-a"
    assert permissions(lease) == LEASE


@pytest.mark.parametrize("role", ["view", "edit"])
def test_users_get_jobs_by_the_roles_of_the_cluster(
    operator_manifests: list[Manifest], role: str
) -> None:
    found = roles(operator_manifests)[f"trainyard-{role}"]
    assert found["metadata"]["labels"][f"rbac.authorization.k8s.io/aggregate-to-{role}"] == "true"
    writes = {"create", "update", "patch", "delete", "deletecollection"}
    allowed = {verb for _, resource, verb in permissions(found) if resource == "trainingjobs"}
    assert bool(allowed & writes) == (role == "edit")
    allowed = {verb for _, resource, verb in permissions(found) if "/status" in resource}
    assert not allowed & writes
