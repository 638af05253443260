"""Which candidate wins."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trainyard_api.status import Measured
from trainyard_trainer.compress.choose import FALLBACK, LATENCY_NOISE, choose


def model(accuracy: float, bytes: int, latency: float) -> Measured:
    return Measured(accuracy=accuracy, bytes=bytes, latencyMicroseconds=latency)


USUAL = {
    "float32": model(0.95, 1_700_000, 96),
    "float16": model(0.95, 850_000, 104),
    "dynamic_range": model(0.949, 430_000, 29),
    "int8": model(0.948, 433_000, 32),
}


def test_the_fastest_wins_by_latency() -> None:
    choice = choose(0.95, USUAL | {"int8": model(0.948, 433_000, 20)}, "latency", 0.01)
    assert (choice.winner, choice.within_budget) == ("int8", True)


def test_the_smallest_wins_by_size() -> None:
    choice = choose(0.95, USUAL | {"float16": model(0.95, 100, 500)}, "size", 0.01)
    assert choice.winner == "float16"


def test_of_latencies_that_are_equal_but_for_noise_the_smaller_model_wins() -> None:
    near = {"float32": USUAL["float32"], "a": model(0.9, 500, 30), "b": model(0.9, 400, 32.9)}
    assert choose(0.9, near, "latency", 0.01).winner == "b"
    beyond_noise = near | {"b": model(0.9, 400, 33.1)}
    assert choose(0.9, beyond_noise, "latency", 0.01).winner == "a"


def test_of_equal_latency_and_size_the_more_accurate_wins() -> None:
    equal = {"float32": USUAL["float32"], "a": model(0.90, 400, 30), "b": model(0.91, 400, 31)}
    assert choose(0.91, equal, "latency", 0.05).winner == "b"


def test_of_equal_sizes_the_faster_wins_by_size() -> None:
    equal = {"float32": USUAL["float32"], "a": model(0.91, 400, 31), "b": model(0.90, 400, 30)}
    assert choose(0.91, equal, "size", 0.05).winner == "b"


def test_a_candidate_that_loses_too_much_is_refused_with_numbers() -> None:
    inaccurate = USUAL | {"dynamic_range": model(0.92, 100, 1)}
    choice = choose(0.95, inaccurate, "latency", 0.01)
    assert choice.winner == "int8"
    (refused,) = [each for each in choice.candidates if not each.accepted]
    assert refused.name == "dynamic_range"
    assert refused.reason == (
        "loses 0.0300 of accuracy (0.9500 to 0.9200); maxAccuracyLoss allows 0.0100"
    )


def test_a_loss_of_exactly_the_budget_is_within_it() -> None:
    assert 0.90 - 0.89 > 0.01  # why it could go wrong
    exact = {"float32": model(0.90, 1000, 96), "int8": model(0.89, 400, 30)}
    assert choose(0.90, exact, "latency", 0.01).winner == "int8"


def test_no_loss_allowed_still_accepts_what_loses_nothing() -> None:
    choice = choose(0.95, USUAL, "latency", 0.0)
    assert (choice.winner, choice.within_budget) == ("float16", True)


def test_a_model_that_became_better_is_accepted() -> None:
    better = {"float32": model(0.90, 1000, 96), "int8": model(0.93, 400, 30)}
    assert choose(0.90, better, "latency", 0.0).winner == "int8"


def test_float32_is_served_and_the_budget_missed_where_no_technique_is_accurate_enough() -> None:
    bad = {
        name: each if name == FALLBACK else each.model_copy(update={"accuracy": 0.5})
        for name, each in USUAL.items()
    }
    choice = choose(0.95, bad, "latency", 0.01)
    assert (choice.winner, choice.within_budget) == (FALLBACK, False)


def test_float32_is_served_even_where_it_lost_too_much_itself() -> None:
    bad = {name: each.model_copy(update={"accuracy": 0.5}) for name, each in USUAL.items()}
    choice = choose(0.95, bad, "size", 0.01)
    assert (choice.winner, choice.within_budget) == (FALLBACK, False)
    assert not any(each.accepted for each in choice.candidates)


def test_float32_wins_by_latency_where_the_techniques_are_slower() -> None:
    slower = {"float32": model(0.95, 1000, 50), "int8": model(0.95, 400, 90)}
    choice = choose(0.95, slower, "latency", 0.01)
    assert (choice.winner, choice.within_budget) == (FALLBACK, True)


def test_float32_alone_misses_the_budget_since_nothing_was_compressed() -> None:
    choice = choose(0.95, {FALLBACK: USUAL[FALLBACK]}, "latency", 0.01)
    assert (choice.winner, choice.within_budget) == (FALLBACK, False)


def test_without_float32_there_is_nothing_to_fall_back_to() -> None:
    with pytest.raises(KeyError):
        choose(0.95, {"int8": USUAL["int8"]}, "latency", 0.01)


ACCURACIES = st.floats(0, 1)
MODELS = st.builds(model, ACCURACIES, st.integers(1, 10**9), st.floats(0.1, 1e7))
TABLES = st.dictionaries(st.sampled_from(["float16", "dynamic_range", "int8", "int4"]), MODELS)


@given(ACCURACIES, TABLES, MODELS, st.sampled_from(["latency", "size"]), st.floats(0, 1))
def test_the_winner_keeps_to_the_budget_and_nobody_accepted_is_clearly_better(
    original, table, fallback, objective, allowed
) -> None:
    measured = {FALLBACK: fallback, **table}
    choice = choose(original, measured, objective, allowed)
    assert [each.name for each in choice.candidates] == list(measured)
    by_name = {each.name: each for each in choice.candidates}
    accepted = [each for each in choice.candidates if each.accepted]
    assert all(bool(each.reason) != each.accepted for each in choice.candidates)
    assert choice.within_budget == any(each.name != FALLBACK for each in accepted)
    winner = by_name[choice.winner]
    if not choice.within_budget:
        assert choice.winner == FALLBACK
        return
    assert winner.accepted
    if objective == "size":
        assert winner.bytes == min(each.bytes for each in accepted)
    else:
        fastest = min(each.latencyMicroseconds for each in accepted)
        assert winner.latencyMicroseconds <= fastest * (1 + LATENCY_NOISE)


@given(ACCURACIES, TABLES, MODELS, st.sampled_from(["latency", "size"]), st.floats(0, 1))
def test_the_order_of_the_candidates_decides_nothing_but_ties(
    original, table, fallback, objective, allowed
) -> None:
    measured = {FALLBACK: fallback, **table}
    forwards = choose(original, measured, objective, allowed)
    backwards = choose(original, dict(reversed(measured.items())), objective, allowed)
    assert measured[forwards.winner] == measured[backwards.winner]
