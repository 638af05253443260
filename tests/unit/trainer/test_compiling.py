"""When steps are compiled."""

from __future__ import annotations

from typing import Literal

import pytest

from trainyard_trainer.training.fit.compiling import WORTH_SECONDS, Compiling, Way

LONG = 1_000_000


def play(
    plain: float, compiled: float, steps: int = LONG, *, possible: bool = True
) -> tuple[list[bool], Compiling]:
    """Ten calls whose steps take so many seconds; whether each was compiled."""
    compiling = Compiling("auto", possible)
    seen: list[bool] = []
    built: set[bool] = set()
    upcoming = compiling.plan(steps)
    for _ in range(10):
        way, upcoming = upcoming, compiling.plan(steps)
        taken = way.most or 50
        each = compiled if way.compiled else plain
        compiling.measured(way, taken, each * taken, built=way.compiled not in built)
        built.add(way.compiled)
        seen.append(way.compiled)
    return seen, compiling


def test_steps_that_are_faster_compiled_stay_so_after_a_trial() -> None:
    seen, _ = play(plain=0.002, compiled=0.001)
    assert seen[:3] == [False] * 3
    assert seen[-1]


def test_steps_that_are_slower_compiled_go_back() -> None:
    seen, _ = play(plain=0.04, compiled=0.4)
    assert sum(seen) == 2, "one call builds the graph, one is measured"
    assert not seen[-1]


def test_a_trial_is_short() -> None:
    compiling = Compiling("auto", True)
    compiling.measured(Way(compiled=False), 10, 0.4, built=False)
    assert [compiling.plan(LONG).most, compiling.plan(LONG).most] == [1, 7]


def test_a_short_training_tries_nothing() -> None:
    steps = int(0.5 * WORTH_SECONDS / 0.002)
    assert not any(play(plain=0.002, compiled=0.001, steps=steps)[0])


def test_a_gang_of_several_tries_nothing() -> None:
    assert not any(play(plain=0.002, compiled=0.001, possible=False)[0])


def test_what_would_draw_other_numbers_is_compiled_only_where_somebody_says_so() -> None:
    by_itself = Compiling("auto", possible=True, repeatable=False)
    by_itself.measured(Way(compiled=False), 10, 0.4, built=False)
    assert by_itself.plan(LONG) == Way(compiled=False)
    assert Compiling("always", possible=True, repeatable=False).plan(LONG) == Way(compiled=True)


@pytest.mark.parametrize(("wanted", "compiled"), [("always", True), ("never", False)])
def test_who_says_so_has_it_from_the_first_call(
    wanted: Literal["always", "never"], compiled: bool
) -> None:
    assert Compiling(wanted, possible=True).plan(LONG) == Way(compiled)


def test_what_xla_cannot_compile_stays_plain() -> None:
    compiling = Compiling("always", possible=True)
    compiling.failed()
    assert compiling.plan(LONG) == Way(compiled=False)
