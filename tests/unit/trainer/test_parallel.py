from __future__ import annotations

import threading

import pytest

from trainyard_trainer.data.parallel import in_order


def test_results_come_in_the_order_of_the_things_whichever_is_done_first() -> None:
    second_is_done = threading.Event()

    def work(number: int) -> int:
        if number == 0:
            assert second_is_done.wait(10)
        if number == 1:
            second_is_done.set()
        return number * number

    assert list(in_order(work, range(50), 2)) == [number * number for number in range(50)]


def test_no_more_than_a_few_are_made_ahead() -> None:
    begun = 0

    def counted():
        nonlocal begun
        for thing in range(1000):
            begun += 1
            yield thing

    results = in_order(lambda number: number, counted(), 2)
    assert next(results) == 0
    assert begun <= 8
    results.close()  # type: ignore[attr-defined]


def test_the_first_failure_in_order_is_raised() -> None:
    def work(number: int) -> int:
        if number >= 5:
            raise ValueError(str(number))
        return number

    results = in_order(work, range(20), 4)
    assert [next(results) for _ in range(5)] == [0, 1, 2, 3, 4]
    with pytest.raises(ValueError, match="5"):
        next(results)
