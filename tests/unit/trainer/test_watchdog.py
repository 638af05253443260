"""The watchdog barks where a call takes too long, and only there."""

from __future__ import annotations

import queue
import time

from trainyard_trainer.errors import Stalled
from trainyard_trainer.training.fit.pace import Pace
from trainyard_trainer.training.fit.watchdog import Watchdog

NEVER = 0.3


def watched() -> tuple[Watchdog, queue.Queue[Stalled]]:
    barked: queue.Queue[Stalled] = queue.Queue()
    return Watchdog(barked.put, patience=10.0, least_seconds=0.05), barked


def test_a_call_that_never_ends_is_noticed() -> None:
    watchdog, barked = watched()
    with watchdog.expecting(700, 0.001):
        error = barked.get(timeout=5)
    assert "no step after 700" in str(error)
    assert error.exit_code == 45


def test_a_slow_training_has_more_time() -> None:
    watchdog, barked = watched()
    with watchdog.expecting(0, 1.0):
        time.sleep(NEVER)
    assert barked.empty()


def test_what_is_no_call_may_take_as_long_as_it_likes() -> None:
    """Validation, a checkpoint, the export: their time says nothing of a hang."""
    watchdog, barked = watched()
    with watchdog.expecting(0, 0.001):
        pass
    time.sleep(NEVER)
    assert barked.empty()


def test_the_first_calls_build_the_graph_and_have_no_limit() -> None:
    watchdog, barked = watched()
    pace = Pace("auto")
    assert pace.seconds(1) is None
    with watchdog.expecting(0, pace.seconds(1)):
        time.sleep(NEVER)
    assert barked.empty()
    pace.measured(1, 30.0)
    assert pace.seconds(4) is None
    pace.measured(4, 2.0)
    assert pace.seconds(10) == 5.0
