"""The free-form part of a template, read without trust: anything may stand anywhere in it.

What has the wrong type is left to the API server, which says better what is wrong with it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from trainyard_api.names import CONTAINER_SERVING, CONTAINER_TRAINER

Block = dict[str, Any]

CONTAINER_LISTS: Final = ("containers", "initContainers", "ephemeralContainers")


@dataclass(frozen=True)
class Target:
    """The pods that a template is laid over.

    Attributes:
        field: where the template stands in the job.
        container: name of Trainyard's container in them.
        restart_policy: how the operator has them restarted by the kubelet.
        program: where a program of one's own belongs.
    """

    field: str
    container: str
    restart_policy: str
    program: str

    @property
    def spec(self) -> str:
        """The field of the pod's spec."""
        return f"{self.field}.spec"


WORKERS: Final = Target(
    "spec.workers.template",
    CONTAINER_TRAINER,
    "Never",
    "use spec.workers.image and spec.workers.command",
)
SERVING: Final = Target(
    "spec.serving.template",
    CONTAINER_SERVING,
    "Always",
    f"the endpoint runs Trainyard's container, {CONTAINER_SERVING!r}",
)


def block(value: object) -> Block:
    """The object, or an empty one where there is none."""
    return value if isinstance(value, dict) else {}


def items(value: object) -> list[object]:
    """The list, or an empty one where there is none."""
    return value if isinstance(value, list) else []


def blocks(value: object) -> list[tuple[int, Block]]:
    """The objects of a list, with their places in it."""
    return [(index, item) for index, item in enumerate(items(value)) if isinstance(item, dict)]


def containers(target: Target, pod: Block) -> Iterator[tuple[str, Block]]:
    """Every container of a template, of any kind, with its field."""
    for kind in CONTAINER_LISTS:
        for index, container in blocks(pod.get(kind)):
            yield f"{target.spec}.{kind}[{index}]", container
