"""The task of a data set."""

from __future__ import annotations

from trainyard_api.spec import Training, TrainingJobSpec
from trainyard_trainer.data.rows import Targets
from trainyard_trainer.data.schema import Schema
from trainyard_trainer.data.target import Classes, Quantities, Rebuilding, SeveralLabels, Target
from trainyard_trainer.tasks.classification import Classification
from trainyard_trainer.tasks.multi_label import MultiLabel
from trainyard_trainer.tasks.reconstruction import Reconstruction
from trainyard_trainer.tasks.regression import Regression
from trainyard_trainer.tasks.task import Task


def task_for(spec: TrainingJobSpec, schema: Schema, trained_on: Targets) -> Task:
    """What a job has to learn of rows of a schema.

    Args:
        trained_on: the targets of the training part's rows.

    Raises:
        InvalidSpec: the loss is none of the task's.
    """
    if isinstance(schema.target, Rebuilding):
        return Reconstruction(spec.model, schema)
    return task_of(schema.target, spec.training, trained_on)


def task_of(target: Target, training: Training, trained_on: Targets) -> Task:
    """What learning what labels tell needs.

    Args:
        training: loss and class weights.
        trained_on: the targets of the training part's rows.

    Raises:
        InvalidSpec: the loss is none of the task's.
        TypeError: rows are to be rebuilt, which depends on the model as well: see `task_for`.
    """
    if isinstance(target, Classes):
        return Classification(target, training, trained_on)
    if isinstance(target, Quantities):
        return Regression(target, training, trained_on)
    if isinstance(target, SeveralLabels):
        return MultiLabel(target, training, trained_on)
    raise TypeError("rows that are rebuilt have no labels to learn; use task_for")
