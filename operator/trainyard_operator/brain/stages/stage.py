"""What a stage is whose work pods do: what it builds, what a result means, how it finishes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from trainyard_api.results import TerminationMessage
from trainyard_api.spec import TrainingJob
from trainyard_api.status import Phase, StageName
from trainyard_operator.brain.draft import Draft
from trainyard_operator.brain.plan import Manifest


class PodStage(Protocol):
    """A stage whose work pods do. Starting, failing and restarting them is the gang's affair."""

    @property
    def name(self) -> StageName:
        """Its name in status; in lower case its pods' label and its field in a result."""

    @property
    def phase(self) -> Phase:
        """The job's phase while it is under way."""

    def size(self, job: TrainingJob) -> int:
        """How many pods it should have."""

    def prepare(self, draft: Draft) -> None:
        """See to what its pods need beside them."""

    def build(
        self, draft: Draft, attempt: int, indexes: Sequence[int], size: int
    ) -> list[Manifest]:
        """Those of an attempt's pods, no others: a gang may have a thousand.

        Args:
            draft: the plan in the making.
            attempt: that the pods are of.
            indexes: of the pods.
            size: how many pods the attempt has.
        """

    def asked(self, job: TrainingJob) -> str:
        """What asks pod 0 for a result; empty where it may end well without one."""

    def finish(self, draft: Draft, result: TerminationMessage | None) -> None:
        """Take up what pod 0 has reported: the stage has succeeded, whatever the job does.

        Args:
            draft: the plan in the making.
            result: None only where nothing has asked for one.
        """
