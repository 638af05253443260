"""From the losses of a learning rate range test to a rate.

The test (Smith, Cyclical Learning Rates for Training Neural Networks, 2017) raises the rate from
step to step. With the rate of the lowest loss a model is about to diverge: a tenth of it is taken.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final

LOWEST: Final = 1e-6
HIGHEST: Final = 10.0
STEPS: Final = 100
_BELOW: Final = 10.0
"""How many times smaller than the rate of the lowest loss the chosen one is."""
_BESIDE: Final = 3
"""Losses on either side that one is averaged with: each is of another batch."""
_DIVERGED: Final = 4.0
"""How many times its best the loss is so bad that no larger rate need be tried; fastai's own."""
_FEWEST: Final = 10
_LEAST: Final = 0.02
"""Part of the first loss that has to be taken off it, or no rate is any good."""
_DIGITS: Final = 2


def rates() -> list[float]:
    """The rate of each step, each the same factor larger than the one before."""
    factor = (HIGHEST / LOWEST) ** (1.0 / (STEPS - 1))
    return [LOWEST * factor**step for step in range(STEPS)]


def is_over(losses: Sequence[float]) -> bool:
    """Whether no larger rate need be tried: the loss is no number, or far above its best."""
    if not losses:
        return False
    if not math.isfinite(losses[-1]):
        return True
    curve = _smoothed(losses)
    best = min(curve)
    return len(losses) > _FEWEST and curve[-1] - best > _DIVERGED * abs(best)


def choose(losses: Sequence[float]) -> float | None:
    """The rate to train with, to two digits; None: the loss goes down nowhere.

    Args:
        losses: of the steps with `rates()`, as many as were made.
    """
    curve = _smoothed([loss for loss in losses if math.isfinite(loss)])
    if len(curve) < _FEWEST or curve[0] - min(curve) < _LEAST * abs(curve[0]):
        return None
    lowest = min(range(len(curve)), key=curve.__getitem__)
    return float(f"{rates()[lowest] / _BELOW:.{_DIGITS}g}")


def _smoothed(losses: Sequence[float]) -> list[float]:
    found = []
    for place in range(len(losses)):
        near = losses[max(0, place - _BESIDE) : place + _BESIDE + 1]
        found.append(sum(near) / len(near))
    return found
