"""What a forecast has to be better than: the last value that was known.

(Hyndman and Athanasopoulos, Forecasting: Principles and Practice, 2021, 5.2: the naive method.)
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from trainyard_trainer.evaluation import regression


def of_numbers(known: NDArray[np.float64], targets: NDArray[np.float64]) -> str:
    """A sentence on how far off it is.

    Args:
        known: what the label was in each window's last step: (rows, outputs).
        targets: what is to be told: (rows, outputs).
    """
    measured = regression.measure(regression.NAMES, targets, known)
    told = ", ".join(f"{name} {value:.4g}" for name, value in measured.items())
    return f"the naive forecast, the label's value in a window's last step, has on test: {told}"


def of_classes(known: NDArray[np.int64], targets: NDArray[np.int64]) -> str:
    """A sentence on how often it is right.

    Args:
        known: the class in each window's last step: (rows,).
        targets: what is to be told: (rows,).
    """
    right = float(np.mean(known == targets))
    return (
        f"the naive forecast, the class of a window's last step, has on test: accuracy {right:.4g}"
    )
