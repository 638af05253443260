"""Keeps us from fighting: a webhook that changes whatever we write would be written to for ever."""

from __future__ import annotations

import time
from collections.abc import Callable

import orjson

from trainyard_operator.brain.plan import Manifest
from trainyard_operator.hands.cluster.keys import Key
from trainyard_operator.hands.cluster.recent import remember

AGAIN_SECONDS = 60.0
_REMEMBERED = 1000


class Replacements:
    """What was brought to what is wanted, and when."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._done: dict[tuple[Key, str, str], tuple[float, int]] = {}

    def may(self, key: Key, manifest: Manifest) -> bool:
        """Whether an object is to be written: not as the same within a minute."""
        before = self._done.get(_place(key, manifest))
        if before is None or before[1] != _content(manifest):
            return True
        return self._clock() >= before[0] + AGAIN_SECONDS

    def done(self, key: Key, manifest: Manifest) -> None:
        """The API server has taken it. What it has not taken is written again, and soon: it may
        be all that traffic waits for."""
        now = self._clock(), _content(manifest)
        remember(self._done, _place(key, manifest), now, _REMEMBERED)


def _place(key: Key, manifest: Manifest) -> tuple[Key, str, str]:
    return key, manifest["kind"], manifest["metadata"]["name"]


def _content(manifest: Manifest) -> int:
    return hash(orjson.dumps(manifest, option=orjson.OPT_SORT_KEYS))
