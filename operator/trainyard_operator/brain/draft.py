"""A plan in the making."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal, Unpack

from trainyard_api.names import run_hash
from trainyard_api.spec import TrainingJob
from trainyard_api.status import Condition, ConditionType, Stage, StageName, TrainingJobStatus
from trainyard_operator.brain import times
from trainyard_operator.brain.changes import StageChanges, StatusChanges
from trainyard_operator.brain.conditions import Truth, shortened, with_condition
from trainyard_operator.brain.observed import Observed
from trainyard_operator.brain.plan import Event, Manifest, ObjectRef, Plan, aggregated
from trainyard_operator.settings import Settings


@dataclass
class Draft:
    """Collects what is to be done, while the stages look at what was observed.

    A status that is not changed stays the same object.
    """

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
    def run_hash(self) -> str:
        """Hash of the current run, by which its objects are labelled; empty where there is none."""
        return run_hash(self.status.run.id) if self.status.run is not None else ""

    @cached_property
    def timestamp(self) -> str:
        """Now, as status writes it."""
        return times.to_text(self.now)

    @property
    def ended(self) -> bool:
        """Whether the run has come to its end."""
        return self.status.phase in ("Succeeded", "Failed")

    def update(self, **changes: Unpack[StatusChanges]) -> None:
        """Change fields of status."""
        status = self.status
        if any(getattr(status, name) != value for name, value in changes.items()):
            self.status = status.model_copy(update=changes)

    def stage(self, name: StageName) -> Stage:
        """A stage that the run has."""
        stage = self.status.stage(name)
        if stage is None:
            raise ValueError(f"the run has no stage {name}")
        return stage

    def update_stage(self, name: StageName, **changes: Unpack[StageChanges]) -> Stage:
        """Change fields of a stage that the run has."""
        if "message" in changes:
            changes["message"] = shortened(changes["message"])
        before = self.stage(name)
        if all(getattr(before, field) == value for field, value in changes.items()):
            return before
        changed = before.model_copy(update=changes)
        stages = [changed if stage.name == name else stage for stage in self.status.stages]
        self.update(stages=stages)
        return changed

    def set_condition(
        self, kind: ConditionType, status: Truth, reason: str, message: str = ""
    ) -> None:
        """Set a condition; its transition time moves only when its status does."""
        message, generation = shortened(message), self.job.metadata.generation
        before = self.status.condition(kind)
        if before is not None and (status, reason, message, generation) == (
            before.status,
            before.reason,
            before.message,
            before.observedGeneration,
        ):
            return
        condition = Condition(
            type=kind,
            status=status,
            reason=reason,
            message=message,
            lastTransitionTime=self.timestamp,
            observedGeneration=generation,
        )
        self.update(conditions=with_condition(self.status.conditions, condition))

    def drop_conditions(self, kinds: Iterable[ConditionType]) -> None:
        """Remove conditions that hold no longer."""
        dropped = set(kinds)
        self.update(conditions=[c for c in self.status.conditions if c.type not in dropped])

    def event(self, kind: Literal["Normal", "Warning"], reason: str, message: str) -> None:
        """Record an event."""
        self._events.append(Event(kind, reason, message))

    def create(self, *manifests: Manifest) -> None:
        """Create objects."""
        self._create.extend(manifests)

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
            events=aggregated(self._events),
            look_again=self._look_again,
        )
