"""The story of a job, as its user sees it."""

from __future__ import annotations

from tests.unit.operator.fake_cluster import (
    FakeCluster,
    changed,
    compress_message,
    make_job,
    train_message,
)
from tests.unit.operator.stories import train_and_compress


def test_a_job_goes_through_all_its_stages(cluster: FakeCluster) -> None:
    cluster.succeed()
    status = cluster.job.status
    assert status.phase == "Succeeded"
    assert [s.state for s in status.stages] == ["Succeeded"] * 3
    assert status.evaluation is not None
    assert status.evaluation.metrics["accuracy"] == 0.9
    assert status.compression is not None
    assert status.compression.winner == "int8"
    assert status.serving is not None
    assert status.serving.url == "http://fashion.default.svc:8080"
    assert status.serving.readyReplicas == 2
    assert {c.type: c.status for c in status.conditions} == {
        "Accepted": "True",
        "Running": "False",
        "Trained": "True",
        "Evaluated": "True",
        "Compressed": "True",
        "Serving": "True",
        "Succeeded": "True",
    }


def test_a_job_without_serving_ends_after_its_last_stage() -> None:
    cluster = FakeCluster(make_job())
    cluster.settle()
    cluster.run_all()
    cluster.settle()
    cluster.finish_all(train_message())
    cluster.settle()
    assert cluster.job.status.phase == "Succeeded"
    assert [s.name for s in cluster.job.status.stages] == ["Train"]


def test_workers_are_created_together_with_their_service(cluster: FakeCluster) -> None:
    cluster.settle()
    assert cluster.names() == ["train-1-0", "train-1-1"]
    assert any(s.stage == "train" for s in cluster.services.values())
    assert len(cluster.policies) == 1


def test_a_gate_that_does_not_hold_fails_the_run_and_nothing_is_rolled_out() -> None:
    gates = {"gates": [{"metric": "accuracy", "minimum": 0.95}]}
    cluster = FakeCluster(make_job(evaluation=gates, compression={}, serving={}))
    cluster.settle()
    cluster.run_all()
    cluster.settle()
    cluster.finish_all(train_message(accuracy=0.91))
    cluster.settle()
    status = cluster.job.status
    assert status.phase == "Failed"
    failed = status.condition("Failed")
    assert failed is not None
    assert failed.reason == "GateFailed"
    assert "accuracy 0.9100 is below the minimum 0.95" in failed.message
    assert cluster.deployments == {}
    assert status.artifacts.model is not None, "the model is kept all the same"


def test_a_name_claimed_by_another_job_fails_before_anything_runs() -> None:
    cluster = FakeCluster(make_job(serving={"name": "shared"}), foreign={"Service/shared"})
    cluster.settle()
    accepted = cluster.job.status.condition("Accepted")
    assert accepted is not None
    assert accepted.status == "False"
    assert "spec.serving.name" in accepted.message
    assert cluster.pods == {}


def test_what_is_not_built_yet_is_refused_and_never_ignored() -> None:
    cluster = FakeCluster(make_job(explanation={}))
    cluster.settle()
    assert cluster.job.status.phase == "Failed"
    failed = cluster.job.status.condition("Failed")
    assert failed is not None
    assert "spec.explanation" in failed.message


def test_a_failed_job_that_is_mended_is_tried_again() -> None:
    cluster = FakeCluster(make_job(explanation={}))
    cluster.settle()
    cluster.job = changed(cluster.job, explanation=None)
    cluster.settle()
    assert cluster.job.status.phase == "Training"
    assert cluster.job.status.run is not None
    assert cluster.job.status.run.id.startswith("2-")
    assert cluster.job.status.condition("Failed") is None


def test_a_changed_model_starts_a_new_run_while_the_old_one_serves(cluster: FakeCluster) -> None:
    cluster.succeed()
    before = cluster.job.status.serving
    assert before is not None
    training = cluster.job.spec.training.model_copy(update={"epochs": 9})
    cluster.job = changed(cluster.job, training=training)
    cluster.settle()
    status = cluster.job.status
    assert status.phase == "Training"
    assert status.serving is not None
    assert status.serving.revision == before.revision
    assert cluster.services["fashion"].run == before.revision
    assert len(cluster.deployments) == 1


