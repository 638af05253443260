"""The task of a data set."""

from __future__ import annotations

from trainyard_api.spec import Training
from trainyard_trainer.data.rows import Targets
from trainyard_trainer.data.target import Classes, Target
from trainyard_trainer.tasks.classification import Classification
from trainyard_trainer.tasks.regression import Regression
from trainyard_trainer.tasks.task import Task


def task_of(target: Target, training: Training, trained_on: Targets) -> Task:
    """What learning `target` needs.

    Args:
        training: loss and class weights.
        trained_on: the targets of the training part's rows.

    Raises:
        InvalidSpec: the loss is none of the task's.
    """
    if isinstance(target, Classes):
        return Classification(target, training, trained_on)
    return Regression(target, training, trained_on)
