"""What is known of jobs: the newest that was told, by the watch or by the answers to our writes."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.operator.stand import KEY, job_manifest
from trainyard_api.names import ANNOTATION_RETRAIN
from trainyard_api.problems import InvalidJob
from trainyard_api.status import TrainingJobStatus
from trainyard_operator.brain.plan import Manifest
from trainyard_operator.hands.cluster.jobs import Jobs


def told(version: int, *, uid: str = "u-1", **content: Any) -> Manifest:
    """The job of a version."""
    manifest = job_manifest()
    manifest["metadata"] |= {"resourceVersion": str(version), "uid": uid}
    manifest["metadata"] |= content.pop("metadata", {})
    return {**manifest, **content}


def known(*manifests: Manifest) -> Jobs:
    jobs = Jobs()
    for manifest in manifests:
        jobs.happened(manifest)
    return jobs


def write(jobs: Jobs, version: int, phase: str, uid: str = "u-1") -> None:
    """Our own status is written upon what is known, and the API server answers."""
    asked = jobs.look(KEY)
    assert asked is not None
    status = TrainingJobStatus.model_validate({"phase": phase})
    job = asked.job.model_copy(update={"status": status})
    metadata = {"resourceVersion": str(version), "uid": uid}
    jobs.written(KEY, job, metadata, {"phase": phase})


def phase(jobs: Jobs) -> str:
    asked = jobs.look(KEY)
    assert asked is not None
    return asked.job.status.phase


def test_a_new_job_is_news_and_the_same_once_more_is_none() -> None:
    jobs = Jobs()
    assert jobs.happened(told(7)) == KEY
    assert jobs.happened(told(7)) is None
    assert jobs.happened(told(8)) is None, "nothing that decisions need has changed"
    assert jobs.version(KEY) == "8", "but the next write has to name it"
    assert len(jobs) == 1
    assert KEY in jobs


@pytest.mark.parametrize(
    "change",
    [
        {"spec": {**job_manifest()["spec"], "compression": {}}},
        {"status": {"phase": "Failed"}},
        {"metadata": {"deletionTimestamp": "2027-01-15T08:00:00Z"}},
        {"metadata": {"annotations": {ANNOTATION_RETRAIN: "once"}}},
    ],
)
def test_what_decisions_need_is_news(change: Manifest) -> None:
    assert known(told(7)).happened(told(8, **change)) == KEY


@pytest.mark.parametrize(
    "metadata", [{"labels": {"team": "a"}}, {"annotations": {"team": "a"}}, {"managedFields": []}]
)
def test_what_decisions_do_not_need_is_no_news(metadata: Manifest) -> None:
    assert known(told(7)).happened(told(8, metadata=metadata)) is None


def test_an_older_version_that_comes_late_changes_nothing() -> None:
    jobs = known(told(9, status={"phase": "Training"}))
    assert jobs.happened(told(8, status={"phase": "Pending"})) is None
    assert (phase(jobs), jobs.version(KEY)) == ("Training", "9")


def test_our_own_write_is_known_at_once_and_its_echo_is_no_news() -> None:
    jobs = known(told(7))
    write(jobs, 8, "Training")
    assert (phase(jobs), jobs.version(KEY)) == ("Training", "8")
    assert jobs.phases() == {"Training": 1}
    assert jobs.happened(told(8, status={"phase": "Training"})) is None


def test_an_answer_that_comes_after_newer_news_changes_nothing() -> None:
    jobs = known(told(7))
    asked = jobs.look(KEY)
    assert asked is not None
    jobs.happened(told(9, status={"phase": "Failed"}))
    late = {"resourceVersion": "8", "uid": "u-1"}
    jobs.written(KEY, asked.job, late, {"phase": "Training"})
    assert (phase(jobs), jobs.version(KEY)) == ("Failed", "9")


def test_a_write_upon_an_older_job_is_read_with_the_newer_spec() -> None:
    """An answer is of the job as it is there, and may bring a spec that is not yet known."""
    jobs = known(told(7))
    asked = jobs.look(KEY)
    assert asked is not None
    spec = {**job_manifest()["spec"], "compression": {}}
    jobs.happened(told(8, spec=spec))
    later = {"resourceVersion": "9", "uid": "u-1"}
    jobs.written(KEY, asked.job, later, {"phase": "Training"})
    now = jobs.look(KEY)
    assert now is not None
    assert now.job.spec.compression is not None
    assert now.job.status.phase == "Training"


def test_an_answer_makes_no_job_that_is_gone() -> None:
    jobs = known(told(7))
    asked = jobs.look(KEY)
    assert asked is not None
    assert jobs.gone(KEY, "u-1")
    jobs.written(KEY, asked.job, {"resourceVersion": "8", "uid": "u-1"}, {"phase": "Training"})
    assert jobs.look(KEY) is None
    assert len(jobs) == 0


def test_an_answer_about_a_job_is_none_about_its_namesake() -> None:
    jobs = known(told(7))
    asked = jobs.look(KEY)
    assert asked is not None
    jobs.happened(told(9, uid="u-2"))
    jobs.written(KEY, asked.job, {"resourceVersion": "10", "uid": "u-1"}, {"phase": "Failed"})
    assert (phase(jobs), jobs.uid(KEY), jobs.version(KEY)) == ("Pending", "u-2", "9")


def test_the_end_of_a_job_is_not_that_of_its_namesake() -> None:
    jobs = known(told(7), told(9, uid="u-2"))
    assert not jobs.gone(KEY, "u-1")
    assert jobs.uid(KEY) == "u-2"
    assert jobs.gone(KEY, "u-2")
    assert not jobs.gone(KEY, "u-2"), "it is no news twice"
    assert (jobs.uid(KEY), jobs.version(KEY), jobs.status(KEY)) == ("", "", {})


def test_a_list_tells_who_is_gone() -> None:
    jobs = known(told(7))
    assert jobs.listed([told(7)], "20") == set()
    assert jobs.listed([], "20") == {KEY}
    assert KEY not in jobs


def test_a_list_of_the_past_knows_nothing_of_what_came_after_it() -> None:
    jobs = known(told(21))
    assert jobs.listed([], "20") == set()
    assert KEY in jobs


def test_a_list_that_has_only_the_namesake_ends_the_job() -> None:
    jobs = known(told(7))
    assert jobs.listed([told(15, uid="u-2")], "20") == {KEY}


def test_fields_of_a_later_version_are_told_beside_what_is_known() -> None:
    spec = job_manifest()["spec"]
    later = {**spec, "workers": {**spec["workers"], "novelty": 1}}
    asked = known(told(7, spec=later)).look(KEY)
    assert asked is not None
    assert asked.unknown == ("spec.workers.novelty",)
    assert asked.job.spec.workers.replicas == 2


def test_a_status_of_a_later_version_is_read_and_kept_as_it_stands() -> None:
    status = {"phase": "Training", "cost": 3}
    jobs = known(told(7, status=status))
    assert phase(jobs) == "Training"
    assert jobs.status(KEY) == status


@pytest.mark.parametrize(
    ("content", "field"),
    [
        ({"status": {"phase": "Dreaming"}}, "status"),
        ({"status": {"stages": "none"}}, "status"),
        ({"spec": {"data": {}, "model": {"architecture": "cnn"}}}, "spec.data.source"),
        ({"spec": {**job_manifest()["spec"], "workers": {"replicas": "two"}}}, "spec.workers"),
        ({"metadata": {"name": "a.b"}}, "metadata.name"),
    ],
)
def test_what_is_no_job_of_this_version_says_where(content: Manifest, field: str) -> None:
    jobs = Jobs()
    key = jobs.happened(told(7, **content))
    assert key is not None
    for _ in range(2):
        with pytest.raises(InvalidJob, match=field):
            jobs.look(key)


@pytest.mark.parametrize(
    ("spec", "manager"),
    [
        ({"runPolicy": {"managedBy": "other"}}, "other"),
        ({"runPolicy": {"managedBy": "other"}, "nonsense": 1}, "other"),
        ({"runPolicy": None}, None),
        ({"runPolicy": "none"}, None),
        ({}, None),
    ],
)
def test_who_manages_a_job_is_known_though_it_is_no_valid_one(
    spec: Manifest, manager: str | None
) -> None:
    assert known(told(7, spec=spec)).managed_by(KEY) == manager


def test_a_job_that_is_mended_is_valid_again() -> None:
    jobs = known(told(7, status={"phase": "Dreaming"}))
    with pytest.raises(InvalidJob):
        jobs.look(KEY)
    jobs.happened(told(8, status={"phase": "Failed"}))
    assert phase(jobs) == "Failed"


def test_a_version_that_is_no_number_is_taken_as_the_newest() -> None:
    jobs = known(told(7))
    other = told(8, status={"phase": "Failed"})
    other["metadata"]["resourceVersion"] = "b-8"
    assert jobs.happened(other) == KEY
    assert phase(jobs) == "Failed"
