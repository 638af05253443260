"""Columns of any distribution as columns of the normal one, and back.

The normal score of a value says how many of the known values are smaller (van der Waerden, 1952).
On the way back it finds one of them: what is made of scores has the values, the steps and the
range of what is known.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Quantiles:
    """The known values of one column.

    Attributes:
        values: different ones, in their order.
        shares: of all known values, how large a share is at most as large as each.
        scores: normal score of each value.
    """

    values: NDArray[np.float32]
    shares: NDArray[np.float64]
    scores: NDArray[np.float64]

    @classmethod
    def of(cls, column: NDArray[np.float32]) -> Quantiles:
        """Those of finite values, (rows,); at least one."""
        from scipy.special import ndtri

        values, counts = np.unique(column, return_counts=True)
        shares = np.cumsum(counts) / len(column)
        return cls(values, shares, ndtri(shares - counts / (2 * len(column))))

    def scores_of(self, column: NDArray[np.float32]) -> NDArray[np.float32]:
        """The normal scores of values, between those of the known ones around them."""
        return np.interp(column, self.values, self.scores).astype(np.float32)

    def values_of(self, scores: NDArray[np.float32]) -> NDArray[np.float32]:
        """The known values that have these scores."""
        from scipy.special import ndtr

        places = np.searchsorted(self.shares, ndtr(scores.astype(np.float64)))
        return self.values[np.minimum(places, len(self.values) - 1)]
