"""Keeps us from fighting: a webhook that changes whatever we write would be written to for ever."""

from __future__ import annotations

import time
from collections.abc import Callable

import orjson

from trainyard_operator.brain.plan import Manifest
from trainyard_operator.hands.cluster.keys import Key

AGAIN_SECONDS = 60.0
_REMEMBERED = 1000


class Replacements:
    """What was brought to what is wanted, and when."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._done: dict[tuple[Key, str, str], tuple[float, int]] = {}

    def may(self, key: Key, manifest: Manifest) -> bool:
        """Whether an object is to be written: not as the same within a minute."""
        place = (key, manifest["kind"], manifest["metadata"]["name"])
        content = hash(orjson.dumps(manifest, option=orjson.OPT_SORT_KEYS))
        now = self._clock()
        before = self._done.pop(place, None)
        if before is not None and before[1] == content and now < before[0] + AGAIN_SECONDS:
            self._done[place] = before
            return False
        self._done[place] = now, content
        if len(self._done) > _REMEMBERED:
            del self._done[next(iter(self._done))]
        return True
