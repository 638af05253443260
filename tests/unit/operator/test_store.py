"""Nothing is decided from a ghost, or from a past that has not been seen yet."""

from __future__ import annotations

from typing import Any

import pytest

from trainyard_operator.brain.plan import Manifest
from trainyard_operator.hands.cluster.api import WatchEvent
from trainyard_operator.hands.cluster.keys import Key
from trainyard_operator.hands.cluster.store import Store

KEY = Key("default", "fashion")
View = tuple[str, str]


def pod(
    version: int | str, uid: str = "u1", name: str = "p", job: str = "fashion", **metadata: Any
) -> Manifest:
    return {
        "metadata": {
            "namespace": "default",
            "name": name,
            "uid": uid,
            "resourceVersion": str(version),
            "labels": {"trainyard.dev/job": job},
            **metadata,
        },
        "status": {"phase": str(version)},
    }


def view(manifest: Manifest) -> View | None:
    """Uid and phase; a pod without a phase is not ours."""
    metadata, phase = manifest["metadata"], manifest["status"]["phase"]
    deleting = " deleting" if "deletionTimestamp" in metadata else ""
    return (metadata["uid"], phase + deleting) if phase else None


@pytest.fixture
def store() -> Store[View]:
    return Store(view)


def happened(store: Store[View], kind: str, manifest: Manifest) -> Key | None:
    return store.happened(WatchEvent(kind, manifest))


def test_what_the_watch_says_is_known_by_job(store: Store[View]) -> None:
    assert happened(store, "ADDED", pod(1)) == KEY
    assert happened(store, "ADDED", pod(2, "u2", "q", job="other")) == Key("default", "other")
    assert happened(store, "MODIFIED", pod(3)) == KEY
    assert store.of(KEY) == [("u1", "3")]
    assert store.keys() == {KEY, Key("default", "other")}
    assert len(store) == 2
    assert happened(store, "DELETED", pod(4)) == KEY
    assert store.of(KEY) == []
    assert store.keys() == {Key("default", "other")}


def test_an_event_that_is_older_than_what_is_known_is_ignored(store: Store[View]) -> None:
    store.written(pod(5))
    assert happened(store, "ADDED", pod(4)) is None
    assert happened(store, "DELETED", pod(4)) is None
    assert store.of(KEY) == [("u1", "5")]


def test_the_echo_of_our_own_write_is_no_news(store: Store[View]) -> None:
    store.written(pod(5))
    assert happened(store, "ADDED", pod(5)) is None


def test_an_event_that_changes_nothing_that_matters_is_no_news(store: Store[View]) -> None:
    happened(store, "ADDED", pod(5))
    assert happened(store, "MODIFIED", {**pod(6), "status": {"phase": "5"}}) is None
    store.written(pod(6))
    assert store.of(KEY) == [("u1", "5")], "its version is remembered all the same"


def test_a_list_item_that_is_older_than_what_is_known_is_ignored(store: Store[View]) -> None:
    store.written(pod(5))
    assert store.listed([pod(4)], "4") == set()
    assert store.of(KEY) == [("u1", "5")]


def test_the_end_of_an_object_is_not_that_of_its_successor(store: Store[View]) -> None:
    happened(store, "ADDED", pod(1))
    store.written(pod(4, "u2"))
    assert happened(store, "DELETED", pod(3)) is None
    assert store.of(KEY) == [("u2", "4")]


def test_what_a_list_lacks_is_gone_unless_it_was_written_after_it(store: Store[View]) -> None:
    happened(store, "ADDED", pod(1, "u1", "old"))
    store.written(pod(8, "u2", "new"))
    assert store.listed([], "7") == {KEY}
    assert store.of(KEY) == [("u2", "8")]
    assert store.listed([], "8") == {KEY}
    assert len(store) == 0


def test_what_we_deleted_is_not_resurrected_by_late_events(store: Store[View]) -> None:
    happened(store, "ADDED", pod(1))
    store.deleted("default", "p", "u1", {"kind": "Status", "status": "Success"})
    assert happened(store, "MODIFIED", pod(2)) is None
    assert store.listed([pod(3)], "3") == set(), "a list of a time before the deletion"
    assert len(store) == 0
    assert happened(store, "DELETED", pod(4)) == KEY, "the job may have waited for it"
    assert happened(store, "ADDED", pod(5, "u2")) == KEY


def test_what_was_gone_already_is_gone(store: Store[View]) -> None:
    happened(store, "ADDED", pod(1))
    store.deleted("default", "p", "u1", None)
    assert happened(store, "MODIFIED", pod(2)) is None
    assert len(store) == 0


def test_the_predecessor_of_what_we_deleted_is_not_resurrected_either(
    store: Store[View],
) -> None:
    store.written(pod(4, "u2"))
    store.deleted("default", "p", "u2", None)
    assert happened(store, "ADDED", pod(2, "u1")) is None
    assert happened(store, "DELETED", pod(3, "u1")) is None
    assert happened(store, "ADDED", pod(4, "u2")) is None
    assert len(store) == 0


