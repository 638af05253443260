"""What kopf keeps of an object for handlers that compare and continue: nothing, as there are none.

Its own storages copy and compare whole objects at every event, which is most of what one costs.
"""

# ruff: noqa: ARG002

from __future__ import annotations

from collections.abc import MutableMapping
from typing import Any

import kopf


class NoDiffs(kopf.DiffBaseStorage):
    """Nothing is compared: a comparison of whole jobs is most of what an event costs."""

    def build(self, *, body: Any, extra_fields: Any = None) -> kopf.BodyEssence:
        return kopf.BodyEssence()

    def fetch(self, *, body: Any) -> None:
        return None

    def store(self, *, body: Any, patch: Any, essence: Any) -> None:
        return None


class NoProgress(kopf.ProgressStorage):
    """Handlers of events have no progress that outlives them."""

    def fetch(self, *, key: Any, body: Any) -> None:
        return None

    def store(self, *, key: Any, record: Any, body: Any, patch: Any) -> None:
        return None

    def purge(self, *, key: Any, body: Any, patch: Any) -> None:
        return None

    def touch(self, *, body: Any, patch: Any, value: Any) -> None:
        return None

    def clear(self, *, essence: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
        return essence
