"""Work on many things side by side, with results in the order of the things."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Final, TypeVar

T = TypeVar("T")
R = TypeVar("R")

_AHEAD: Final = 4
"""Results for each thread that may wait for those before them: memory stays bounded."""


def in_order(work: Callable[[T], R], things: Iterable[T], threads: int) -> Iterator[R]:
    """What `work` makes of each thing, in the things' order whichever is done first.

    What it raises is raised here, in the same order.
    """
    with ThreadPoolExecutor(threads, thread_name_prefix="reading") as pool:
        waiting: deque[Future[R]] = deque()
        try:
            for thing in things:
                waiting.append(pool.submit(work, thing))
                if len(waiting) >= _AHEAD * threads:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            for each in waiting:
                each.cancel()