def test_a_list_after_a_deletion_ends_the_memory_of_it(store: Store[View]) -> None:
    happened(store, "ADDED", pod(5))
    store.deleted("default", "p", "u1", None)
    store.listed([], "4")
    happened(store, "ADDED", pod(5))
    assert len(store) == 0, "a list from before it was there says nothing of its end"
    store.listed([], "6")
    assert not store._graves


def test_what_is_held_is_known_as_being_deleted(store: Store[View]) -> None:
    happened(store, "ADDED", pod(1))
    store.deleted("default", "p", "u1", pod(2, deletionTimestamp="2026-01-01T00:00:00Z"))
    assert store.of(KEY) == [("u1", "2 deleting")]
    assert happened(store, "MODIFIED", pod(1)) is None
    assert happened(store, "DELETED", pod(3)) == KEY
    assert len(store) == 0


def test_the_deletion_of_a_predecessor_leaves_the_successor(store: Store[View]) -> None:
    store.written(pod(4, "u2"))
    store.deleted("default", "p", "u1", None)
    assert store.of(KEY) == [("u2", "4")]


def test_an_answer_that_comes_after_the_watch_has_told_the_end_makes_no_ghost(
    store: Store[View],
) -> None:
    happened(store, "ADDED", pod(1))
    happened(store, "DELETED", pod(3))
    store.written(pod(2))
    store.deleted("default", "p", "u1", pod(2, deletionTimestamp="2026-01-01T00:00:00Z"))
    assert len(store) == 0


@pytest.mark.parametrize("told", [False, True])
def test_the_loser_of_two_deletions_at_once_makes_no_ghost(store: Store[View], told: bool) -> None:
    """It is answered with the pod as it was, but for its resourceVersion."""
    happened(store, "ADDED", pod(1))
    if told:
        happened(store, "DELETED", pod(3))
    answer = pod(1, deletionTimestamp="2026-01-01T00:00:00Z")
    del answer["metadata"]["resourceVersion"]
    store.deleted("default", "p", "u1", answer)
    assert len(store) == 0
    assert told or happened(store, "MODIFIED", pod(2)) is None
    assert len(store) == 0


def test_a_deletion_makes_nothing_known_where_versions_are_no_numbers(store: Store[View]) -> None:
    happened(store, "ADDED", pod("b"))
    happened(store, "DELETED", pod("c"))
    store.deleted("default", "p", "u1", pod("d", deletionTimestamp="2026-01-01T00:00:00Z"))
    assert len(store) == 0


def test_a_bookmark_tells_how_far_the_watch_has_told(store: Store[View]) -> None:
    assert store.happened(WatchEvent("BOOKMARK", {"metadata": {"resourceVersion": "9"}})) is None
    store.written(pod(8))
    assert len(store) == 0, "created and deleted before the watch began"
    store.written(pod(10))
    assert len(store) == 1


def test_versions_that_are_no_numbers_are_believed_in_their_order(store: Store[View]) -> None:
    happened(store, "ADDED", pod("b"))
    assert happened(store, "MODIFIED", pod("a")) == KEY
    assert store.of(KEY) == [("u1", "a")]
    store.deleted("default", "p", "u1", None)
    assert happened(store, "MODIFIED", pod("c")) is None
    happened(store, "DELETED", pod("d"))
    store.written(pod("e", "u2"))
    assert store.of(KEY) == [("u2", "e")]
    assert store.listed([], "f") == {KEY}


def test_what_is_not_ours_is_left_out(store: Store[View]) -> None:
    nobodys = pod(1)
    del nobodys["metadata"]["labels"]
    assert happened(store, "ADDED", nobodys) is None
    assert happened(store, "ADDED", {**pod(2), "status": {"phase": ""}}) is None
    happened(store, "ADDED", pod(3))
    assert happened(store, "MODIFIED", {**pod(4), "status": {"phase": ""}}) == KEY
    assert len(store) == 0


def test_an_object_that_cannot_be_read_harms_nobody(
    store: Store[View], caplog: pytest.LogCaptureFixture
) -> None:
    assert happened(store, "ADDED", {**pod(1), "status": {}}) is None
    assert "p is not as the operator makes it" in caplog.text
    assert len(store) == 0


def test_an_object_that_goes_to_another_job_is_missed_by_the_first(store: Store[View]) -> None:
    happened(store, "ADDED", pod(1))
    assert happened(store, "MODIFIED", pod(2, job="other")) == KEY
    assert store.of(KEY) == []
    assert store.of(Key("default", "other")) == [("u1", "2")]


def test_objects_of_another_owner_can_be_left_out(store: Store[View]) -> None:
    def owned(uid: str) -> list[dict[str, Any]]:
        return [{"uid": "somebody"}, {"uid": uid, "controller": True}]

    happened(store, "ADDED", pod(1, "u1", "a", ownerReferences=owned("job-1")))
    happened(store, "ADDED", pod(2, "u2", "b", ownerReferences=owned("job-2")))
    happened(store, "ADDED", pod(3, "u3", "c"))
    assert store.of(KEY, "job-2") == [("u2", "2")]
    assert len(store.of(KEY)) == 3
