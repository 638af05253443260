"""Why a pod is not set up stands in its events: who asks for them, and what is made of them."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest

from tests.unit.operator.stand import KEY
from tests.unit.operator.virtual_time import run
from trainyard_operator.brain.observed import PodView
from trainyard_operator.brain.plan import Manifest
from trainyard_operator.hands.cluster import complaints, workqueue
from trainyard_operator.hands.cluster.api import Api, ApiError
from trainyard_operator.hands.cluster.complaints import (
    AGAIN_SECONDS,
    PATIENCE_SECONDS,
    Complaints,
    newest_complaint,
)
from trainyard_operator.hands.cluster.keys import Key

MOUNT = 'MountVolume.SetUp failed for volume "token" : secret "keys" not found'


def event(reason: str, at: int, message: str = MOUNT, **fields: Any) -> Manifest:
    return {
        "reason": reason,
        "message": message,
        "lastTimestamp": f"2027-01-15T08:00:{at:02}Z",
        **fields,
    }


@pytest.mark.parametrize(
    ("message", "reason", "cure"),
    [
        (MOUNT, "SecretNotFound", "Secret keys does not exist in namespace default"),
        ('configmap "rates" not found', "ConfigMapNotFound", "ConfigMap rates does not exist"),
        ('persistentvolumeclaim "data" not found', "ClaimNotFound", "claim data does not exist"),
        ("timed out waiting", "FailedMount", "timed out waiting"),
    ],
)
def test_what_is_missing_is_named_and_the_rest_is_told_as_it_is(
    message: str, reason: str, cure: str
) -> None:
    found, text = newest_complaint([event("FailedMount", 1, message)], "default")
    assert found == reason
    assert cure in text


def test_a_long_complaint_is_cut() -> None:
    _, text = newest_complaint([event("FailedMount", 1, "x" * 9000)], "default")
    assert len(text) == 500


@pytest.mark.parametrize(
    "events",
    [
        [],
        [event("Scheduled", 1)],
        [event("FailedMount", 1), event("Pulling", 2)],
        [event("Pulling", 2), event("FailedMount", 1)],
        [event("FailedMount", 1, "configmaps forbidden: no relationship found between node 'a'")],
        [{}],
        [{"reason": None, "message": None}],
    ],
)
def test_what_is_past_or_no_complaint_is_not_told(events: list[Manifest]) -> None:
    assert newest_complaint(events, "default") == ("", "")


@pytest.mark.parametrize(
    "later",
    [
        {"series": {"lastObservedTime": "2027-01-15T08:00:09.000000Z"}, "lastTimestamp": None},
        {"eventTime": "2027-01-15T08:00:09.000000Z", "lastTimestamp": None},
        {"lastTimestamp": "2027-01-15T08:00:09Z"},
    ],
)
def test_events_of_any_form_are_in_their_order(later: Manifest) -> None:
    complaint = event("FailedAttachVolume", 0, "no such disk", **later)
    assert newest_complaint([complaint, event("Scheduled", 5)], "default")[1] == "no such disk"


def test_of_two_in_one_second_the_complaint_counts() -> None:
    events = [event("FailedMount", 3), event("Scheduled", 3)]
    assert newest_complaint(events, "default")[0] == "SecretNotFound"


# Who asks, and when.


class Asked(Api):
    """An API server that has events, and counts who asks for them."""

    def __init__(self) -> None:
        self.answers: list[Manifest] | ApiError = []
        self.questions: list[str] = []

    async def events(self, namespace: str, kind: str, name: str) -> Sequence[Manifest]:
        self.questions.append(f"{namespace}/{kind}/{name}")
        if isinstance(self.answers, ApiError):
            raise self.answers
        return self.answers


def pod(index: int, **fields: Any) -> PodView:
    view = PodView(f"fashion-{index}", "train", "5f3a9c", attempt=1, index=index, setting_up=True)
    return replace(view, **fields)


class Waiting:
    """Complaints in virtual time."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.api, self.woken = Asked(), list[Key]()
        loop = asyncio.get_running_loop()
        clock = SimpleNamespace(monotonic=loop.time, time=loop.time)
        for module in (workqueue, complaints):
            monkeypatch.setattr(module, "time", clock)
        self.complaints = Complaints(self.api, self.woken.append)

    @asynccontextmanager
    async def asking(self):
        task = asyncio.create_task(self.complaints.ask())
        yield
        assert not task.done(), "nobody asks any more"
        task.cancel()


