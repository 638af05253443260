"""Rows for augmentation, and what changes them."""

from __future__ import annotations

from typing import Any

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from trainyard_api.spec.data import AugmentationLayer
from trainyard_trainer.augmentation import Augmentation
from trainyard_trainer.augmentation.mixture import Mixture, Share
from trainyard_trainer.data.dataset import Dataset
from trainyard_trainer.data.resident import Resident
from trainyard_trainer.data.rows import Part, whole
from trainyard_trainer.data.schema import Schema
from trainyard_trainer.data.target import Classes

ROWS = 6
PICTURE = (12, 10, 3)
CLASSES = Classes(("a", "b", "c"))
BYTES = np.random.default_rng(0).integers(0, 256, (ROWS, *PICTURE)).astype(np.uint8)
ARGUMENTS: dict[str, dict[str, Any]] = {
    "ContrastLimitedAdaptiveHistogramEqualization": {"tile_grid_size": [2, 2]},
    "GaussianNoise": {"stddev": 0.0},
    "RandomBrightness": {"factor": 0.3},
    "RandomColorDegeneration": {"factor": 0.5},
    "RandomColorJitter": {
        "brightness_factor": 0.2,
        "contrast_factor": 0.2,
        "saturation_factor": 0.8,
        "hue_factor": 0.2,
    },
    "RandomContrast": {"factor": 0.3},
    "RandomHue": {"factor": 0.5},
    "RandomPosterization": {"factor": 4},
    "RandomRotation": {"factor": 0.1},
    "RandomSaturation": {"factor": 0.8},
    "RandomSharpness": {"factor": 0.5},
    "RandomShear": {"x_factor": 0.2},
    "RandomTranslation": {"height_factor": 0.2, "width_factor": 0.2},
    "RandomZoom": {"height_factor": 0.2},
    "Solarization": {"threshold_factor": 0.5},
}
SETTLED = (
    "AutoContrast",
    "ContrastLimitedAdaptiveHistogramEqualization",
    "Equalization",
    "GaussianNoise",
)
"""Layers without randomness, as they are tried here."""


def layer(name: str, **arguments: Any) -> AugmentationLayer:
    return AugmentationLayer(layer=name, arguments=arguments)


def part_of(features: NDArray[Any]) -> Part:
    return whole(Resident(features), np.arange(len(features), dtype=np.int64) % CLASSES.outputs)


def dataset_of(features: NDArray[Any], **schema: Any) -> Dataset:
    part = part_of(features)
    return Dataset(part, part, part, Schema(features.shape[1:], CLASSES, **schema))


class Changing:
    """Rows, changed inside a graph that takes any number of them."""

    def __init__(self, layers: list[AugmentationLayer], dataset: Dataset) -> None:
        self.rows = dataset.train.features().astype(np.float32)
        augmentation = Augmentation(layers, dataset)

        def apply(rows: Any, weights: Any, seed: Any) -> Any:
            mixture = augmentation.apply(rows, weights, seed)
            return mixture.features, [(share.fraction, share.rows) for share in mixture.shares]

        self.graph = tf.function(
            apply,
            input_signature=[
                tf.TensorSpec((None, *dataset.shape), tf.float32),
                tf.TensorSpec((None,), tf.float32),
                tf.TensorSpec((2,), tf.int32),
            ],
        )

    def mixture(self, seed: int, weights: NDArray[np.float32] | None = None) -> Mixture:
        given = np.ones(len(self.rows), np.float32) if weights is None else weights
        features, shares = self.graph(self.rows, given, tf.constant([seed, 0]))
        return Mixture(features, given, tuple(Share(*share) for share in shares))

    def features(self, seed: int) -> NDArray[np.float32]:
        return np.asarray(self.mixture(seed).features)


GREY = Schema((8, 8, 1), CLASSES)
