"""The trained model in the store: as a SavedModel and as a .keras file."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import keras
import tensorflow as tf

from trainyard_api.status import Artifact
from trainyard_trainer.data.schema import Schema
from trainyard_trainer.errors import StoreUnavailable
from trainyard_trainer.export.raw import RawRows, raw_rows
from trainyard_trainer.export.unrolling import unrolled
from trainyard_trainer.store import Store

RAW_SIGNATURE: Final = "serving_raw"
"""As models of TensorFlow Extended call the one that takes rows before any encoding."""

_DISK_ERRORS: Final = (
    tf.errors.ResourceExhaustedError,
    tf.errors.PermissionDeniedError,
    tf.errors.NotFoundError,
    tf.errors.DataLossError,
    tf.errors.UnknownError,
)


class _Servable(tf.Module):
    """A model as a SavedModel needs it. Keras' own export writes each variable twice."""

    def __init__(self, model: keras.Model, output: str, raw: RawRows | None) -> None:
        super().__init__()
        self.model_variables = [variable.value for variable in model.variables]
        rows = tf.TensorSpec(model.inputs[0].shape, tf.float32, name="features")
        self.serve = tf.function(
            lambda features: {output: model(features, training=False)},
            input_signature=[rows],
        )
        self.serve_raw = None if raw is None else raw.answer(self.serve)

    def by_name(self) -> dict[str, tf.types.experimental.GenericFunction]:
        """The signatures."""
        named = {"serving_default": self.serve}
        return named if self.serve_raw is None else named | {RAW_SIGNATURE: self.serve_raw}


def export_model(
    model: keras.Model, output: str, schema: Schema, store: Store
) -> tuple[Artifact, Artifact]:
    """Publish the model; what an earlier attempt left is replaced.

    The SavedModel's signature `serving_default` takes float32 rows [batch, *row] called `features`,
    encoded where they are of a table, and gives float32 [batch, outputs] called `output`. Where
    callers have other rows than that, `RAW_SIGNATURE` takes those; see `raw`.

    Returns:
        The SavedModel's folder and the .keras file.

    Raises:
        StoreUnavailable: the disk refuses.
    """
    raw = raw_rows(schema)

    def write_saved_model(folder: Path) -> None:
        # Read back, the model is one process's again, without the gang's strategy.
        with store.keras_model.on_disk() as path:
            model = unrolled(keras.models.load_model(path, compile=False))
        servable = _Servable(model, output, raw)
        try:
            tf.saved_model.save(servable, str(folder), signatures=servable.by_name())
        except _DISK_ERRORS as error:
            raise StoreUnavailable(
                f"{folder} cannot be written ({error.message}); check the volume"
            ) from error

    keras_file = store.keras_model.announce(model.save)
    saved_model = store.saved_model.announce(write_saved_model)
    return saved_model, keras_file
