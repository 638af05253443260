"""What is known of a job, put together for one decision; nothing is asked for it."""

from __future__ import annotations

from trainyard_api.names import run_hash
from trainyard_operator.brain.observed import Observed, PodView
from trainyard_operator.hands.cluster.chiefs import Chiefs
from trainyard_operator.hands.cluster.children import Children
from trainyard_operator.hands.cluster.complaints import Complaints
from trainyard_operator.hands.cluster.jobs import Jobs
from trainyard_operator.hands.cluster.keys import Key
from trainyard_operator.hands.cluster.notes import Notes


class Reader:
    """Looks at jobs."""

    def __init__(
        self, jobs: Jobs, children: Children, notes: Notes, chiefs: Chiefs, complaints: Complaints
    ) -> None:
        self._jobs = jobs
        self._children = children
        self._notes = notes
        self._chiefs = chiefs
        self._complaints = complaints

    def look(self, key: Key) -> Observed | None:
        """What is known of a job; None where it is gone.

        Pods are a job's by their label, since those that serve are a ReplicaSet's; the rest is
        what the job itself owns.

        Raises:
            InvalidJob: the job is not one of this version's.
        """
        asked = self._jobs.look(key)
        if asked is None:
            self._forget(key)
            return None
        job, children = asked.job, self._children
        owner = job.metadata.uid
        pods = children.pods.of(key)
        self._complaints.follow(key, pods)
        observed = Observed(
            job=job,
            unknown=asked.unknown,
            pods=self._complaints.with_complaints(key, pods),
            services=children.services.of(key, owner),
            deployments=children.deployments.of(key, owner),
            policies=children.policies.of(key, owner),
            foreign=self._notes.foreign(key, job),
            refusals=self._notes.refusals(key, job),
            progress=self._chiefs.said(key),
        )
        chief = running_chief(observed)
        self._chiefs.follow(key, chief.address if chief is not None else "")
        return observed

    def _forget(self, key: Key) -> None:
        self._notes.forget(key)
        self._chiefs.follow(key, "")
        self._complaints.follow(key, ())


def running_chief(observed: Observed) -> PodView | None:
    """The pod that knows how far the stage under way is."""
    status = observed.job.status
    stage = next((s for s in status.stages if s.state in ("Starting", "Running")), None)
    if stage is None or status.run is None:
        return None
    wanted = (stage.name.lower(), run_hash(status.run.id), stage.attempts, 0, "Running")
    return next(
        (p for p in observed.pods if (p.stage, p.run, p.attempt, p.index, p.phase) == wanted),
        None,
    )
