"""Pod templates add to pods; what must not be in them is named, with the cure."""

from __future__ import annotations

from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from trainyard_api.problems import find_problems, parse_job_object

SIDECAR = {"name": "shipper", "image": "example/shipper", "command": ["/shipper", "--quiet"]}


def problems_of(workers: object = None, serving: object = None) -> dict[str, str]:
    """The problems of a job with these templates, by field."""
    job = {
        "apiVersion": "trainyard.dev/v1alpha1",
        "kind": "TrainingJob",
        "metadata": {"name": "fashion"},
        "spec": {
            "data": {"source": {"uri": "keras://mnist"}},
            "model": {"architecture": "dense"},
            "workers": {"template": workers or {}},
            "serving": {"template": serving or {}},
        },
    }
    return {p.field: p.message for p in find_problems(parse_job_object(job))}


def of_spec(text: str) -> dict[str, str]:
    """The problems of a worker template with this pod spec, fields relative to it."""
    found = problems_of({"spec": yaml.safe_load(text)})
    return {field.removeprefix("spec.workers.template.spec."): m for field, m in found.items()}


def test_a_template_as_tfjob_users_write_it_is_refused_with_the_cure() -> None:
    found = of_spec("""
        restartPolicy: OnFailure
        containers: [{name: tensorflow, image: example/mnist, command: [python, /opt/mnist.py]}]
    """)
    assert set(found) == {"restartPolicy", "containers[0]"}
    assert "use spec.workers.image and spec.workers.command" in found["containers[0]"]
    assert "backoffLimit" in found["restartPolicy"]


@pytest.mark.parametrize(
    "text",
    [
        "containers: [{name: tensorflow, image: a}]",
        "containers: [{name: pytorch, image: a}]",
        "{restartPolicy: Never, containers: [{name: mine, image: a}]}",
        "containers: [{name: mine, image: a, resources: {limits: {nvidia.com/gpu: 1}}}]",
        "containers: [{name: mine, image: a, command: [/usr/bin/python3, train.py]}]",
        "containers: [{name: mine, image: a, command: [sh, -c, 'cd /opt && python3.11 -m mine']}]",
        "containers: [{name: mine, image: a, command: [/opt/train.py]}]",
        "containers: [{name: mine, image: a, args: [torchrun, mine]}]",
    ],
)
def test_a_container_that_seems_to_be_the_program_is_refused(text: str) -> None:
    message = of_spec(text)["containers[0]"]
    assert "use spec.workers.image and spec.workers.command" in message
    assert "initContainers with restartPolicy: Always" in message
    assert "- name: trainer" in message


@pytest.mark.parametrize(
    "pod",
    [
        {"containers": [SIDECAR]},
        {"containers": [{"name": "istio-proxy", "image": "a"}]},
        {
            "containers": [
                {"name": "exporter", "command": ["python", "-m", "x"]},
                {"name": "trainer"},
            ]
        },
        {"initContainers": [{"name": "x", "command": ["python"], "restartPolicy": "Always"}]},
    ],
)
def test_a_sidecar_is_welcome(pod: object) -> None:
    assert problems_of({"spec": pod}) == {}


def test_a_served_program_in_a_template_is_refused_too() -> None:
    pod = {"containers": [{"name": "kserve-container", "image": "a"}]}
    found = problems_of(serving={"spec": pod})
    assert "'serving'" in found["spec.serving.template.spec.containers[0]"]


@pytest.mark.parametrize(
    ("text", "field"),
    [
        ("restartPolicy: Always", "restartPolicy"),
        ("automountServiceAccountToken: true", "automountServiceAccountToken"),
        ("hostname: a", "hostname"),
        ("subdomain: a", "subdomain"),
        ("activeDeadlineSeconds: 5", "activeDeadlineSeconds"),
        ("ephemeralContainers: [{name: debug}]", "ephemeralContainers"),
        ("containers: [{name: trainer, command: [python, x.py]}]", "containers[0].command"),
        ("containers: [{name: trainer, args: [x]}]", "containers[0].args"),
        ("containers: [{name: trainer, restartPolicy: Always}]", "containers[0].restartPolicy"),
        (
            "containers: [{name: trainer, env: [{name: A}, {name: TF_CONFIG, value: x}]}]",
            "containers[0].env[1]",
        ),
        (
            "containers: [{name: trainer, terminationMessagePath: /tmp/x}]",
            "containers[0].terminationMessagePath",
        ),
    ],
)
def test_what_the_operator_steers_pods_by_is_not_the_templates(text: str, field: str) -> None:
    assert list(of_spec(text)) == [field]