def test_a_pod_that_is_set_up_quickly_is_asked_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    async def story() -> None:
        waiting = Waiting(monkeypatch)
        async with waiting.asking():
            waiting.complaints.follow(KEY, [pod(0), pod(1)])
            await asyncio.sleep(PATIENCE_SECONDS - 1)
            waiting.complaints.follow(KEY, [pod(0, setting_up=False)])
            await asyncio.sleep(600)
        assert waiting.api.questions == []

    run(story())


def test_one_pod_of_a_gang_is_asked_for_and_its_complaint_is_told_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def story() -> None:
        waiting = Waiting(monkeypatch)
        waiting.api.answers = [event("FailedMount", 1)]
        pods = [pod(1), pod(0), pod(2)]
        async with waiting.asking():
            for _ in range(3):
                waiting.complaints.follow(KEY, pods)
            await asyncio.sleep(PATIENCE_SECONDS + 2 * AGAIN_SECONDS + 1)
        assert waiting.api.questions == ["default/Pod/fashion-0"] * 3
        assert waiting.woken == [KEY], "the same is no news"
        told = waiting.complaints.with_complaints(KEY, pods)
        assert [view.waiting_reason for view in told] == ["", "SecretNotFound", ""]

    run(story())


def test_what_was_mended_is_no_longer_told(monkeypatch: pytest.MonkeyPatch) -> None:
    async def story() -> None:
        waiting = Waiting(monkeypatch)
        waiting.api.answers = [event("FailedMount", 1)]
        async with waiting.asking():
            waiting.complaints.follow(KEY, [pod(0)])
            await asyncio.sleep(PATIENCE_SECONDS + 1)
            waiting.api.answers = [event("FailedMount", 1), event("Pulling", 2)]
            await asyncio.sleep(AGAIN_SECONDS)
            assert waiting.woken == [KEY, KEY]
            assert waiting.complaints.with_complaints(KEY, [pod(0)]) == [pod(0)]
            ended = pod(0, setting_up=False)
            assert waiting.complaints.with_complaints(KEY, [ended]) == [ended]

    run(story())


def test_the_next_attempts_pod_has_its_own_patience(monkeypatch: pytest.MonkeyPatch) -> None:
    async def story() -> None:
        waiting = Waiting(monkeypatch)
        waiting.api.answers = [event("FailedMount", 1)]
        async with waiting.asking():
            waiting.complaints.follow(KEY, [pod(0)])
            await asyncio.sleep(PATIENCE_SECONDS + 1)
            later = pod(0, name="fashion-next", attempt=2)
            waiting.complaints.follow(KEY, [later])
            assert waiting.complaints.with_complaints(KEY, [later]) == [later]
            await asyncio.sleep(PATIENCE_SECONDS + 1)
        assert waiting.api.questions[-1] == "default/Pod/fashion-next"

    run(story())


def test_events_that_cannot_be_read_are_asked_for_again(monkeypatch: pytest.MonkeyPatch) -> None:
    async def story() -> None:
        waiting = Waiting(monkeypatch)
        waiting.api.answers = ApiError(403, "Forbidden", "events")
        async with waiting.asking():
            waiting.complaints.follow(KEY, [pod(0)])
            await asyncio.sleep(PATIENCE_SECONDS + 1)
            assert waiting.woken == []
            waiting.api.answers = [event("FailedMount", 1)]
            await asyncio.sleep(AGAIN_SECONDS)
        assert waiting.woken == [KEY]

    run(story())


def test_a_job_that_is_gone_is_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    async def story() -> None:
        waiting = Waiting(monkeypatch)
        waiting.api.answers = [event("FailedMount", 1)]
        async with waiting.asking():
            waiting.complaints.follow(KEY, [pod(0)])
            await asyncio.sleep(PATIENCE_SECONDS + 1)
            waiting.complaints.follow(KEY, ())
            asked = len(waiting.api.questions)
            await asyncio.sleep(600)
        assert len(waiting.api.questions) == asked

    run(story())
