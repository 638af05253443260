"""From the pods of a gang to one verdict.

A gang fails as one, and mostly several of its pods fail at once: one for a reason, the
others because it is gone. The verdict names the cause and never a consequence, since the
two count towards different limits.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

from trainyard_api.exit_codes import ExitCode
from trainyard_api.listing import listed
from trainyard_api.results import parse_termination_message
from trainyard_operator.brain.observed import PodView

PEER_GRACE_SECONDS = 10.0
"""How long the cause is waited for when only its consequences are to be seen."""


class Cause(Enum):
    """Whose fault it was, in the order in which one explains the others."""

    INVALID = "invalid"
    INFRASTRUCTURE = "infrastructure"
    PROGRAM = "program"
    PEER = "peer"


@dataclass(frozen=True)
class Waiting:
    """Not all pods run yet."""

    reason: str
    message: str


@dataclass(frozen=True)
class Running:
    """All pods run."""


@dataclass(frozen=True)
class Finished:
    """Pod 0 ended well."""

    message: str


@dataclass(frozen=True)
class Unclear:
    """A consequence is to be seen, its cause not yet."""

    until: float


@dataclass(frozen=True)
class Failed:
    """The gang has failed."""

    cause: Cause
    reason: str
    message: str


Verdict = Waiting | Running | Finished | Unclear | Failed

_NAMED = 8
_EXCERPT = 900
"""Characters that are shown of a program's last words."""
_DIVERGED = (
    "the loss is no finite number; try a smaller spec.training.optimizer.learningRate, or "
    "spec.data.preprocessing.scaling: standard"
)
_CONFIGURATION = (
    "ErrImagePull",
    "ImagePullBackOff",
    "InvalidImageName",
    "ErrImageNeverPull",
    "CreateContainerConfigError",
    "CreateContainerError",
    "ClaimNotFound",
    "SecretNotFound",
    "ConfigMapNotFound",
)


def judge(pods: Sequence[PodView], size: int, *, formed: bool, now: float) -> Verdict:
    """The verdict on a gang.

    Args:
        pods: the pods of the current attempt that exist.
        size: how many there should be.
        formed: whether all of them have been seen running in this attempt.
        now: seconds since the epoch.
    """
    chief = next((pod for pod in pods if pod.index == 0), None)
    if chief is not None and chief.exit_code == ExitCode.OK:
        return Finished(chief.message)
    failures = [failure for pod in pods if (failure := _failure(pod)) is not None]
    missing = sorted(set(range(size)) - {pod.index for pod in pods})
    if formed and missing:
        names = named([str(index) for index in missing])
        failures.append(
            Failed(Cause.INFRASTRUCTURE, "PodDeleted", f"pod {names} was deleted while it ran")
        )
    if failures:
        return _root_cause(failures, pods, size, now)
    if len(pods) == size and all(pod.phase == "Running" or pod.finished for pod in pods):
        return Running()
    return _waiting(pods, size)


def is_misconfigured(reason: str) -> bool:
    """Whether a pod waits for something that only a person can mend."""
    return reason in _CONFIGURATION


def _failure(pod: PodView) -> Failed | None:
    """Why a pod has failed or is about to; None where it has not."""
    if pod.exit_code == ExitCode.OK:
        return None
    if pod.exit_code == ExitCode.INVALID:
        return _said(pod, Cause.INVALID, "InvalidSpec", "the program refused its input")
    if pod.exit_code == ExitCode.DIVERGED:
        # Also of a pod that is about to be deleted: what has diverged does so again.
        return _said(pod, Cause.INVALID, "Diverged", _DIVERGED)
    if pod.disruption:
        return Failed(Cause.INFRASTRUCTURE, pod.disruption, f"{pod.name}: {pod.disruption}")
    if pod.exit_code == ExitCode.SAVED:
        return Failed(Cause.INFRASTRUCTURE, "Preempted", f"{pod.name} was told to stop, and saved")
    if pod.deleting:
        return Failed(Cause.INFRASTRUCTURE, "PodDeleted", f"{pod.name} was deleted")
    # With a sidecar, a pod runs on after its program has ended.
    if pod.exit_code is None and pod.phase not in ("Failed", "Unknown"):
        return None
    if pod.exit_code is None:
        return Failed(Cause.INFRASTRUCTURE, "PodLost", f"{pod.name} ended without an exit code")
    return _failed_program(pod, pod.exit_code)


def _failed_program(pod: PodView, code: int) -> Failed:
    if code == ExitCode.STORE_UNAVAILABLE:
        return _said(pod, Cause.INFRASTRUCTURE, "StoreUnavailable", "the store did not answer")
    if code == ExitCode.STALLED:
        return _said(pod, Cause.INFRASTRUCTURE, "Stalled", "it made no step any more")
    if code == ExitCode.PEER_LOST:
        return _said(pod, Cause.PEER, "PeerLost", "another worker vanished")
    if pod.oom_killed:
        text = f"{pod.name} needed more memory than its limit; raise resources.limits.memory"
        return Failed(Cause.PROGRAM, "OOMKilled", text)
    return _said(pod, Cause.PROGRAM, "ProgramFailed", f"exit code {code}")


def _said(pod: PodView, cause: Cause, reason: str, otherwise: str) -> Failed:
    """A failure in the pod's own words, where it left any."""
    document = parse_termination_message(pod.message)
    if document is not None and document.failure is not None:
        return Failed(cause, document.failure.reason, f"{pod.name}: {document.failure.message}")
    said = excerpt(pod.message)
    return Failed(cause, reason, f"{pod.name}: {otherwise}" + (f": {said}" if said else ""))


def excerpt(text: str) -> str:
    """What to show of a program's last words: its last traceback, where there is one, by the
    beginning and the end, since the cause stands in either."""
    _, traceback, rest = text.strip().rpartition("Traceback (most recent call last)")
    words = traceback + rest
    if len(words) <= _EXCERPT:
        return words
    return f"{words[: _EXCERPT // 3]} ... {words[-_EXCERPT * 2 // 3 :]}"


def _root_cause(
    failures: Sequence[Failed], pods: Sequence[PodView], size: int, now: float
) -> Verdict:
    order = list(Cause)
    first = min(failures, key=lambda failure: order.index(failure.cause))
    if first.cause is not Cause.PEER:
        return first
    if size == 1:
        text = f"{first.message} (exit code {ExitCode.PEER_LOST:d}, but it has no peers)"
        return Failed(Cause.PROGRAM, "ProgramFailed", text)
    ended = min((pod.finish_time for pod in pods if pod.finish_time is not None), default=now)
    if now < ended + PEER_GRACE_SECONDS and not all(pod.finished for pod in pods):
        return Unclear(until=ended + PEER_GRACE_SECONDS)
    return Failed(Cause.INFRASTRUCTURE, "PeerLost", first.message)


def _waiting(pods: Sequence[PodView], size: int) -> Waiting:
    """Why the gang does not run yet: the gravest reason of its pods."""
    waiting = [pod for pod in pods if pod.phase == "Pending" and pod.waiting_reason]
    waiting.sort(key=lambda pod: (not is_misconfigured(pod.waiting_reason), pod.index))
    if not waiting:
        running = sum(pod.phase == "Running" for pod in pods)
        return Waiting("Starting", f"{running} of {size} pods run")
    worst = waiting[0]
    alike = [pod.name for pod in waiting if pod.waiting_reason == worst.waiting_reason]
    return Waiting(worst.waiting_reason, f"{named(alike)}: {worst.waiting_message}")


def named(pods: Sequence[str]) -> str:
    """The names of pods for a message; a gang may have a thousand."""
    return listed(pods, _NAMED)
