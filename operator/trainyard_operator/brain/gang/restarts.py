"""What follows a gang's failure: the end of the job, or another attempt, and when."""

from __future__ import annotations

from dataclasses import dataclass

from trainyard_api.spec import RunPolicy
from trainyard_api.status import Restarts
from trainyard_operator.brain.gang.verdict import Cause, Failed
from trainyard_operator.settings import Settings

FIRST_DELAY_SECONDS = 1.0
INFRASTRUCTURE_DELAY_SECONDS = 1.0
INFRASTRUCTURE_DELAY_LIMIT_SECONDS = 60.0
_DOUBLINGS = 16
"""Further ones change no delay, and after a thousand of them it is no float any more."""


@dataclass(frozen=True)
class GiveUp:
    """The job has failed."""

    reason: str
    message: str


@dataclass(frozen=True)
class Restart:
    """Another attempt."""

    restarts: Restarts
    delay: float
    """Seconds to wait before it."""


def follow_up(
    failure: Failed, restarts: Restarts, policy: RunPolicy, settings: Settings
) -> GiveUp | Restart:
    """What follows a failure, by its cause and by how often it happened before."""
    if failure.cause is Cause.INVALID:
        return GiveUp(failure.reason, failure.message)
    if failure.cause is Cause.PROGRAM:
        count = restarts.program + 1
        if count > policy.backoffLimit:
            limit = f"failed {count} times, more than runPolicy.backoffLimit {policy.backoffLimit}"
            return GiveUp("BackoffLimitExceeded", f"{limit}; the last time: {failure.message}")
        # As with the kubelet, the first time is at once: most of what fails once does not again.
        later = min(settings.backoff_seconds * _growth(count - 1), settings.backoff_limit_seconds)
        delay = FIRST_DELAY_SECONDS if count == 1 else later
        return Restart(restarts.model_copy(update={"program": count}), delay)
    count = restarts.infrastructure + 1
    if count > policy.infrastructureRestartLimit:
        limit = f"interrupted {count} times, more than runPolicy.infrastructureRestartLimit"
        return GiveUp("InfrastructureLimitExceeded", f"{limit}; the last time: {failure.message}")
    delay = min(INFRASTRUCTURE_DELAY_SECONDS * _growth(count), INFRASTRUCTURE_DELAY_LIMIT_SECONDS)
    return Restart(restarts.model_copy(update={"infrastructure": count}), delay)


def _growth(count: int) -> int:
    return int(2 ** min(max(count - 1, 0), _DOUBLINGS))