def test_the_labels_that_pods_are_found_by_are_refused() -> None:
    found = problems_of({"metadata": {"labels": {"trainyard.dev/job": "x", "team": "vision"}}})
    assert list(found) == ["spec.workers.template.metadata.labels"]
    assert "trainyard.dev/job" in found["spec.workers.template.metadata.labels"]


CONTEXTS = [
    ("privileged: true", "privileged"),
    ("allowPrivilegeEscalation: true", "allowPrivilegeEscalation"),
    ("runAsNonRoot: false", "runAsNonRoot"),
    ("runAsUser: 0", "runAsUser"),
    ("procMount: Unmasked", "procMount"),
    ("seccompProfile: {type: Unconfined}", "seccompProfile.type"),
    ("appArmorProfile: {type: Unconfined}", "appArmorProfile.type"),
    ("seLinuxOptions: {type: spc_t}", "seLinuxOptions.type"),
    ("seLinuxOptions: {user: sysadm_u}", "seLinuxOptions.user"),
    ("windowsOptions: {hostProcess: true}", "windowsOptions.hostProcess"),
    ("capabilities: {add: [NET_BIND_SERVICE, SYS_ADMIN]}", "capabilities.add"),
    ("capabilities: {drop: [NET_RAW]}", "capabilities.drop"),
]


@pytest.mark.parametrize("kind", ["containers", "initContainers"])
@pytest.mark.parametrize(("context", "field"), CONTEXTS)
def test_no_container_may_be_less_than_restricted(kind: str, context: str, field: str) -> None:
    containers = [SIDECAR, {"name": "x", "securityContext": yaml.safe_load(context)}]
    found = problems_of({"spec": {kind: containers}}, {"spec": {kind: containers}})
    assert list(found) == [
        f"spec.{block}.template.spec.{kind}[1].securityContext.{field}"
        for block in ("workers", "serving")
    ]


@pytest.mark.parametrize(
    ("text", "field"),
    [
        ("hostPID: true", "hostPID"),
        ("hostIPC: true", "hostIPC"),
        ("hostNetwork: true", "hostNetwork"),
        ("securityContext: {runAsUser: 0}", "securityContext.runAsUser"),
        ("securityContext: {runAsNonRoot: false}", "securityContext.runAsNonRoot"),
        (
            "securityContext: {seccompProfile: {type: Unconfined}}",
            "securityContext.seccompProfile.type",
        ),
        (
            "securityContext: {sysctls: [{name: kernel.msgmax, value: '1'}]}",
            "securityContext.sysctls[0]",
        ),
        (
            "volumes: [{name: a, emptyDir: {}}, {name: b, hostPath: {path: /}}]",
            "volumes[1].hostPath",
        ),
        (
            "volumes: [{name: t, projected: {sources: [{serviceAccountToken: {path: t}}]}}]",
            "volumes[0].projected.sources[0].serviceAccountToken",
        ),
        (
            "initContainers: [{name: x, ports: [{containerPort: 1, hostPort: 1}]}]",
            "initContainers[0].ports[0].hostPort",
        ),
        (
            "initContainers: [{name: x, livenessProbe: {httpGet: {host: 10.0.0.1, port: 1}}}]",
            "initContainers[0].livenessProbe.httpGet.host",
        ),
    ],
)
def test_no_pod_may_be_less_than_restricted(text: str, field: str) -> None:
    assert list(of_spec(text)) == [field]


def test_what_templates_are_for_is_welcome() -> None:
    pod = """
        serviceAccountName: reader
        automountServiceAccountToken: false
        restartPolicy: Never
        nodeSelector: {pool: gpu}
        tolerations: [{key: gpu, operator: Exists}]
        securityContext: {runAsUser: 1000, supplementalGroups: [100]}
        volumes:
          - {name: cache, emptyDir: {}}
          - name: token
            projected: {sources: [{serviceAccountToken: {path: t, audience: vault}}]}
        containers:
          - name: trainer
            image: example/trainer
            env: [{name: EXTRA, value: "1"}]
            securityContext: {readOnlyRootFilesystem: false}
            volumeMounts: [{name: cache, mountPath: /cache}]
    """
    assert of_spec(pod) == {}


KEYS = st.sampled_from(
    [
        "containers",
        "initContainers",
        "volumes",
        "securityContext",
        "capabilities",
        "add",
        "drop",
        "name",
        "env",
        "ports",
        "command",
        "resources",
        "limits",
        "seccompProfile",
        "type",
        "projected",
        "sources",
        "lifecycle",
        "sysctls",
    ]
)
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.just("trainer"),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=4),
    max_leaves=20,
)


@given(st.dictionaries(KEYS, ANYTHING))
def test_any_template_gets_an_answer(pod: dict[str, Any]) -> None:
    assert all(message for message in problems_of({"spec": pod}, {"spec": pod}).values())
