"""All layers of a spec, one after the other."""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import tensorflow as tf

from trainyard_api.spec.data import AugmentationLayer
from trainyard_trainer.augmentation import catalog
from trainyard_trainer.augmentation.checks import FIELD, check
from trainyard_trainer.augmentation.keras_layer import KerasLayer
from trainyard_trainer.augmentation.layer import Layer
from trainyard_trainer.augmentation.mixture import Mixture
from trainyard_trainer.augmentation.seeds import folded
from trainyard_trainer.augmentation.values import Values
from trainyard_trainer.data import Dataset
from trainyard_trainer.errors import InvalidSpec

_REFUSALS: Final = (
    ArithmeticError,
    AttributeError,
    LookupError,
    NotImplementedError,
    TypeError,
    ValueError,
    tf.errors.OpError,
)
_TRIED_ROWS: Final = 2
_MOST: Final = 300


class Augmentation:
    """Changes the rows of a training step."""

    def __init__(self, layers: Sequence[AugmentationLayer], dataset: Dataset) -> None:
        """Make the layers, and try each on a few rows: Keras refuses much only when it is called.

        To be called after the gang has assembled.

        Args:
            layers: at least one.
            dataset: whose training rows are changed.

        Raises:
            InvalidSpec: a layer is unknown, does not fit the rows, or refuses its arguments.
        """
        check(layers, dataset.schema)
        self._values = Values(dataset)
        self._channels_first = dataset.schema.channels_first
        self._layers: list[Layer] = []
        rows = _some_rows(dataset.schema.picture, self._values)
        for index, layer in enumerate(layers):
            made = _tried(f"{FIELD}[{index}].arguments", layer, self._values, rows)
            self._layers.append(made)

    @classmethod
    def of(cls, layers: Sequence[AugmentationLayer], dataset: Dataset) -> Augmentation | None:
        """The augmentation by some layers; None where there are none.

        Raises:
            InvalidSpec: see above.
        """
        return cls(layers, dataset) if layers else None

    def apply(self, features: Any, weights: Any, seed: Any) -> Mixture:
        """Inside a replica: the rows of a step, changed.

        Args:
            features: float32 (rows, *row).
            weights: of each row in the loss, float32 (rows,); 0: it only fills the shape.
            seed: of this replica and step, int32 (2,). The same seed changes rows in the same way.
        """
        if self._channels_first:
            features = tf.transpose(features, (0, 2, 3, 1))
        mixture = Mixture.unmixed(features, weights)
        for index, layer in enumerate(self._layers):
            mixture = layer.change(mixture, self._values, folded(seed, index))
        if self._channels_first:
            mixture = mixture.changed(tf.transpose(mixture.features, (0, 3, 1, 2)))
        return mixture


def _tried(field: str, spec: AugmentationLayer, values: Values, rows: Any) -> Layer:
    """The layer, which has changed some rows."""
    weights, seed = tf.ones(len(rows)), tf.zeros(2, tf.int32)
    try:
        layer = _made(spec, values)
        changed = layer.change(Mixture.unmixed(rows, weights), values, seed).features
    except _REFUSALS as error:
        raise InvalidSpec(f"{field}: {spec.layer} refuses them: {_essence(error)}") from error
    if changed.shape != rows.shape or not np.isfinite(changed.numpy()).all():
        raise InvalidSpec(
            f"{field}: with them {spec.layer} makes no rows of finite numbers; use others"
        )
    return layer


def _made(spec: AugmentationLayer, values: Values) -> Layer:
    target = catalog.class_of(spec.layer, FIELD)
    if spec.layer in catalog.OWN:
        made: Layer = target(**spec.arguments)
        return made
    arguments = dict(spec.arguments)
    if "value_range" in inspect.signature(target.__init__).parameters:
        arguments.setdefault("value_range", values.range)
    return KerasLayer(target, arguments)


def _some_rows(shape: tuple[int, ...], values: Values) -> Any:
    """Rows that are not all alike, float32 (rows, *row)."""
    lowest, highest = (0.0, 1.0) if len(shape) == 1 else values.range
    ramp = np.linspace(lowest, highest, _TRIED_ROWS * int(np.prod(shape)), dtype=np.float32)
    return tf.constant(ramp.reshape(_TRIED_ROWS, *shape))


def _essence(error: Exception) -> str:
    """The message of an error in one line: Keras adds where in its code it was."""
    return " ".join(str(error).split())[:_MOST] or type(error).__name__
