"""Exit codes of the programs in Trainyard's pods, and what the operator makes of each."""

from __future__ import annotations

from enum import IntEnum


class ExitCode(IntEnum):
    """How a trainer or serving program ended."""

    OK = 0
    FAILED = 1
    """The program failed: retried, counts towards `backoffLimit`."""
    INVALID = 2
    """Spec, data or an earlier stage's result are wrong: never retried; the termination message
    says what is wrong."""
    SAVED = 42
    """Stopped by SIGTERM after a checkpoint: restarted, counts as infrastructure."""
    PEER_LOST = 43
    """Another worker vanished: a consequence, never counted by itself."""
    STORE_UNAVAILABLE = 44
    """The store is away or full: retried, counts as infrastructure."""
    STALLED = 45
    """No step for longer than the training's own pace allows: restarted, counts as
    infrastructure."""
    DIVERGED = 46
    """The loss or a weight is no finite number: never retried, the same would happen again."""
