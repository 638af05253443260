"""All checks of a job's templates."""

from __future__ import annotations

from collections.abc import Iterator

from trainyard_api.problem import Problem
from trainyard_api.spec import TrainingJobSpec
from trainyard_api.spec.shared import PodTemplate
from trainyard_api.templates.grip import loosened_grip
from trainyard_api.templates.pod import SERVING, WORKERS, Target
from trainyard_api.templates.program import misplaced_program
from trainyard_api.templates.security import weakened_security


def find_template_problems(spec: TrainingJobSpec) -> Iterator[Problem]:
    """What is wrong with the pod templates of a job, each with its field and the cure."""
    yield from _check(WORKERS, spec.workers.template)
    if spec.serving is not None:
        yield from _check(SERVING, spec.serving.template)


def _check(target: Target, template: PodTemplate) -> Iterator[Problem]:
    yield from misplaced_program(target, template.spec)
    yield from loosened_grip(target, template)
    yield from weakened_security(target, template)
