"""The operator's pod is restricted and told its settings; options do what they say."""

from __future__ import annotations

import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from trainyard_images.build import Built
from trainyard_images.cli import helm_values
from trainyard_images.errors import CommandFailed
from trainyard_operator.settings import Settings

Manifest = dict[str, Any]
Render = Callable[..., list[Manifest]]


def deployment_of(manifests: list[Manifest]) -> Manifest:
    """The one Deployment."""
    (found,) = [m for m in manifests if m["kind"] == "Deployment"]
    return found


def pod_of(manifests: list[Manifest]) -> Manifest:
    """The spec of the operator's pod."""
    spec: Manifest = deployment_of(manifests)["spec"]["template"]["spec"]
    return spec


def environment_of(manifests: list[Manifest]) -> dict[str, str]:
    """Variables of the operator's container."""
    return {entry["name"]: entry["value"] for entry in pod_of(manifests)["containers"][0]["env"]}


def violations(pod: Manifest) -> list[str]:
    """Where a pod breaks the restricted Pod Security Standard."""
    found = [
        f"{key} is set" for key in ("hostNetwork", "hostPID", "hostIPC") if pod.get(key, False)
    ]
    security = pod["securityContext"]
    if not security.get("runAsNonRoot") or security.get("runAsUser") == 0:
        found.append("may run as root")
    if security.get("seccompProfile", {}).get("type") not in ("RuntimeDefault", "Localhost"):
        found.append("no seccomp profile")
    allowed = {"configMap", "csi", "downwardAPI", "emptyDir", "ephemeral", "projected", "secret"}
    allowed |= {"name", "persistentVolumeClaim"}
    for volume in pod.get("volumes", []):
        found += [f"volume of type {kind}" for kind in volume if kind not in allowed]
    for container in [*pod["containers"], *pod.get("initContainers", [])]:
        security = container["securityContext"]
        if security.get("privileged") or security.get("allowPrivilegeEscalation") is not False:
            found.append(f"{container['name']} may escalate")
        capabilities = security.get("capabilities", {})
        if capabilities.get("drop") != ["ALL"] or capabilities.get("add"):
            found.append(f"{container['name']} keeps capabilities")
        found += [f"host port {p}" for p in container.get("ports", []) if "hostPort" in p]
    return found


def test_the_pod_is_restricted_and_its_root_read_only(operator_manifests: list[Manifest]) -> None:
    pod = pod_of(operator_manifests)
    assert violations(pod) == []
    (container,) = pod["containers"]
    assert container["securityContext"]["readOnlyRootFilesystem"] is True
    assert [mount["mountPath"] for mount in container["volumeMounts"]] == ["/tmp"]


def test_the_namespace_enforces_what_the_pod_satisfies(root: Path) -> None:
    namespace = yaml.safe_load((root / "manifests/namespace.yaml").read_text())
    assert namespace["metadata"]["labels"]["pod-security.kubernetes.io/enforce"] == "restricted"


def test_every_variable_is_a_setting_of_the_operator(operator_manifests: list[Manifest]) -> None:
    known = {f"TRAINYARD_{name.upper()}" for name in Settings.model_fields}
    assert set(environment_of(operator_manifests)) <= known


def test_defaults_are_those_of_the_operator(operator_manifests: list[Manifest]) -> None:
    given = environment_of(operator_manifests)
    for name in ("image_pull_policy", "storage_uri", "watch_namespace", "log_format"):
        assert given[f"TRAINYARD_{name.upper()}"] == Settings.model_fields[name].default
    assert int(given["TRAINYARD_METRICS_PORT"]) == Settings.model_fields["metrics_port"].default


def test_probes_and_service_meet_the_port_of_the_operator(
    operator_manifests: list[Manifest],
) -> None:
    (container,) = pod_of(operator_manifests)["containers"]
    (port,) = container["ports"]
    assert port["containerPort"] == Settings.model_fields["metrics_port"].default
    assert container["livenessProbe"]["httpGet"] == {"path": "/healthz", "port": port["name"]}
    assert container["readinessProbe"]["httpGet"] == {"path": "/readyz", "port": port["name"]}
    service = next(m for m in operator_manifests if m["kind"] == "Service")
    labels = deployment_of(operator_manifests)["spec"]["template"]["metadata"]["labels"]
    assert service["spec"]["selector"].items() <= labels.items()


def test_another_operator_stands_by_on_another_node(operator_manifests: list[Manifest]) -> None:
    spec = deployment_of(operator_manifests)["spec"]
    assert spec["replicas"] == 2
    assert spec["strategy"]["rollingUpdate"] == {"maxSurge": 1, "maxUnavailable": 0}
    labels = spec["template"]["metadata"]["labels"]
    (spread,) = spec["template"]["spec"]["topologySpreadConstraints"]
    assert spread["topologyKey"] == "kubernetes.io/hostname"
    assert spread["labelSelector"]["matchLabels"].items() <= labels.items()
    (budget,) = [m for m in operator_manifests if m["kind"] == "PodDisruptionBudget"]
    assert budget["spec"]["maxUnavailable"] == 1
    assert budget["spec"]["selector"]["matchLabels"].items() <= labels.items()


