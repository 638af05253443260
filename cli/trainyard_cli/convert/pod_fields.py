"""What may stand in a pod template; a misspelt field would be gone without a word.

Source: https://kubernetes.io/docs/reference/kubernetes-api/workload-resources/pod-v1/ (v1.34).
"""

from __future__ import annotations

from typing import Any, Final

from trainyard_cli.convert.outcome import Block, NotConvertible
from trainyard_cli.convert.tfjob import unknown_field


def _words(text: str) -> list[str]:
    return text.split()


_TEMPLATE: Final = ["metadata", "spec"]
_POD: Final = _words("""
    activeDeadlineSeconds affinity automountServiceAccountToken containers dnsConfig dnsPolicy
    enableServiceLinks ephemeralContainers hostAliases hostIPC hostNetwork hostPID hostUsers
    hostname hostnameOverride imagePullSecrets initContainers nodeName nodeSelector os overhead
    preemptionPolicy priority priorityClassName readinessGates resourceClaims resources
    restartPolicy runtimeClassName schedulerName schedulingGates securityContext serviceAccount
    serviceAccountName setHostnameAsFQDN shareProcessNamespace subdomain
    terminationGracePeriodSeconds tolerations topologySpreadConstraints volumes
""")
_CONTAINER: Final = _words("""
    args command env envFrom image imagePullPolicy lifecycle livenessProbe name ports readinessProbe
    resizePolicy resources restartPolicy restartPolicyRules securityContext startupProbe stdin
    stdinOnce terminationMessagePath terminationMessagePolicy tty volumeDevices volumeMounts
    workingDir
""")
_LISTS: Final = (
    ("containers", _CONTAINER),
    ("initContainers", _CONTAINER),
    ("volumes", None),
    ("tolerations", None),
    ("imagePullSecrets", None),
)
_LISTS_OF_A_CONTAINER: Final = ("env", "envFrom", "volumeMounts", "ports")


def check_template(field: str, template: Block) -> None:
    """See that a pod template has the form of one.

    Raises:
        NotConvertible: a field is unknown, or of a wrong type; the first one.
    """
    _check_names(field, template, _TEMPLATE)
    for name in _TEMPLATE:
        _check_block(f"{field}.{name}", template.get(name, {}))
    spec = template.get("spec", {})
    _check_names(f"{field}.spec", spec, _POD)
    for name, known in _LISTS:
        for place, item in _items(f"{field}.spec.{name}", spec.get(name, [])):
            if known is not None:
                _check_container(place, item, known)


def _check_container(field: str, container: Block, known: list[str]) -> None:
    _check_names(field, container, known)
    for name in ("command", "args"):
        words = container.get(name, [])
        if not isinstance(words, list) or not all(isinstance(word, str) for word in words):
            raise NotConvertible(f"{field}.{name}", "must be a list of texts; quote its numbers")
    for name in ("resources", "securityContext"):
        _check_block(f"{field}.{name}", container.get(name, {}))
    for name in ("limits", "requests"):
        _check_block(f"{field}.resources.{name}", container.get("resources", {}).get(name, {}))
    for name in _LISTS_OF_A_CONTAINER:
        _items(f"{field}.{name}", container.get(name, []))


def _check_names(field: str, block: Block, known: list[str]) -> None:
    for name in block:
        if name not in known:
            raise NotConvertible(f"{field}.{name}", unknown_field(str(name), known))


def _check_block(field: str, value: Any) -> None:
    if not isinstance(value, dict):
        raise NotConvertible(field, f"must be a block with fields of its own, not {value!r}")


def _items(field: str, value: Any) -> list[tuple[str, Block]]:
    """The objects of a list, with their places."""
    if not isinstance(value, list):
        raise NotConvertible(field, f"must be a list, not {value!r}")
    found = [(f"{field}[{index}]", item) for index, item in enumerate(value)]
    for place, item in found:
        _check_block(place, item)
        if not isinstance(item.get("name", ""), str):
            raise NotConvertible(f"{place}.name", f"must be a text, not {item['name']!r}")
    return found
