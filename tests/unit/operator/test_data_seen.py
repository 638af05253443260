"""What a local run knows of its data: it is trained anew where that has changed, and says so."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from tests.unit.operator.fake_cluster import FakeCluster, make_job
from trainyard_api.environment import VOLUMES
from trainyard_api.spec import TrainingJob
from trainyard_operator.brain.runs import is_current
from trainyard_operator.hands.processes.data_seen import DataSeen, look, word_of_before


@pytest.fixture
def data(tmp_path: Path) -> Path:
    folder = tmp_path / "data"
    (folder / "train").mkdir(parents=True)
    (folder / "train" / "a.csv").write_text("x,y\n1,2\n")
    (folder / "b.csv").write_text("x,y\n3,4\n")
    return folder


def seen(data: Path, name: str = "") -> str | None:
    return look(f"file://{data}{name}", {}, [f"file://{data}/out", "s3://bucket/store"])


def test_data_that_stays_looks_the_same(data: Path) -> None:
    assert seen(data) is not None
    assert seen(data) == seen(data)


def test_a_file_that_is_changed_added_renamed_or_removed_is_seen(data: Path) -> None:
    looks = [seen(data)]
    (data / "b.csv").write_text("x,y\n3,5\n")
    os.utime(data / "b.csv", ns=(0, 1))
    looks.append(seen(data))
    (data / "c.csv").write_text("x,y\n")
    looks.append(seen(data))
    (data / "c.csv").rename(data / "d.csv")
    looks.append(seen(data))
    (data / "train" / "a.csv").unlink()
    looks.append(seen(data))
    assert len(set(looks)) == len(looks)


def test_a_file_that_was_only_touched_counts_as_changed(data: Path) -> None:
    before = seen(data)
    os.utime(data / "b.csv", ns=(0, 1))
    assert seen(data) != before


def test_what_is_hidden_and_what_the_job_writes_is_no_data(data: Path) -> None:
    before = seen(data)
    (data / ".DS_Store").touch()
    (data / ".cache").mkdir()
    (data / ".cache" / "x").touch()
    (data / "out").mkdir()
    (data / "out" / "status.json").touch()
    assert seen(data) == before


def test_a_pattern_looks_at_the_files_that_it_matches(data: Path) -> None:
    before = seen(data, "/b*.csv")
    assert before is not None
    (data / "c.csv").touch()
    assert seen(data, "/b*.csv") == before
    (data / "b2.csv").touch()
    assert seen(data, "/b*.csv") != before


def test_a_claim_is_looked_at_where_it_is_mounted(data: Path, tmp_path: Path) -> None:
    environ = {VOLUMES: str(tmp_path)}
    assert look("pvc://data/train", environ, []) == seen(data, "/train")


def test_a_store_on_the_datas_own_claim_is_no_data(data: Path, tmp_path: Path) -> None:
    environ, store = {VOLUMES: str(tmp_path)}, "pvc://data/default/people"
    before = look("pvc://data", environ, [store])
    (data / "default" / "people" / "1-5f3a9c").mkdir(parents=True)
    (data / "default" / "people" / "1-5f3a9c" / "model.keras").touch()
    assert look("pvc://data", environ, [store]) == before
    assert look("pvc://data", environ, []) != before


@pytest.mark.parametrize("uri", ["keras://mnist", "s3://bucket/x", "file:///nothing/is/here"])
def test_nothing_is_known_of_what_is_not_on_the_disk(uri: str) -> None:
    assert look(uri, {}, []) is None


def trained(uri: str = "file:///data") -> FakeCluster:
    cluster = FakeCluster(make_job(data={"source": {"uri": uri}}))
    cluster.succeed()
    return cluster


def started_again(job: TrainingJob, before: DataSeen, digest: str | None) -> tuple[Any, str]:
    """The job as it is asked for at another start, and what is told of it."""
    uri = job.spec.data.source.uri
    now = before.next(uri, digest)
    asked = now.asked_of(job)
    word = word_of_before(asked, before, now, known=digest is not None)
    return asked, "" if word is None else word.message


def test_changed_data_starts_a_new_run_and_is_told() -> None:
    cluster = trained()
    before = DataSeen(uri="file:///data", digest="one")
    asked, said = started_again(cluster.job, before, "two")
    assert not is_current(asked)
    assert said == "the data at file:///data has changed since run 1: the model is trained anew"
    cluster.job = asked
    cluster.succeed()
    assert cluster.job.status.run is not None
    assert cluster.job.status.run.id.startswith("2-")


def test_the_data_of_the_run_that_follows_is_that_of_the_run_again() -> None:
    cluster = trained()
    after = DataSeen(uri="file:///data", digest="one").next("file:///data", "two")
    user_s = cluster.job
    cluster.job = after.asked_of(cluster.job)
    cluster.succeed()
    again = user_s.model_copy(update={"status": cluster.job.status})
    asked, said = started_again(again, after, "two")
    assert is_current(asked)
    assert "run 2 trained the model" in said
    asked, _ = started_again(again, after, "one")
    assert not is_current(asked), "data that is put back is other data again"


def test_an_interrupted_run_goes_on_with_the_same_data_and_not_with_other() -> None:
    cluster = FakeCluster(make_job(data={"source": {"uri": "file:///data"}}))
    cluster.step()
    before = DataSeen(uri="file:///data", digest="one")
    asked, said = started_again(cluster.job, before, "one")
    assert is_current(asked)
    assert said == ""
    asked, said = started_again(cluster.job, before, "two")
    assert not is_current(asked)
    assert "trained anew" in said


def test_unchanged_data_is_not_trained_on_again_and_the_word_says_when_it_was() -> None:
    job = trained().job
    asked, said = started_again(job, DataSeen(uri="file:///data", digest="one"), "one")
    assert is_current(asked)
    train = job.status.stage("Train")
    assert train is not None
    assert said == (
        f"run 1 trained the model, until {train.completionTime}; it is not trained again: "
        "the data at file:///data has not changed"
    )


def test_a_bucket_that_is_not_looked_at_is_told_with_the_way_to_train_again() -> None:
    job = trained("s3://bucket/rows").job
    asked, said = started_again(job, DataSeen(uri="s3://bucket/rows"), None)
    assert is_current(asked)
    assert "not trained again" in said
    assert "s3://bucket/rows" in said
    assert "trainyard.dev/retrain" in said


def test_data_that_is_away_has_not_changed() -> None:
    asked, said = started_again(trained().job, DataSeen(uri="file:///data", digest="one"), None)
    assert is_current(asked)
    assert "is not known here" in said


def test_a_packaged_data_set_never_changes() -> None:
    _, said = started_again(trained("keras://mnist").job, DataSeen(uri="keras://mnist"), None)
    assert said.endswith("it is not trained again")


def test_a_job_of_an_earlier_version_that_has_not_looked_is_not_trained_again() -> None:
    before = DataSeen(uri="file:///data").next("file:///data", "one")
    assert before.retrain == ""
    assert is_current(before.asked_of(trained().job))


def test_the_users_own_annotation_starts_a_run_beside_the_datas() -> None:
    job = trained().job
    now = DataSeen(uri="file:///data", digest="one").next("file:///data", "two")
    annotations = {"trainyard.dev/retrain": "please"}
    metadata = job.metadata.model_copy(update={"annotations": annotations})
    asked = now.asked_of(job.model_copy(update={"metadata": metadata}))
    assert asked.metadata.annotations == {"trainyard.dev/retrain": "please data two"}