def test_the_new_revision_takes_over_only_when_it_is_ready(cluster: FakeCluster) -> None:
    cluster.succeed()
    old = cluster.services["fashion"].run
    training = cluster.job.spec.training.model_copy(update={"epochs": 9})
    cluster.job = changed(cluster.job, training=training)
    cluster.pods.clear()
    train_and_compress(cluster)
    assert len(cluster.deployments) == 2, "both revisions run side by side"
    assert cluster.services["fashion"].run == old, "the old one has the traffic"
    cluster.ready_all()
    cluster.settle()
    assert cluster.services["fashion"].run != old
    assert len(cluster.deployments) == 1, "the old one goes when the new one serves"
    assert cluster.job.status.phase == "Succeeded"


def test_a_revision_that_never_gets_ready_is_rolled_back(cluster: FakeCluster) -> None:
    cluster.succeed()
    old = cluster.services["fashion"].run
    cluster.job = changed(
        cluster.job, training=cluster.job.spec.training.model_copy(update={"epochs": 9})
    )
    cluster.pods.clear()
    for message in (train_message(), None):
        cluster.settle()
        cluster.run_all()
        cluster.settle()
        if message is not None:
            cluster.finish_all(message)
    cluster.finish_all(compress_message())
    cluster.settle()
    cluster.now += 301
    cluster.settle()
    status = cluster.job.status
    assert status.phase == "Failed"
    assert status.serving is not None
    assert status.serving.revision == old
    assert status.serving.lastRollback is not None
    assert cluster.services["fashion"].run == old
    assert [d.run for d in cluster.deployments.values()] == [old]


def test_replicas_change_the_deployment_alone(cluster: FakeCluster) -> None:
    cluster.succeed()
    run = cluster.job.status.run
    assert cluster.job.spec.serving is not None
    serving = cluster.job.spec.serving.model_copy(update={"replicas": 5})
    cluster.job = changed(cluster.job, serving=serving)
    cluster.settle()
    assert cluster.job.status.run == run
    assert [d.replicas for d in cluster.deployments.values()] == [5]


def test_a_deployment_deleted_by_others_comes_back(cluster: FakeCluster) -> None:
    cluster.succeed()
    cluster.deployments.clear()
    cluster.settle()
    assert len(cluster.deployments) == 1


def test_results_outlive_their_pods(cluster: FakeCluster) -> None:
    cluster.succeed()
    created = list(cluster.created)
    cluster.pods.clear()
    cluster.settle()
    assert cluster.created == created, "nothing runs again"
    assert cluster.job.status.phase == "Succeeded"


def test_suspend_frees_the_pods_and_resume_goes_on() -> None:
    cluster = FakeCluster(make_job())
    cluster.settle()
    cluster.run_all()
    cluster.settle()
    policy = cluster.job.spec.runPolicy
    cluster.job = changed(cluster.job, runPolicy=policy.model_copy(update={"suspend": True}))
    cluster.settle()
    assert cluster.job.status.phase == "Suspended"
    assert cluster.pods == {}
    cluster.job = changed(cluster.job, runPolicy=policy)
    cluster.now += 1
    cluster.settle()
    assert cluster.names() == ["train-2-0", "train-2-1"]
    assert cluster.job.status.restarts.infrastructure == 0


def test_a_job_managed_by_others_is_left_alone() -> None:
    cluster = FakeCluster(make_job(runPolicy={"managedBy": "kueue.x-k8s.io/multikueue"}))
    plan = cluster.step()
    assert plan.create == ()
    assert plan.status == make_job().status


def test_the_deadline_ends_the_job_and_frees_its_pods() -> None:
    cluster = FakeCluster(make_job(runPolicy={"activeDeadlineSeconds": 60}))
    cluster.settle()
    cluster.run_all()
    cluster.now += 61
    cluster.settle()
    failed = cluster.job.status.condition("Failed")
    assert failed is not None
    assert failed.reason == "DeadlineExceeded"
    assert cluster.pods == {}


def test_a_finished_job_is_deleted_after_its_ttl() -> None:
    cluster = FakeCluster(make_job(runPolicy={"ttlSecondsAfterFinished": 100}))
    cluster.settle()
    cluster.run_all()
    cluster.settle()
    cluster.finish_all(train_message())
    cluster.settle()
    assert not cluster.deleted_job
    cluster.now += 101
    cluster.step()
    assert cluster.deleted_job


def test_clean_pod_policy_all_deletes_the_finished_pods_too() -> None:
    cluster = FakeCluster(make_job(runPolicy={"cleanPodPolicy": "All"}))
    cluster.settle()
    cluster.run_all()
    cluster.settle()
    cluster.finish_all(train_message())
    cluster.settle()
    assert cluster.pods == {}
    assert cluster.job.status.phase == "Succeeded"
