"""How like real rows generated ones are.

A forest learns to tell them apart, and is asked about rows that it has not learned from: a
classifier two-sample test (Lopez-Paz and Oquab, 2017).
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

MOST: Final = 1000
"""Rows of either that are enough."""
_FOLDS: Final = 2


def told_apart(real: NDArray[np.float32], made: NDArray[np.float32], seed: int) -> float | None:
    """The area under the ROC curve of telling generated rows from real ones: 0.5 is not at all,
    1 is always. None where there are too few of either.

    Args:
        real, made: of one class, float32 (rows, numbers).
    """
    from sklearn.ensemble import RandomForestClassifier
    from sklearn.metrics import roc_auc_score
    from sklearn.model_selection import StratifiedKFold, cross_val_predict

    random = np.random.default_rng(seed)
    count = min(len(real), len(made), MOST)
    if count < 2 * _FOLDS:
        return None
    some = [each[random.permutation(len(each))[:count]] for each in (real, made)]
    labels = np.repeat([0, 1], count)
    forest = RandomForestClassifier(50, min_samples_leaf=2, random_state=seed)
    folds = StratifiedKFold(_FOLDS, shuffle=True, random_state=seed)
    found = cross_val_predict(
        forest, np.concatenate(some), labels, cv=folds, method="predict_proba"
    )
    return float(roc_auc_score(labels, found[:, 1]))
