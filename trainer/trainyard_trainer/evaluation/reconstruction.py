"""Metrics of models that rebuild rows.

How well rows are rebuilt is measured on normal rows, which are what was learned; how well
anomalies are told, on all.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from trainyard_trainer.data.rows import Targets
from trainyard_trainer.data.target import ANOMALY, NORMAL
from trainyard_trainer.errors import InvalidSpec
from trainyard_trainer.evaluation.ranking import average_precision, mean_roc_auc

Values = NDArray[Any]

PLAIN: Final = ("reconstruction_error", "r2")
OF_BOUND: Final = ("elbo",)
"""Needs a variational autoencoder."""
OF_ANOMALIES: Final = ("roc_auc", "average_precision")
"""Need labels that tell anomalies."""


@dataclass(frozen=True)
class Measured:
    """What is measured.

    Attributes:
        rows: as the model learns them: numbers scaled, 1 in the place of a category's code.
        rebuilt: of the same shape (rows, places): numbers, and probabilities of codes.
        scores: how badly each row is rebuilt, (rows,).
        bounds: evidence lower bound of each row in nats, (rows,); None: there is none.
        targets: 1 for an anomaly.
    """

    rows: Values
    rebuilt: Values
    scores: Values
    bounds: Values | None
    targets: Targets


def r2(rows: Values, rebuilt: Values) -> float:
    """The share of all places' variance that is rebuilt; 0 where nothing ever changes.

    Args:
        rows, rebuilt: shape (rows, places).
    """
    wide, told = rows.astype(np.float64), rebuilt.astype(np.float64)
    total = float(np.square(wide - wide.mean(axis=0)).sum())
    return 1.0 - float(np.square(wide - told).sum()) / total if total > 0 else 0.0


def _elbo(measured: Measured) -> float:
    assert measured.bounds is not None, "checked before anything was trained"
    return float(measured.bounds.mean())


_METRICS: Final[dict[str, Callable[[Measured], float]]] = {
    "reconstruction_error": lambda of: float(
        np.square(of.rows.astype(np.float64) - of.rebuilt).mean()
    ),
    "r2": lambda of: r2(of.rows, of.rebuilt),
    "elbo": _elbo,
    "roc_auc": lambda of: mean_roc_auc(
        (of.targets == ANOMALY)[:, np.newaxis], of.scores[:, np.newaxis]
    ),
    "average_precision": lambda of: average_precision(of.targets == ANOMALY, of.scores),
}


def check(names: Sequence[str], known: Sequence[str]) -> None:
    """Make sure that every metric can be computed.

    Args:
        known: what can be measured of this model on this data.

    Raises:
        InvalidSpec: one cannot.
    """
    for name in names:
        if name in known:
            continue
        needs = "no metric of a reconstruction"
        if name in OF_BOUND:
            needs = "measured of spec.model.architecture: vae alone"
        elif name in OF_ANOMALIES:
            needs = "measured where a label with two values tells anomalies"
        raise InvalidSpec(
            f"spec.evaluation.metrics: {name} is {needs}; use one of: {', '.join(known)}"
        )


def measure(names: Sequence[str], measured: Measured) -> dict[str, float]:
    """The metrics asked for, which can be computed."""
    normal = measured.targets == NORMAL
    if not normal.any():
        normal = np.ones(len(normal), np.bool_)
    of_normal = Measured(
        measured.rows[normal],
        measured.rebuilt[normal],
        measured.scores[normal],
        None if measured.bounds is None else measured.bounds[normal],
        measured.targets[normal],
    )
    return {name: _METRICS[name](measured if name in OF_ANOMALIES else of_normal) for name in names}
