"""A node counts as ready by a report of its own, made since it was started."""

import datetime as dt

import pytest

from trainyard_local.readiness import node_is_ready
from trainyard_local.status import verdict

START = dt.datetime(2030, 1, 1, 12, 0, 0, 500_000, tzinfo=dt.UTC)


def _node(status: str, heard: str) -> dict[str, object]:
    condition = {"type": "Ready", "status": status, "lastHeartbeatTime": heard}
    return {"status": {"conditions": [{"type": "DiskPressure", "status": "False"}, condition]}}


def test_ready_by_a_new_report() -> None:
    assert node_is_ready(_node("True", "2030-01-01T12:00:00Z"), START)


def test_a_report_from_before_the_restart_does_not_count() -> None:
    assert not node_is_ready(_node("True", "2030-01-01T11:59:59Z"), START)


def test_not_ready_while_the_node_says_so() -> None:
    assert not node_is_ready(_node("False", "2030-01-01T12:00:09Z"), START)


def test_not_ready_before_the_first_report() -> None:
    assert not node_is_ready({"metadata": {}}, START)


@pytest.mark.parametrize(
    ("alive", "expected", "state"),
    [(0, 9, "down"), (0, 0, "down"), (4, 9, "partial"), (9, 9, "up")],
)
def test_state_follows_from_the_programs_that_live(alive: int, expected: int, state: str) -> None:
    assert verdict(alive, expected) == state
