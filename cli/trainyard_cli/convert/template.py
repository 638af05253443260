"""A template that Trainyard takes: what its checks refuse is left out, with their words."""

from __future__ import annotations

import re
from typing import Any, Final

from trainyard_api.names import CONTAINER_TRAINER
from trainyard_api.problem import Problem
from trainyard_cli.convert.outcome import Block, Note
from trainyard_cli.convert.replicas import CONTAINER

FIELD: Final = "spec.workers.template"
_PART: Final = re.compile(r"[^.\[\]]+|\[\d+\]")
_VOLUME: Final = re.compile(r"\.spec\.volumes\[(\d+)\]")
_METADATA: Final = re.compile(r"\.metadata\.(labels|annotations)$")


def leave_out(template: Block, problem: Problem, role: str) -> Note:
    """Take the field out of a template that a problem names; what to say of it.

    Args:
        template: is changed.
        problem: of a field below FIELD.
        role: where the TFJob had the template: spec.tfReplicaSpecs.ROLE.
    """
    path = problem.field.removeprefix(FIELD)
    field = f"{role}.template.{_shown(template, [_key(part) for part in _PART.findall(path)])}"
    why = _without_cure(problem.message)
    if found := _METADATA.fullmatch(path):
        # The problem is one label's, and names it first.
        name = problem.message.partition(" ")[0]
        del template["metadata"][found[1]][name]
    elif found := _VOLUME.match(path):
        volume = template["spec"]["volumes"].pop(int(found[1]))
        places = _unmounted(template["spec"], volume.get("name"))
        why = f"{why}; nothing is at {', '.join(places) or 'its place'} until then"
    else:
        _remove(template, [_key(part) for part in _PART.findall(path)])
    return Note(field, f"left out: {why}")


def _shown(template: Any, path: list[str | int]) -> str:
    """A path with the names of what is counted in it, as the TFJob has them."""
    shown, inner = "", template
    for key in path:
        inner = inner[key]
        name = inner.get("name", key) if isinstance(inner, dict) else key
        name = CONTAINER if name == CONTAINER_TRAINER else name
        shown += f"[{name}]" if isinstance(key, int) else f".{key}"
    return shown.removeprefix(".")


def _without_cure(message: str) -> str:
    """A problem's words, without the cure that has been taken already."""
    return re.sub(r"[;:,]? ?leave it out(: )?", "; ", message).strip("; ").replace("; ;", ";")


def _key(part: str) -> str | int:
    return int(part[1:-1]) if part.startswith("[") else part


def _remove(block: Any, path: list[str | int]) -> None:
    """Take away what is at a path, and what is empty then."""
    *way, last = path
    inner = block
    for key in way:
        inner = inner[key]
    del inner[last]
    if way and not inner and isinstance(way[-1], str):
        _remove(block, way)


def _unmounted(pod: Block, volume: object) -> list[str]:
    """Take the mounts of a volume out of a pod; where they were."""
    places = []
    for kind in ("containers", "initContainers"):
        for container in pod.get(kind, []):
            mounts = container.get("volumeMounts", [])
            places += [str(each.get("mountPath")) for each in mounts if each.get("name") == volume]
            container["volumeMounts"] = [each for each in mounts if each.get("name") != volume]
    return list(dict.fromkeys(places))
