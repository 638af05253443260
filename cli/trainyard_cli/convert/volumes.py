"""Volumes of a TFJob beside those that Trainyard's pods have of their own."""

from __future__ import annotations

from typing import Final

from trainyard_cli.convert.outcome import Block, NotConvertible, Note
from trainyard_cli.convert.replicas import CONTAINER, Gang

_OWN_NAMES: Final = ("tmp", "shared-memory")
_OWN_PREFIX: Final = "claim-"
_OWN_MOUNT: Final = "/tmp"


def fitted_volumes(gang: Gang, notes: list[Note]) -> Block:
    """The pod, with volumes that meet none of Trainyard's by name or by place.

    Raises:
        NotConvertible: a volume is mounted where Trainyard's pods have one.
    """
    field = f"{gang.field}.template.spec"
    volumes: list[Block] = gang.pod.get("volumes", [])
    container = gang.container
    mounts = [
        mount for mount in container.get("volumeMounts", []) if not _is_own(field, mount, volumes)
    ]
    if len(mounts) < len(container.get("volumeMounts", [])):
        text = f"left out: {_OWN_MOUNT} is an emptyDir of the pod's anyway"
        notes.append(Note(f"{field}.containers[{CONTAINER}].volumeMounts[{_OWN_MOUNT}]", text))
    pod = _renamed_everywhere({**gang.pod, "containers": _with_mounts(gang, mounts)})
    used = {
        mount.get("name")
        for kind in ("containers", "initContainers")
        for item in pod.get(kind, [])
        for mount in item.get("volumeMounts", [])
    }
    # An emptyDir that nobody mounts any more is none that the TFJob had for anything.
    kept = [
        volume
        for volume in pod.get("volumes", [])
        if volume.get("name") in used or not _is_empty_dir(volume)
    ]
    return {**pod, **({"volumes": kept} if "volumes" in pod else {})}


def _is_own(field: str, mount: Block, volumes: list[Block]) -> bool:
    """Whether a mount asks for what Trainyard's pods have anyway."""
    if str(mount.get("mountPath", "")).rstrip("/") != _OWN_MOUNT:
        return False
    volume = next((item for item in volumes if item.get("name") == mount.get("name")), {})
    if not _is_empty_dir(volume):
        raise NotConvertible(
            f"{field}.containers[{CONTAINER}].volumeMounts[{_OWN_MOUNT}]",
            f"{_OWN_MOUNT} is an emptyDir of Trainyard's pods; mount {mount.get('name')} "
            "elsewhere, and give the program that folder",
        )
    return True


def _is_empty_dir(volume: Block) -> bool:
    return volume.keys() <= {"name", "emptyDir"}


def _with_mounts(gang: Gang, mounts: list[Block]) -> list[Block]:
    return [
        {**item, "volumeMounts": mounts} if item is gang.container else item
        for item in gang.pod["containers"]
    ]


def _renamed_everywhere(pod: Block) -> Block:
    """The pod, where volumes that have names of Trainyard's have others."""
    renamed = {**pod}
    if "volumes" in pod:
        renamed["volumes"] = [_renamed(volume) for volume in pod["volumes"]]
    for kind in ("containers", "initContainers"):
        if kind in pod:
            renamed[kind] = [_with_renamed_mounts(item) for item in pod[kind]]
    return renamed


def _with_renamed_mounts(container: Block) -> Block:
    mounts = container.get("volumeMounts")
    if not mounts:
        return container
    return {**container, "volumeMounts": [_renamed(mount) for mount in mounts]}


def _renamed(item: Block) -> Block:
    name = str(item.get("name", ""))
    taken = name in _OWN_NAMES or name.startswith(_OWN_PREFIX)
    return {**item, "name": f"tfjob-{name}"[:63].rstrip("-")} if taken else item
