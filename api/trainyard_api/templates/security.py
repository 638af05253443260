"""What the Pod Security Standard `restricted` forbids, field by field, and the pod's token.

Source: https://kubernetes.io/docs/concepts/security/pod-security-standards/ (v1.34). What it
asks for and a template leaves out is added when the template is laid over a pod.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from trainyard_api.problem import Problem
from trainyard_api.spec.shared import PodTemplate
from trainyard_api.templates.pod import Block, Target, block, blocks, containers, items

_VOLUMES: Final = (
    "configMap",
    "csi",
    "downwardAPI",
    "emptyDir",
    "ephemeral",
    "image",
    "persistentVolumeClaim",
    "projected",
    "secret",
)
_PROFILES: Final = (None, "RuntimeDefault", "Localhost")
_SELINUX_TYPES: Final = (
    None,
    "",
    "container_t",
    "container_init_t",
    "container_kvm_t",
    "container_engine_t",
)
_SYSCTLS: Final = (
    "kernel.shm_rmid_forced",
    "net.ipv4.ip_local_port_range",
    "net.ipv4.ip_local_reserved_ports",
    "net.ipv4.ip_unprivileged_port_start",
    "net.ipv4.ping_group_range",
    "net.ipv4.tcp_fin_timeout",
    "net.ipv4.tcp_keepalive_intvl",
    "net.ipv4.tcp_keepalive_probes",
    "net.ipv4.tcp_keepalive_time",
    "net.ipv4.tcp_rmem",
    "net.ipv4.tcp_syncookies",
    "net.ipv4.tcp_wmem",
)
_APPARMOR_ANNOTATION: Final = "container.apparmor.security.beta.kubernetes.io/"
_LEAVE_OUT: Final = "leave it out: Trainyard's pods are restricted"


def weakened_security(target: Target, template: PodTemplate) -> Iterator[Problem]:
    """Fields by which a pod would be less restricted than Trainyard builds it."""
    pod = template.spec
    yield from _pod(target, pod)
    for name, value in template.metadata.annotations.items():
        if name.startswith(_APPARMOR_ANNOTATION) and value == "unconfined":
            field = f"{target.field}.metadata.annotations"
            yield Problem(field, f"{name} cannot be {value}; {_LEAVE_OUT}")
    yield from _context(f"{target.spec}.securityContext", block(pod.get("securityContext")))
    for index, volume in blocks(pod.get("volumes")):
        yield from _volume(f"{target.spec}.volumes[{index}]", volume)
    for field, container in containers(target, pod):
        yield from _context(f"{field}.securityContext", block(container.get("securityContext")))
        yield from _ports_and_probes(field, container)


def _pod(target: Target, pod: Block) -> Iterator[Problem]:
    for name in ("hostNetwork", "hostPID", "hostIPC"):
        yield from _must_be_false(f"{target.spec}.{name}", pod.get(name))
    if pod.get("automountServiceAccountToken") not in (None, False):
        yield Problem(
            f"{target.spec}.automountServiceAccountToken",
            "the program needs no token of Kubernetes; leave it out",
        )
    for index, setting in blocks(block(pod.get("securityContext")).get("sysctls")):
        if setting.get("name") not in _SYSCTLS:
            field = f"{target.spec}.securityContext.sysctls[{index}]"
            yield Problem(field, f"{setting.get('name')} is not among the safe ones; {_LEAVE_OUT}")


def _context(field: str, context: Block) -> Iterator[Problem]:
    """What a pod's or a container's security context must not say."""
    yield from _must_be_false(f"{field}.privileged", context.get("privileged"))
    escalation = context.get("allowPrivilegeEscalation")
    yield from _must_be_false(f"{field}.allowPrivilegeEscalation", escalation)
    if context.get("runAsNonRoot") not in (None, True):
        yield Problem(f"{field}.runAsNonRoot", f"cannot be false; {_LEAVE_OUT}")
    if context.get("runAsUser") == 0:
        yield Problem(f"{field}.runAsUser", "cannot be 0, which is root; use another user's number")
    if context.get("procMount") not in (None, "", "Default"):
        yield Problem(f"{field}.procMount", f"must be Default; {_LEAVE_OUT}")
    for name in ("seccompProfile", "appArmorProfile"):
        if (kind := block(context.get(name)).get("type")) not in _PROFILES:
            message = f"cannot be {kind}; use RuntimeDefault or Localhost"
            yield Problem(f"{field}.{name}.type", message)
    options = block(context.get("seLinuxOptions"))
    for name in ("user", "role"):
        if options.get(name) not in (None, ""):
            yield Problem(f"{field}.seLinuxOptions.{name}", _LEAVE_OUT)
    if options.get("type") not in _SELINUX_TYPES:
        yield Problem(f"{field}.seLinuxOptions.type", f"cannot be {options['type']}; {_LEAVE_OUT}")
    host_process = block(context.get("windowsOptions")).get("hostProcess")
    yield from _must_be_false(f"{field}.windowsOptions.hostProcess", host_process)
    yield from _capabilities(f"{field}.capabilities", block(context.get("capabilities")))


def _capabilities(field: str, capabilities: Block) -> Iterator[Problem]:
    if wrong := [name for name in items(capabilities.get("add")) if name != "NET_BIND_SERVICE"]:
        names = ", ".join(map(str, wrong))
        yield Problem(f"{field}.add", f"cannot give {names}; {_LEAVE_OUT}")
    dropped = capabilities.get("drop")
    if dropped is not None and "ALL" not in items(dropped):
        yield Problem(f"{field}.drop", f"must have ALL; {_LEAVE_OUT}")


def _volume(field: str, volume: Block) -> Iterator[Problem]:
    for kind in volume:
        if kind != "name" and kind not in _VOLUMES and volume[kind] is not None:
            yield Problem(f"{field}.{kind}", "pods are restricted; use a persistentVolumeClaim")
    for index, source in blocks(block(volume.get("projected")).get("sources")):
        token = source.get("serviceAccountToken")
        if isinstance(token, dict) and not token.get("audience"):
            yield Problem(
                f"{field}.projected.sources[{index}].serviceAccountToken",
                "the program needs no token of Kubernetes; name the audience that it is for",
            )


def _ports_and_probes(field: str, container: Block) -> Iterator[Problem]:
    for index, port in blocks(container.get("ports")):
        if port.get("hostPort") not in (None, 0):
            message = "pods have an address of their own; leave it out"
            yield Problem(f"{field}.ports[{index}].hostPort", message)
    lifecycle = block(container.get("lifecycle"))
    handlers = {
        name: container.get(name) for name in ("livenessProbe", "readinessProbe", "startupProbe")
    } | {f"lifecycle.{name}": lifecycle.get(name) for name in ("postStart", "preStop")}
    for name, handler in handlers.items():
        for kind in ("httpGet", "tcpSocket"):
            if block(block(handler).get(kind)).get("host") not in (None, ""):
                message = "asks another host than the pod; leave it out"
                yield Problem(f"{field}.{name}.{kind}.host", message)


def _must_be_false(field: str, value: object) -> Iterator[Problem]:
    if value not in (None, False):
        yield Problem(field, f"cannot be {str(value).lower()}; {_LEAVE_OUT}")
