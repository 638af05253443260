"""The trained model in the store: as a SavedModel and as a .keras file, and the result beside."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Final

import keras
import tensorflow as tf
from pydantic import ValidationError

from trainyard_api.results import TrainResult
from trainyard_api.status import Artifact
from trainyard_trainer.errors import StoreUnavailable, TrainerError
from trainyard_trainer.store import Store, guarded, publish, verify

_log = logging.getLogger(__name__)

_DISK_ERRORS: Final = (
    tf.errors.ResourceExhaustedError,
    tf.errors.PermissionDeniedError,
    tf.errors.NotFoundError,
    tf.errors.DataLossError,
    tf.errors.UnknownError,
)


class _Servable(tf.Module):
    """A model as a SavedModel needs it. Keras' own export writes each variable twice."""

    def __init__(self, model: keras.Model) -> None:
        super().__init__()
        self.model_variables = [variable.value for variable in model.variables]
        rows = tf.TensorSpec(model.inputs[0].shape, tf.float32, name="features")
        self.serve = tf.function(
            lambda features: {"probabilities": model(features, training=False)},
            input_signature=[rows],
        )


def export_model(model: keras.Model, store: Store) -> tuple[Artifact, Artifact]:
    """Publish the model; what an earlier attempt left is replaced.

    The SavedModel's signature `serving_default` takes raw float32 rows [batch, *row] called
    `features` and gives float32 `probabilities` [batch, classes].

    Returns:
        The SavedModel's folder and the .keras file.

    Raises:
        StoreUnavailable: the disk refuses.
    """

    def write_saved_model(folder: Path) -> None:
        # Read back, the model is one process's again, without the gang's strategy.
        servable = _Servable(keras.models.load_model(store.keras_model, compile=False))
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


def keep_result(result: TrainResult, store: Store) -> None:
    """Keep what is about to be reported, for a restart that comes before the report is read.

    Raises:
        StoreUnavailable: the disk refuses.
    """
    publish(store.result, lambda path: path.write_text(result.model_dump_json()))


def finished_result(store: Store) -> TrainResult | None:
    """What an earlier attempt of this run has already brought to its end, if its models are whole.

    Raises:
        StoreUnavailable: the disk refuses.
    """
    with guarded(store.result, "read"):
        if not store.result.exists():
            return None
        text = store.result.read_text()
    try:
        result = TrainResult.model_validate_json(text)
        verify(store.saved_model, result.model.sha256)
        verify(store.keras_model, result.keras.sha256)
    except (ValidationError, TrainerError) as error:
        _log.warning("the earlier attempt's result is not used: %s", error)
        return None
    return result
