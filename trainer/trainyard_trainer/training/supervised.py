"""The fit that a spec describes, on some rows of a data set."""

from __future__ import annotations

import keras
import tensorflow as tf

from trainyard_api.spec import TrainingJobSpec
from trainyard_trainer import models
from trainyard_trainer.augmentation import Augmentation
from trainyard_trainer.data import Dataset, Part
from trainyard_trainer.models.normalization import is_synchronized
from trainyard_trainer.tasks import Task
from trainyard_trainer.training.fit import Fitting
from trainyard_trainer.training.objectives.objective import Supervised
from trainyard_trainer.training.precision import computing_in


def supervised(spec: TrainingJobSpec, dataset: Dataset, task: Task, train: Part) -> Fitting:
    """What is fitted where `train` is learned from; all else is the data set's."""
    kind = spec.data.preprocessing.scaling
    scaling = models.scaling_for(kind, dataset.schema, dataset.moments)

    def build() -> keras.Model:
        """In the gang's scope."""
        synchronized = is_synchronized(
            spec.model.regularization.synchronizedBatchNormalization,
            spec.training.batchSize,
            tf.distribute.get_strategy().num_replicas_in_sync,
        )
        with computing_in(spec.training.precision):
            return models.build(
                spec.model, dataset.schema, task, scaling, synchronized=synchronized
            )

    return Fitting(
        build=build,
        objective=Supervised(task),
        train=train,
        validation=dataset.validation,
        training=spec.training,
        augmentation=Augmentation.of(spec.data.augmentation, dataset),
    )
