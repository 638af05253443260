"""Rows that are made of several, and what they count for.

A mixed row belongs to all rows that it was made of. What it costs is the mean of the losses for
the targets of each, weighted by how much of each is in it: for the cross-entropy that is the same
as the loss for mixed one-hot targets, and it holds for any other loss as well.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import tensorflow as tf


@dataclass(frozen=True)
class Share:
    """One of the rows that each row of a step was made of.

    Attributes:
        fraction: how much of it there is, float32 (rows,); a row's shares make 1 together.
        rows: its number among the rows before they were mixed, int32 (rows,).
    """

    fraction: Any
    rows: Any

    def of(self, values: Any) -> Any:
        """What belongs to it, of what each row had before: (rows, ...)."""
        return tf.gather(values, self.rows)


@dataclass(frozen=True)
class Mixture:
    """The rows of a step on their way through the layers.

    Attributes:
        features: float32 (rows, *row).
        weights: of each row in the loss, before any was mixed, float32 (rows,); 0 marks a row
            that only fills the shape.
        shares: what the rows were made of.
    """

    features: Any
    weights: Any
    shares: tuple[Share, ...]

    @classmethod
    def unmixed(cls, features: Any, weights: Any) -> Mixture:
        """Each row is itself."""
        rows = tf.range(tf.shape(weights)[0])
        return cls(features, weights, (Share(tf.ones_like(weights), rows),))

    def changed(self, features: Any) -> Mixture:
        """The same rows with other content."""
        return replace(self, features=features)

    def mixed(self, features: Any, fraction: Any, partners: Any) -> Mixture:
        """Rows that consist of themselves and of another one.

        Args:
            features: of the mixed rows.
            fraction: how much each has of itself, float32 (rows,).
            partners: numbers of the others, int32 (rows,).
        """
        own = [Share(fraction * share.fraction, share.rows) for share in self.shares]
        others = [
            Share(
                (1.0 - fraction) * tf.gather(share.fraction, partners),
                tf.gather(share.rows, partners),
            )
            for share in self.shares
        ]
        return replace(self, features=features, shares=(*own, *others))
