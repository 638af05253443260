"""What the API server has against a job's objects: it is told once, and has to be remembered.

A refusal holds for the spec that asked for the object; a name that belongs to something else may
become free at any time.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from trainyard_api.spec import TrainingJob
from trainyard_operator.brain.observed import Refusal
from trainyard_operator.brain.plan import ObjectRef
from trainyard_operator.hands.cluster.keys import Key

RECHECK_SECONDS = 30.0
"""How often a name that belongs to something else is looked at."""


@dataclass
class _Note:
    uid: str
    """Of the job: a namesake is another job."""
    generation: int = 0
    """That asked for what was refused."""
    refusals: dict[tuple[str, str], Refusal] = field(default_factory=dict)
    """By kind and name; of pods, of which a gang has a thousand, the last."""
    taken: dict[ObjectRef, float] = field(default_factory=dict)
    """Names that belong to something else, and when that was seen."""


class Notes:
    """Remembers, for as long as the job is there."""

    def __init__(self) -> None:
        self._notes: dict[Key, _Note] = {}

    def refused(self, key: Key, job: TrainingJob, refusal: Refusal) -> None:
        """The API server did not take an object of the job's, as that generation asks for it."""
        note = self._note(key, job)
        if note.generation != job.metadata.generation:
            note.generation, note.refusals = job.metadata.generation, {}
        name = "" if refusal.kind == "Pod" else refusal.name
        note.refusals[refusal.kind, name] = refusal

    def taken(self, key: Key, job: TrainingJob, ref: ObjectRef, now: float) -> None:
        """A name that the job wants belongs to something else."""
        self._note(key, job).taken[ref] = now

    def free(self, key: Key, ref: ObjectRef) -> None:
        """A name that was taken is no longer."""
        if (note := self._notes.get(key)) is not None:
            note.taken.pop(ref, None)

    def carried_out(self, key: Key) -> None:
        """The API server has taken all that a plan wanted: what it denied for now is past."""
        note = self._notes.get(key)
        if note is not None and note.refusals:
            note.refusals = {of: said for of, said in note.refusals.items() if said.invalid}

    def forget(self, key: Key) -> None:
        """The job is gone."""
        self._notes.pop(key, None)

    def refusals(self, key: Key, job: TrainingJob) -> list[Refusal]:
        """What was refused, where the job still asks for it."""
        note = self._of(key, job)
        if note is None or note.generation != job.metadata.generation:
            return []
        return list(note.refusals.values())

    def foreign(self, key: Key, job: TrainingJob) -> frozenset[str]:
        """`Kind/name` of what belongs to something else."""
        note = self._of(key, job)
        taken = note.taken if note is not None else {}
        return frozenset(f"{ref.kind}/{ref.name}" for ref in taken)

    def doubtful(self, key: Key, now: float) -> list[ObjectRef]:
        """Taken names that it is time to look at again."""
        note = self._notes.get(key)
        taken = note.taken if note is not None else {}
        return [ref for ref, seen in taken.items() if now >= seen + RECHECK_SECONDS]

    def has_taken(self, key: Key) -> bool:
        """Whether the job waits for a name."""
        note = self._notes.get(key)
        return note is not None and bool(note.taken)

    def _of(self, key: Key, job: TrainingJob) -> _Note | None:
        note = self._notes.get(key)
        return note if note is not None and note.uid == job.metadata.uid else None

    def _note(self, key: Key, job: TrainingJob) -> _Note:
        note = self._of(key, job)
        if note is None:
            note = self._notes[key] = _Note(job.metadata.uid)
        return note
