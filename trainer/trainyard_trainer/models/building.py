"""The model that `spec.model` describes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import keras

from trainyard_api.spec import Model
from trainyard_trainer.data.schema import Schema
from trainyard_trainer.data.target import Rebuilding
from trainyard_trainer.errors import InvalidSpec
from trainyard_trainer.models import custom
from trainyard_trainer.models.architecture import Architecture, Preparing
from trainyard_trainer.models.autoencoders.autoencoder import Autoencoder, check_rows
from trainyard_trainer.models.autoencoders.cnn import CnnAutoencoder
from trainyard_trainer.models.autoencoders.dense import DenseAutoencoder
from trainyard_trainer.models.autoencoders.laid_out import laid_out
from trainyard_trainer.models.autoencoders.vae import VariationalAutoencoder
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
_AUTOENCODERS: Final[Mapping[str, Autoencoder]] = {
    "dense": DenseAutoencoder(),
    "cnn": CnnAutoencoder(),
    "vae": VariationalAutoencoder(),
}


def check(spec: Model, schema: Schema) -> None:
    """Make sure that `build` will succeed, without touching TensorFlow's devices.

    Raises:
        InvalidSpec: the architecture does not fit the data, or a name is unknown.
    """
    check_activation(spec.activation)
    if isinstance(schema.target, Rebuilding):
        _check_rebuilding(spec, schema)
        return
    if spec.architecture == "vae":
        raise InvalidSpec(
            "spec.model.architecture: vae learns the rows themselves; set spec.data.task: "
            "reconstruction, or use another architecture"
        )
    if spec.output is not None:
        raise InvalidSpec(
            f"spec.model.output: {spec.output} is of models that rebuild rows, and this is a "
            f"{schema.target.task}; leave it out"
        )
    if spec.architecture == "custom":
        custom.check(spec)
        return
    _ARCHITECTURES[spec.architecture].check(spec, schema)


def _check_rebuilding(spec: Model, schema: Schema) -> None:
    if spec.architecture not in _AUTOENCODERS:
        raise InvalidSpec(
            f"spec.model.architecture: {spec.architecture} cannot rebuild rows; use one of: "
            + ", ".join(_AUTOENCODERS)
        )
    check_rows(schema)
    _AUTOENCODERS[spec.architecture].check(spec, schema)


def build(
    spec: Model, schema: Schema, task: Task, scaling: Scaling, *, synchronized: bool = True
) -> keras.Model:
    """A model of raw rows: float32 [batch, *schema.shape] to the task's output.

    Each hidden layer is followed by batch normalisation (if asked for), activation and dropout.

    Args:
        scaling: done inside the model, before its first layer.
        synchronized: whether batch normalisation goes by the rows of all replicas.

    Raises:
        InvalidSpec: the architecture does not fit the data, or a name is unknown.
    """
    check(spec, schema)
    inputs = keras.Input(schema.shape, name=INPUT_NAME, dtype="float32")
    if spec.architecture == "custom":
        return custom.build(spec, schema, task, scaling, inputs)
    hidden = Hidden.of(spec, synchronized)
    if isinstance(schema.target, Rebuilding):
        rows = laid_out(schema, scaling, inputs)
        last = _AUTOENCODERS[spec.architecture].body(spec, schema, rows, hidden)
    else:
        architecture = _ARCHITECTURES[spec.architecture]
        if isinstance(architecture, Preparing):
            scaled = architecture.prepared(spec, schema, scaling, inputs)
        else:
            scaled = of_rows(schema, scaling, inputs)
        last = architecture.body(spec, scaled, hidden)
    return keras.Model(inputs, task.head(last, hidden.regularizer()), name=spec.architecture)
