"""What always holds of a job, whatever happens to it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trainyard_api.names import LABEL_ATTEMPT, LABEL_RUN, LABEL_STAGE, MANAGER
from trainyard_api.status import Restarts, TrainingJobStatus
from trainyard_operator.brain.gang.gang import TERMINATION_SECONDS
from trainyard_operator.brain.observed import Observed
from trainyard_operator.brain.plan import Plan
from trainyard_operator.brain.runs import is_current
from trainyard_operator.build.deployments import serving_name

if TYPE_CHECKING:
    from tests.unit.operator.played_cluster import PlayedCluster

ENDS = ("Succeeded", "Failed")


def decided(cluster: PlayedCluster, observed: Observed, plan: Plan) -> None:
    """One decision was made."""
    after = plan.status
    assert TrainingJobStatus.model_validate_json(after.model_dump_json()) == after
    foreign = observed.job.spec.runPolicy.managedBy != MANAGER
    if foreign or (observed.unknown and not is_current(observed.job)):
        _does_nothing(observed, plan)
        return
    _ends_stay(observed, after)
    _counters_grow(observed.job.status, after)
    _endpoint_stays(cluster, observed, plan)
    _attempts_follow_each_other(cluster, observed, plan)
    served = {pod.name for pod in observed.pods if pod.stage == "serve"}
    assert not served & {ref.name for ref in plan.delete if ref.kind == "Pod"}


def at_rest(cluster: PlayedCluster) -> None:
    """There is nothing more to do."""
    if not cluster.is_ours:
        return
    _conditions_fit(cluster)
    _serving_is_true(cluster)
    _pods_are_freed(cluster)
    _refusals_are_told(cluster)
    if cluster.phase == "Succeeded":
        _has_results(cluster)


def _ends_stay(observed: Observed, after: TrainingJobStatus) -> None:
    """An end stays one until its user asks for more, or what was in the way of a start is gone."""
    before, job = observed.job.status, observed.job
    changed = before.observedGeneration != job.metadata.generation
    asked = changed or observed.retry or not is_current(job)
    failed = before.condition("Failed")
    never_begun = failed is not None and failed.reason == "InvalidSpec"
    never_begun &= all(stage.startTime is None for stage in before.stages)
    if before.phase in ENDS and not asked and not never_begun:
        assert after.phase == before.phase
        assert after.completionTime == before.completionTime


def _does_nothing(observed: Observed, plan: Plan) -> None:
    assert plan.status == observed.job.status
    assert (plan.replace, plan.delete, plan.create) == ((), (), ())


def _counters_grow(before: TrainingJobStatus, after: TrainingJobStatus) -> None:
    if before.run is None or after.run is None:
        return
    if before.run.id != after.run.id:
        assert _number(after.run.id) > _number(before.run.id)
        return
    assert 0 <= _total(after.restarts) - _total(before.restarts) <= 1
    for stage in before.stages:
        now = after.stage(stage.name)
        if now is None:
            assert stage.name in ("Compress", "Serve")
            continue
        assert now.attempts >= stage.attempts
        if stage.state == "Succeeded":
            assert now.state == "Succeeded"


def _number(run: str) -> int:
    return int(run.partition("-")[0])


def _total(restarts: Restarts) -> int:
    return restarts.program + restarts.infrastructure


def _endpoint_stays(cluster: PlayedCluster, observed: Observed, plan: Plan) -> None:
    """What has served goes only with `serving`, or when another answers in its place."""
    serving, status = observed.job.spec.serving, observed.job.status.serving
    if serving is None or status is None or status.state != "Serving":
        return
    name = serving_name(observed.job, serving)
    deleted = {(ref.kind, ref.name) for ref in plan.delete}
    answering = cluster.answering()
    going = [
        pair
        for pair in answering
        if ("Service", pair[0].name) in deleted or ("Deployment", pair[1].name) in deleted
    ]
    staying = [pair for pair in answering if pair not in going and pair[0].name == name]
    assert not going or staying, f"{going} goes, and nothing answers in its place"


def _attempts_follow_each_other(cluster: PlayedCluster, observed: Observed, plan: Plan) -> None:
    """Pods of two attempts never share a store while those of the earlier may still end."""
    grace = observed.job.spec.workers.terminationGracePeriodSeconds + TERMINATION_SECONDS
    for manifest in plan.create:
        if manifest["kind"] != "Pod":
            continue
        labels = manifest["metadata"]["labels"]
        if _stands_by(plan.status, labels[LABEL_STAGE], int(labels[LABEL_ATTEMPT])):
            continue
        for pod in observed.pods:
            other = (
                (pod.stage, pod.run) == (labels[LABEL_STAGE], labels[LABEL_RUN])
                and pod.attempt != int(labels[LABEL_ATTEMPT])
                and not pod.finished
            )
            if other and pod.name in cluster.pods:
                asked = cluster.asked.get(pod.name)
                assert asked is not None, f"{pod.name} was not even told to end"
                assert cluster.now >= asked + grace, f"{pod.name} still has time to end"


def _stands_by(status: TrainingJobStatus, label: str, attempt: int) -> bool:
    """Whether a worker waits until its gang can grow, and touches nothing."""
    stage = next((stage for stage in status.stages if stage.name.lower() == label), None)
    return stage is not None and stage.growTime is not None and attempt == stage.attempts + 1


def _conditions_fit(cluster: PlayedCluster) -> None:
    phase, status = cluster.phase, cluster.job.status
    true = {c.type for c in status.conditions if c.status == "True"}
    assert ("Succeeded" in true) == (phase == "Succeeded")
    assert ("Failed" in true) == (phase == "Failed")
    assert phase not in ENDS or "Running" not in true
    if phase not in ENDS:
        assert ("Suspended" in true) == (phase == "Suspended")
    if phase == "Failed":
        failed = status.condition("Failed")
        assert failed is not None
        assert failed.reason
        assert failed.message
    assert (status.completionTime is not None) == (phase in ENDS)
    accepted = status.condition("Accepted")
    assert accepted is not None
    assert accepted.observedGeneration == cluster.job.metadata.generation
    assert status.observedGeneration == cluster.job.metadata.generation


def _serving_is_true(cluster: PlayedCluster) -> None:
    status, serving = cluster.job.status, cluster.condition("Serving")
    if serving is not None and serving[0] == "True":
        assert cluster.answering(), "Serving is said, and nothing answers"
    asked = cluster.job.spec.serving is not None and status.stage("Serve") is not None
    if cluster.phase in ENDS and asked and not cluster.answering():
        assert serving is not None, "nothing answers, and nobody says so"
        assert serving[0] == "False"
    if status.serving is not None and status.serving.state == "Serving" and cluster.answering():
        assert serving is not None
        assert serving[0] == "True", "it answers, and is said not to"


def _pods_are_freed(cluster: PlayedCluster) -> None:
    policy = cluster.job.spec.runPolicy.cleanPodPolicy
    kept = [pod for pod in cluster.pods.values() if pod.stage != "serve" and not pod.deleting]
    status, ended = cluster.job.status, cluster.phase in (*ENDS, "Suspended")
    working = [
        pod
        for pod in kept
        if not pod.finished and (ended or not _stands_by(status, pod.stage, pod.attempt))
    ]
    assert len({(pod.stage, pod.run, pod.attempt) for pod in working}) <= 1
    if ended:
        assert working == []
    if cluster.phase in ENDS and policy == "All":
        assert kept == []


def _refusals_are_told(cluster: PlayedCluster) -> None:
    """A gang that is to start says what the API server has against it, and so does a job that has
    yet to claim its endpoint's name."""
    status = cluster.job.status
    starting = any(stage.state == "Starting" for stage in status.stages)
    starting &= not any(pod.waiting_reason for pod in cluster.working())
    claims = cluster.phase == "Pending" and status.serving is None
    for refusal in cluster.observe().refusals:
        of_endpoint = refusal.kind == "Deployment" or refusal.name in ("fashion", "other")
        waited_for = claims and refusal.kind == "Service" if of_endpoint else starting
        if refusal.kind not in cluster.refuses or not waited_for or cluster.phase in ENDS:
            continue
        said = [condition.message for condition in status.conditions]
        assert any(refusal.message in message for message in said), f"nobody tells of {refusal}"


def _has_results(cluster: PlayedCluster) -> None:
    status = cluster.job.status
    assert status.evaluation is not None
    assert status.artifacts.model is not None
    assert all(stage.state == "Succeeded" for stage in status.stages)
    if status.stage("Compress") is not None:
        assert status.compression is not None
        assert status.artifacts.compressed is not None
    if cluster.job.spec.serving is not None and status.stage("Serve") is not None:
        assert status.serving is not None