def test_a_single_operator_may_be_evicted(helm_template: Render) -> None:
    manifests = helm_template(replicas=1)
    assert "PodDisruptionBudget" not in [m["kind"] for m in manifests]


def test_operators_of_one_installation_share_a_lease_that_they_may_write(
    operator_manifests: list[Manifest],
) -> None:
    given = environment_of(operator_manifests)
    namespace = deployment_of(operator_manifests)["metadata"]["namespace"]
    assert given["TRAINYARD_LEASE_NAMESPACE"] == namespace
    (role,) = [m for m in operator_manifests if m["kind"] == "Role"]
    assert role["metadata"]["namespace"] == namespace
    named = [rule.get("resourceNames") for rule in role["rules"]]
    assert named == [None, [given["TRAINYARD_LEASE_NAME"]]]


def test_the_chart_has_the_version_of_the_product(root: Path) -> None:
    chart = yaml.safe_load((root / "charts/trainyard/Chart.yaml").read_text())
    version = tomllib.loads((root / "pyproject.toml").read_text())["project"]["version"]
    assert chart["version"] == chart["appVersion"] == version


def test_images_that_were_built_are_values_of_the_chart(helm_template: Render) -> None:
    names = ("operator", "trainer", "serving")
    built = [Built(name, f"10.0.0.1:5000/trainyard/{name}", "abc", 1) for name in names]
    manifests = helm_template(**helm_values(built))
    assert pod_of(manifests)["containers"][0]["image"] == "10.0.0.1:5000/trainyard/operator:abc"
    given = environment_of(manifests)
    assert given["TRAINYARD_TRAINER_IMAGE"] == "10.0.0.1:5000/trainyard/trainer:abc"
    assert given["TRAINYARD_SERVING_IMAGE"] == "10.0.0.1:5000/trainyard/serving:abc"


@pytest.mark.parametrize(
    "values",
    [
        {"storage": {"url": "pvc://a"}},
        {"replicas": 6},
        {"logFormat": "yaml"},
        {"images": {"pullPolicy": "Sometimes"}},
        {"watchNamespace": "a,b"},
    ],
)
def test_a_wrong_value_is_refused(helm_template: Render, values: Manifest) -> None:
    with pytest.raises(CommandFailed):
        helm_template(**values)


def test_the_crd_is_installed_unless_told_otherwise(helm_template: Render) -> None:
    kinds = [m["kind"] for m in helm_template()]
    assert kinds.count("CustomResourceDefinition") == 1
    without = helm_template(crds={"install": False})
    assert "CustomResourceDefinition" not in [m["kind"] for m in without]


def test_monitoring_and_network_policy_are_made_on_request(helm_template: Render) -> None:
    enabled = {"enabled": True, "labels": {"release": "prometheus"}}
    manifests = helm_template(
        metrics={"serviceMonitor": enabled, "prometheusRule": enabled},
        networkPolicy={"enabled": True, "metricsFrom": [{"namespaceSelector": {}}]},
    )
    by_kind = {m["kind"]: m for m in manifests}
    assert by_kind["ServiceMonitor"]["metadata"]["labels"]["release"] == "prometheus"
    service = by_kind["Service"]
    selected = by_kind["ServiceMonitor"]["spec"]["selector"]["matchLabels"]
    assert selected.items() <= service["metadata"]["labels"].items()
    (group,) = by_kind["PrometheusRule"]["spec"]["groups"]
    assert all({"alert", "expr", "annotations"} <= set(rule) for rule in group["rules"])
    assert f'job="{service["metadata"]["name"]}"' in group["rules"][0]["expr"]
    policy = by_kind["NetworkPolicy"]["spec"]
    pod_labels = by_kind["Deployment"]["spec"]["template"]["metadata"]["labels"]
    assert policy["podSelector"]["matchLabels"].items() <= pod_labels.items()
    assert policy["ingress"][0]["from"] == [{"namespaceSelector": {}}]


def test_scheduling_and_extra_variables_reach_the_pod(helm_template: Render) -> None:
    toleration = {"key": "a", "operator": "Exists"}
    manifests = helm_template(
        nodeSelector={"disk": "ssd"},
        tolerations=[toleration],
        affinity={"nodeAffinity": {}},
        priorityClassName="system-cluster-critical",
        extraEnv=[{"name": "TRAINYARD_RESYNC_SECONDS", "value": "600"}],
    )
    pod = pod_of(manifests)
    assert pod["nodeSelector"] == {"disk": "ssd"}
    assert pod["tolerations"] == [toleration]
    assert pod["affinity"] == {"nodeAffinity": {}}
    assert pod["priorityClassName"] == "system-cluster-critical"
    assert environment_of(manifests)["TRAINYARD_RESYNC_SECONDS"] == "600"
