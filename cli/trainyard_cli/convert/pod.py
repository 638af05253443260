"""From a TFJob's pod to `spec.workers`: the program, its resources, and a template for the rest."""

from __future__ import annotations

from typing import Any, Final

from trainyard_api.names import CONTAINER_TRAINER
from trainyard_cli.convert.outcome import Block, NotConvertible, Note
from trainyard_cli.convert.replicas import CONTAINER, Gang
from trainyard_cli.convert.volumes import fitted_volumes

_PORT_NAME: Final = "tfjob-port"
_PORT: Final = 2222
_OWN_PORTS: Final = ("http", "grpc")
_PROGRAM: Final = ("name", "image", "command", "args", "resources")
"""Fields of the container that have a place of their own in `spec.workers`."""
_OF_WORKERS: Final = ("hostNetwork", "terminationGracePeriodSeconds")
_OF_RUN_POLICY: Final = ("schedulerName", "priorityClassName")


def workers_of(gang: Gang, notes: list[Note]) -> Block:
    """`spec.workers` of a gang.

    Raises:
        NotConvertible: what the program is stands in its image alone, or a mount is in the way.
    """
    pod = fitted_volumes(gang, notes)
    own = {name: pod[name] for name in _OF_WORKERS if pod.get(name)}
    template = {
        "metadata": _metadata(gang.metadata),
        "spec": _template_spec(gang, pod, notes),
    }
    return {
        "replicas": gang.count,
        **_program(gang),
        **_resources(gang.container),
        **own,
        **_if_any("template", {name: block for name, block in template.items() if block}),
    }


def policy_fields(gang: Gang) -> Block:
    """What `runPolicy` has of the pod."""
    return {name: gang.pod[name] for name in _OF_RUN_POLICY if gang.pod.get(name)}


def _program(gang: Gang) -> Block:
    container = gang.container
    field = f"{gang.field}.template.spec.containers[{CONTAINER}]"
    image = container.get("image")
    if not image:
        raise NotConvertible(f"{field}.image", "is required")
    if not container.get("command"):
        words = " ".join(container.get("args", []))
        raise NotConvertible(
            f"{field}.command",
            "is not set, so the program is what the image begins with by itself, which is not "
            "known here. Look it up (docker image inspect -f '{{json .Config.Entrypoint}} "
            f"{{{{json .Config.Cmd}}}}' {image}) and write it as command"
            + (f"; args ({words}) stay as they are" if words else ""),
        )
    return {"image": image, "command": [*container["command"], *container.get("args", [])]}


def _resources(container: Block) -> Block:
    """Limits and requests; a fraction, as of a cpu, is a text here."""
    resources = container.get("resources", {})
    found = {
        name: {
            key: str(value) if isinstance(value, float) else value for key, value in asked.items()
        }
        for name in ("limits", "requests")
        if (asked := resources.get(name))
    }
    return _if_any("resources", found)


def _metadata(metadata: Block) -> Block:
    """Labels and annotations of the pods; the rest is the API server's affair."""
    return {name: metadata[name] for name in ("labels", "annotations") if metadata.get(name)}


def _template_spec(gang: Gang, pod: Block, notes: list[Note]) -> Block:
    field = f"{gang.field}.template.spec"
    # Kubeflow too goes by the role's restartPolicy, whatever the pod says.
    elsewhere = ("containers", "initContainers", "restartPolicy", *_OF_WORKERS, *_OF_RUN_POLICY)
    spec = {name: value for name, value in pod.items() if name not in elsewhere}
    if pod.get("serviceAccountName") or pod.get("serviceAccount"):
        text = "stays, but the pods get no token of it: the program cannot ask Kubernetes"
        notes.append(Note(f"{field}.serviceAccountName", text))
    if pod.get("hostNetwork"):
        text = "is spec.workers.hostNetwork, with ports from a range of the operator's"
        notes.append(Note(f"{field}.hostNetwork", text))
    own, sidecars = _program_and_others(pod)
    for sidecar in sidecars:
        text = (
            "is among initContainers with restartPolicy: Always, so that it ends with the program"
        )
        notes.append(Note(f"{field}.containers[{sidecar['name']}]", text))
    beside = [{**sidecar, "restartPolicy": "Always"} for sidecar in sidecars]
    trainer = _trainer(field, own, notes)
    return {
        **spec,
        **_if_any("initContainers", [*pod.get("initContainers", []), *beside]),
        **_if_any("containers", [{"name": CONTAINER_TRAINER, **trainer}] if trainer else []),
    }


def _program_and_others(pod: Block) -> tuple[Block, list[Block]]:
    containers = pod["containers"]
    own = next(item for item in containers if item.get("name") == CONTAINER)
    others = [item for item in containers if item is not own]
    return own, [{"name": f"sidecar-{index}", **item} for index, item in enumerate(others)]


def _trainer(field: str, container: Block, notes: list[Note]) -> Block:
    """What of the program's container is laid over Trainyard's."""
    rest = {name: value for name, value in container.items() if name not in _PROGRAM and value}
    if claims := container.get("resources", {}).get("claims"):
        rest["resources"] = {"claims": claims}
    ports = []
    for port in rest.pop("ports", []):
        if port.get("name") == _PORT_NAME or port.get("containerPort") == _PORT:
            continue
        if port.get("name") in _OWN_PORTS:
            text = "left out: Trainyard has a port of that name; TRAINYARD_PORT says its number"
            notes.append(Note(f"{field}.containers[{CONTAINER}].ports[{port['name']}]", text))
            continue
        ports.append(port)
    return {**rest, **_if_any("ports", ports)}


def _if_any(name: str, value: Any) -> Block:
    return {name: value} if value else {}
