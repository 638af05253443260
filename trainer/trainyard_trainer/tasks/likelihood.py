"""How well rows are rebuilt, in Keras' own operations: for losses, and for models that answer it.

A row is laid out as `Layout` says: numbers, then a place for each code of each category. A decoded
one has means of the numbers and logits of the codes, and behind them, where variances are learned,
the logarithm of each number's variance. All functions take tensors (rows, places) and give
(rows,), unless said.
"""

from __future__ import annotations

import math
from typing import Any

from keras import ops

from trainyard_trainer.data.generation.layout import Layout


def surprise(layout: Layout, rows: Any, decoded: Any) -> Any:
    """The negative logarithm of each row's likelihood, in nats: numbers are normally distributed,
    categories as the softmax of their codes.
    """
    means, log_variances = decoded[:, : layout.numbers], decoded[:, layout.width :]
    squares = ops.square(rows[:, : layout.numbers] - means) * ops.exp(-log_variances)
    found = 0.5 * ops.sum(squares + log_variances + math.log(2.0 * math.pi), axis=1)
    return found + _of_codes(layout, rows, decoded)


def divergence(mean: Any, log_variance: Any) -> Any:
    """Kullback and Leibler's, of normal distributions from the standard one, in nats."""
    each = ops.exp(log_variance) + ops.square(mean) - 1.0 - log_variance
    return 0.5 * ops.sum(each, axis=1)


def error(layout: Layout, rows: Any, decoded: Any) -> Any:
    """The mean over columns: squared errors of numbers, cross-entropies of categories."""
    squares = ops.square(rows[:, : layout.numbers] - decoded[:, : layout.numbers])
    found = ops.sum(squares, axis=1) + _of_codes(layout, rows, decoded)
    return found / float(layout.numbers + len(layout.categories))


def expected(layout: Layout, decoded: Any) -> Any:
    """The rebuilt rows: numbers, and the probability of each code, (rows, layout.width)."""
    pieces = [decoded[:, : layout.numbers]] if layout.numbers else []
    pieces += [ops.softmax(decoded[:, places], axis=-1) for places in layout.category_places]
    return pieces[0] if len(pieces) == 1 else ops.concatenate(pieces, axis=1)


def _of_codes(layout: Layout, rows: Any, decoded: Any) -> Any:
    """The sum of the categories' cross-entropies; 0.0 without any."""
    found = 0.0
    for places in layout.category_places:
        likely = ops.log_softmax(decoded[:, places], axis=-1)
        found = found - ops.sum(rows[:, places] * likely, axis=1)
    return found
