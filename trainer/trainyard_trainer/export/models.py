"""The trained model in the store: as a SavedModel and as a .keras file."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import keras
import tensorflow as tf

from trainyard_api.status import Artifact
from trainyard_trainer.errors import StoreUnavailable
from trainyard_trainer.store import Store, publish

_DISK_ERRORS: Final = (
    tf.errors.ResourceExhaustedError,
    tf.errors.PermissionDeniedError,
    tf.errors.NotFoundError,
    tf.errors.DataLossError,
    tf.errors.UnknownError,
)


class _Servable(tf.Module):
    """A model as a SavedModel needs it. Keras' own export writes each variable twice."""

    def __init__(self, model: keras.Model, output: str) -> None:
        super().__init__()
        self.model_variables = [variable.value for variable in model.variables]
        rows = tf.TensorSpec(model.inputs[0].shape, tf.float32, name="features")
        self.serve = tf.function(
            lambda features: {output: model(features, training=False)},
            input_signature=[rows],
        )


def export_model(model: keras.Model, output: str, store: Store) -> tuple[Artifact, Artifact]:
    """Publish the model; what an earlier attempt left is replaced.

    The SavedModel's signature `serving_default` takes raw float32 rows [batch, *row] called
    `features` and gives float32 [batch, outputs] called `output`.

    Returns:
        The SavedModel's folder and the .keras file.

    Raises:
        StoreUnavailable: the disk refuses.
    """

    def write_saved_model(folder: Path) -> None:
        # Read back, the model is one process's again, without the gang's strategy.
        servable = _Servable(keras.models.load_model(store.keras_model, compile=False), output)
        try:
            tf.saved_model.save(
                servable, str(folder), signatures={"serving_default": servable.serve}
            )
        except _DISK_ERRORS as error:
            raise StoreUnavailable(
                f"{store.saved_model} cannot be written ({error.message}); check the volume"
            ) from error

    publish(store.keras_model, model.save)
    publish(store.saved_model, write_saved_model)
    return store.artifact(store.saved_model), store.artifact(store.keras_model)
