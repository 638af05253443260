"""How long one call takes, on a machine that others use too."""

from __future__ import annotations

import time
from collections.abc import Callable
from statistics import median
from typing import Final

_BLOCKS: Final = 5
_RUNS: Final = 100
_WARM_UP: Final = 20
_SECONDS: Final = 5.0


def microseconds(call: Callable[[], object]) -> float:
    """The median time of a call, in microseconds.

    Measured are five blocks of a hundred runs after a warm-up, and the lowest of their medians is
    given: a neighbour that was busy during one block does not count. A slow call is run less
    often, five seconds in all, but once a block.
    """
    _times(call, _WARM_UP, _SECONDS / _BLOCKS)
    blocks = [_times(call, _RUNS, _SECONDS / _BLOCKS) for _ in range(_BLOCKS)]
    return min(median(block) for block in blocks) * 1e6


def _times(call: Callable[[], object], most: int, seconds: float) -> list[float]:
    begun = time.perf_counter()
    times: list[float] = []
    while not times or (len(times) < most and time.perf_counter() - begun < seconds):
        started = time.perf_counter()
        call()
        times.append(time.perf_counter() - started)
    return times
