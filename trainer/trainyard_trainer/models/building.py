"""The model that `spec.model` describes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import keras

from trainyard_api.spec import Model
from trainyard_trainer.data.schema import Schema
from trainyard_trainer.errors import InvalidSpec
from trainyard_trainer.models.architecture import Architecture, Preparing
from trainyard_trainer.models.cnn import Cnn
from trainyard_trainer.models.dense import Dense
from trainyard_trainer.models.hidden import Hidden, check_activation
from trainyard_trainer.models.inputs import of_rows
from trainyard_trainer.models.rnn import Rnn
from trainyard_trainer.models.scaling import Scaling
from trainyard_trainer.tasks import Task

INPUT_NAME: Final = "features"
_ARCHITECTURES: Final[Mapping[str, Architecture]] = {
    "dense": Dense(),
    "cnn": Cnn(),
    "rnn": Rnn(),
}


def check(spec: Model, schema: Schema) -> None:
    """Make sure that `build` will succeed, without touching TensorFlow's devices.

    Raises:
        InvalidSpec: the architecture does not fit the data, or a name is unknown.
    """
    check_activation(spec.activation)
    if spec.architecture not in _ARCHITECTURES:
        raise InvalidSpec(
            f"spec.model.architecture: {spec.architecture} is not built yet; "
            f"use one of: {', '.join(_ARCHITECTURES)}"
        )
    _ARCHITECTURES[spec.architecture].check(spec, schema)


def build(spec: Model, schema: Schema, task: Task, scaling: Scaling) -> keras.Model:
    """A model of raw rows: float32 [batch, *schema.shape] to the task's output.

    Each hidden layer is followed by batch normalisation (if asked for), activation and dropout.

    Args:
        scaling: done inside the model, before its first layer.

    Raises:
        InvalidSpec: the architecture does not fit the data, or a name is unknown.
    """
    check(spec, schema)
    inputs = keras.Input(schema.shape, name=INPUT_NAME, dtype="float32")
    architecture = _ARCHITECTURES[spec.architecture]
    if isinstance(architecture, Preparing):
        scaled = architecture.prepared(spec, schema, scaling, inputs)
    else:
        scaled = of_rows(schema, scaling, inputs)
    hidden = Hidden.of(spec)
    last = architecture.body(spec, scaled, hidden)
    return keras.Model(inputs, task.head(last, hidden.regularizer()), name=spec.architecture)
