"""A plan in the making."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Literal, get_args

from trainyard_api.spec import TrainingJob
from trainyard_api.status import (
    MAX_MESSAGE,
    Condition,
    ConditionType,
    Stage,
    StageName,
    TrainingJobStatus,
)
from trainyard_operator.brain import times
from trainyard_operator.brain.observed import Observed
from trainyard_operator.brain.plan import Event, Manifest, ObjectRef, Plan
from trainyard_operator.settings import Settings


@dataclass
class Draft:
    """Collects what is to be done, while the stages look at what was observed."""

    observed: Observed
    settings: Settings
    now: float
    status: TrainingJobStatus
    _delete: list[ObjectRef] = field(default_factory=list)
    _replace: list[Manifest] = field(default_factory=list)
    _create: list[Manifest] = field(default_factory=list)
    _events: list[Event] = field(default_factory=list)
    _look_again: float | None = None

    @property
    def job(self) -> TrainingJob:
        """The job as it was observed; its status is the old one."""
        return self.observed.job

    @property
    def run(self) -> str:
        """Id of the current run."""
        if self.status.run is None:
            raise ValueError("no run has begun")
        return self.status.run.id

    @property
    def attempt(self) -> int:
        """The current stage's attempt."""
        return self.status.run.attempt if self.status.run else 1

    @property
    def timestamp(self) -> str:
        """Now, as status writes it."""
        return times.to_text(self.now)

    def update(self, **changes: object) -> None:
        """Change fields of status."""
        self.status = self.status.model_copy(update=changes)

    def set_attempt(self, attempt: int) -> None:
        """Set the attempt of the current stage."""
        if self.status.run is not None:
            self.update(run=self.status.run.model_copy(update={"attempt": attempt}))

    def update_stage(self, name: StageName, **changes: object) -> Stage:
        """Change fields of a stage; it has to be there."""
        if isinstance(message := changes.get("message"), str):
            changes["message"] = shortened(message)
        stages = [
            stage.model_copy(update=changes) if stage.name == name else stage
            for stage in self.status.stages
        ]
        self.update(stages=stages)
        return next(stage for stage in stages if stage.name == name)

    def set_condition(
        self,
        kind: ConditionType,
        status: Literal["True", "False", "Unknown"],
        reason: str,
        message: str = "",
    ) -> None:
        """Set a condition; its transition time moves only when its status does."""
        before = self.status.condition(kind)
        same = before is not None and before.status == status
        condition = Condition(
            type=kind,
            status=status,
            reason=reason,
            message=shortened(message),
            lastTransitionTime=before.lastTransitionTime if before and same else self.timestamp,
            observedGeneration=self.job.metadata.generation,
        )
        others = [c for c in self.status.conditions if c.type != kind]
        self.update(conditions=sorted([*others, condition], key=_condition_order))

    def drop_conditions(self, kinds: Iterable[ConditionType]) -> None:
        """Remove conditions that speak of an earlier run."""
        dropped = set(kinds)
        self.update(conditions=[c for c in self.status.conditions if c.type not in dropped])

    def event(self, kind: Literal["Normal", "Warning"], reason: str, message: str) -> None:
        """Record an event."""
        self._events.append(Event(kind, reason, message))

    def create(self, manifest: Manifest) -> None:
        """Create an object."""
        self._create.append(manifest)

    def replace(self, manifest: Manifest) -> None:
        """Bring an object that exists to what is wanted."""
        self._replace.append(manifest)

    def delete(self, kind: str, name: str) -> None:
        """Delete an object."""
        ref = ObjectRef(kind, name)
        if ref not in self._delete:
            self._delete.append(ref)

    def look_again(self, at: float) -> None:
        """Decide again at that time at the latest."""
        self._look_again = at if self._look_again is None else min(self._look_again, at)

    def plan(self) -> Plan:
        """What was collected."""
        return Plan(
            status=self.status,
            delete=tuple(self._delete),
            replace=tuple(self._replace),
            create=tuple(self._create),
            events=tuple(self._events),
            look_again=self._look_again,
        )


_ORDER = get_args(ConditionType)


def shortened(text: str) -> str:
    """The text as the API server takes it: one that is too long would hold up all of status."""
    return text if len(text) <= MAX_MESSAGE else f"{text[: MAX_MESSAGE - 4]} ..."


def _condition_order(condition: Condition) -> int:
    return _ORDER.index(condition.type)
