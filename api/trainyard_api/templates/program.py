"""A template that brings the program that is to train, as TFJob's users write it.

Laid over a worker, such a container would run beside Trainyard's trainer: the trainer trains,
the job succeeds, and the program never did what it was written for. A sidecar looks much the
same, so something has to tell them apart. A container is taken for the program where the
template does not mention Trainyard's own container and

- it has the name that another operator gives to the program,
- or the template says how pods restart: it was written for whole pods,
- or it asks for a device, such as a GPU,
- or its command runs Python or a launcher of training programs.

Who means a sidecar says so in either of two ways: as Kubernetes has it, among initContainers
with `restartPolicy: Always`, or beside an entry with the name of Trainyard's container.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from trainyard_api.problem import Problem
from trainyard_api.templates.pod import Block, Target, block, blocks, items

_NAMES_ELSEWHERE: Final = (
    "tensorflow",  # TFJob
    "pytorch",
    "mxnet",
    "xgboost",
    "paddle",
    "mpi",
    "node",  # Kubeflow Trainer
    "kserve-container",
    "tensorflow-serving",
)
_RUNS_TRAINING: Final = re.compile(
    r"(^|[\s/;&|('\"])(python[0-9.]*|torchrun|horovodrun|mpirun|deepspeed|accelerate)(\s|$)"
    r"|\.py(\s|$|['\"])"
)


def misplaced_program(target: Target, pod: Block) -> Iterator[Problem]:
    """Containers that seem to be the program itself."""
    containers = blocks(pod.get("containers"))
    if any(container.get("name") == target.container for _, container in containers):
        return
    for index, container in containers:
        if sign := _sign_of_program(pod, container):
            yield Problem(
                f"{target.spec}.containers[{index}]",
                f"seems to be the program itself ({sign}), and would only run beside "
                f"Trainyard's container {target.container!r}; {target.program}. If it is a "
                "sidecar, write it among initContainers with restartPolicy: Always, or add "
                f"an entry '- name: {target.container}' to containers",
            )


def _sign_of_program(pod: Block, container: Block) -> str:
    """Why a container is taken for the program; empty where nothing speaks for it."""
    name = container.get("name")
    if name in _NAMES_ELSEWHERE:
        return f"other operators call it {name!r}"
    if pod.get("restartPolicy") is not None:
        return "the template says how pods restart"
    if device := _device(container):
        return f"it asks for {device}"
    words = [*_words(container.get("command")), *_words(container.get("args"))]
    found = _RUNS_TRAINING.search(" ".join(words))
    return f"it runs {found[0].strip()!r}" if found else ""


def _words(value: object) -> list[str]:
    return [word for word in items(value) if isinstance(word, str)]


def _device(container: Block) -> str:
    """An extended resource that it asks for; they alone have a domain in their name."""
    resources = block(container.get("resources"))
    asked = [*block(resources.get("limits")), *block(resources.get("requests"))]
    return next((name for name in asked if isinstance(name, str) and "/" in name), "")
