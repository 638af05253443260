"""Whether what the spec wants to follow from epoch to epoch is measured."""

from __future__ import annotations

from trainyard_api.spec import Training
from trainyard_trainer.data import Dataset
from trainyard_trainer.errors import InvalidSpec
from trainyard_trainer.tasks import Task
from trainyard_trainer.training.optimizers import schedules


def check(training: Training, dataset: Dataset, task: Task) -> None:
    """Make sure that there are rows to validate on, and that monitors are measured on them.

    Raises:
        InvalidSpec: one of them cannot be followed.
    """
    stopping = training.earlyStopping
    if stopping is not None:
        _check("spec.training.earlyStopping", "monitor", stopping.monitor, dataset, task)
        if stopping.startFromEpoch >= training.epochs:
            raise InvalidSpec(
                f"spec.training.earlyStopping.startFromEpoch: is {stopping.startFromEpoch}, and "
                f"the training has {training.epochs} epochs; make it smaller"
            )
    followed = schedules.monitored(training.schedule)
    if followed is not None:
        _check("spec.training.schedule", "arguments.monitor", followed, dataset, task)


def _check(field: str, name: str, monitor: str, dataset: Dataset, task: Task) -> None:
    if len(dataset.validation) == 0:
        raise InvalidSpec(
            f"{field}: needs a validation part; set spec.data.split.validation to 0.1"
        )
    shown = ["loss", *task.progress(dict.fromkeys(task.measures, 0.0))]
    known = [f"val_{each}" for each in shown]
    if monitor not in known:
        raise InvalidSpec(
            f"{field}.{name}: {monitor} is not measured in {dataset.schema.target.task}; "
            f"use one of: {', '.join(known)}"
        )
