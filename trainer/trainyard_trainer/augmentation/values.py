"""What layers have to know of the numbers in the training part."""

from __future__ import annotations

from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from trainyard_trainer.data import Dataset
from trainyard_trainer.data.moments import Moments, moments
from trainyard_trainer.data.schema import Column

_BYTES = (0.0, 255.0)


class Values:
    """The numbers of a data set's training rows, which are looked at only where that is asked."""

    def __init__(self, dataset: Dataset) -> None:
        self._dataset = dataset

    @cached_property
    def range(self) -> tuple[float, float]:
        """The lowest and the highest value; bytes may have all of theirs."""
        if self._dataset.train.source.dtype == np.uint8:
            return _BYTES
        lowest, highest = float(self._moments.lowest.min()), float(self._moments.highest.max())
        return (lowest, highest) if lowest < highest else (lowest, lowest + 1.0)

    @cached_property
    def spread(self) -> NDArray[np.float32]:
        """Standard deviation of each column or channel, float32 (last axis,); 0 for what is no
        number.
        """
        schema = self._dataset.schema
        if not schema.columns:
            return self._moments.spread.astype(np.float32)
        spread = np.zeros(schema.shape, np.float32)
        for column in schema.columns:
            spread[column.first] = _deviation(column)
        return spread

    @property
    def may_be_missing(self) -> bool:
        """Whether NaN stands for numbers that are missing."""
        return any(column.fill is not None for column in self._dataset.schema.columns)

    @cached_property
    def _moments(self) -> Moments:
        dataset = self._dataset
        return dataset.moments or moments(dataset.train, dataset.schema.channels_first)


def _deviation(column: Column) -> float:
    counts = column.kind in ("number", "time") and column.spread is not None
    return column.spread.deviation if counts and column.spread is not None else 0.0
