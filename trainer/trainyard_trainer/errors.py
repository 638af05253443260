"""Why a program gives up: each reason with its exit code and a message that names the cure."""

from __future__ import annotations

from typing import ClassVar

from trainyard_api.exit_codes import ExitCode
from trainyard_api.results import FailureReason


class TrainerError(Exception):
    """Base of every failure that the operator is told about.

    The message is read by the job's author: it names the field or file that is wrong and says
    what to do.
    """

    exit_code: ClassVar[ExitCode] = ExitCode.FAILED
    reason: ClassVar[FailureReason] = "ProgramFailed"


class InvalidSpec(TrainerError):
    """The spec (or the pod's environment) cannot be carried out as it is written."""

    exit_code = ExitCode.INVALID
    reason = "InvalidSpec"


class ForeignCheckpoint(TrainerError):
    """A checkpoint in the run's own folder is of another model: folders were mixed up.

    A run's model never changes, so another attempt would find the same, and to begin anew would
    end in deleting what somebody else may still need: as with a wrong spec, nothing is retried.
    """

    exit_code = ExitCode.INVALID
    reason = "InvalidSpec"


class InvalidData(TrainerError):
    """The data cannot be learned from as it is."""

    exit_code = ExitCode.INVALID
    reason = "InvalidData"


class InvalidResult(TrainerError):
    """What an earlier stage has reported does not hold: another attempt would find the same."""

    exit_code = ExitCode.INVALID
    reason = "InvalidResult"


class ModelRejected(TrainerError):
    """An artifact is not the one that was announced: its sha256 differs, and will again."""

    exit_code = ExitCode.INVALID
    reason = "ModelRejected"


class PeerLost(TrainerError):
    """Another worker vanished; this one is only its consequence."""

    exit_code = ExitCode.PEER_LOST
    reason = "PeerLost"


class StoreUnavailable(TrainerError):
    """The store (or a data set's host) is away, full or read-only; worth another attempt."""

    exit_code = ExitCode.STORE_UNAVAILABLE
    reason = "StoreUnavailable"


class Superseded(TrainerError):
    """A later attempt has opened the store: what this one would write is stale. Should the operator
    still look at it, it counts as infrastructure."""

    exit_code = ExitCode.STORE_UNAVAILABLE
    reason = "Superseded"


class Stalled(TrainerError):
    """No step for longer than the training's own pace allows: a worker or its device hangs."""

    exit_code = ExitCode.STALLED
    reason = "Stalled"


class Diverged(TrainerError):
    """The loss or a weight is no finite number any more. Another attempt would meet the same; the
    last good checkpoint is kept.
    """

    exit_code = ExitCode.DIVERGED
    reason = "Diverged"


class ProgramFailed(TrainerError):
    """The program failed in a way that counts towards `runPolicy.backoffLimit`."""
