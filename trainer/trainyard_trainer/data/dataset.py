"""The parts that a model is trained, validated and tested on."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Part:
    """Rows and what they are.

    Attributes:
        features: shape (rows, columns) of a table or (rows, height, width, channels) of images,
            in the type in which they were stored (bytes stay uint8).
        labels: shape (rows,), int64, from 0.
    """

    features: NDArray[np.generic]
    labels: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.labels)

    def take(self, rows: NDArray[np.int64]) -> Part:
        """The given rows, in the given order."""
        return Part(self.features[rows], self.labels[rows])


@dataclass(frozen=True)
class Dataset:
    """The three parts.

    Attributes:
        validation: may be empty, where `spec.data.split.validation` is 0.
        classes: number of classes: the training part's largest label and one.
    """

    train: Part
    validation: Part
    test: Part
    classes: int

    @property
    def input_shape(self) -> tuple[int, ...]:
        """Shape of one row: (columns,) or (height, width, channels)."""
        return tuple(self.train.features.shape[1:])
