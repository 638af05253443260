"""Which processors are a worker's own."""

from __future__ import annotations

import pytest

from trainyard_trainer.processors import cpus_within, own_cpus, tell_tensorflow, usable_cpus


@pytest.mark.parametrize(
    ("quota", "cpus"),
    [
        (None, 8),
        (("max", "100000"), 8),
        (("-1", "100000"), 8),
        (("150000", "100000"), 2),
        (("50000", "100000"), 1),
        (("1600000", "100000"), 8),
        (("what", "100000"), 8),
    ],
)
def test_a_quota_is_rounded_up_and_never_more_than_the_machine_has(
    quota: tuple[str, str] | None, cpus: int
) -> None:
    assert cpus_within(8, quota) == cpus


@pytest.mark.parametrize(
    ("workers", "cpus"),
    [
        ([], 8),
        (["127.0.0.1:2222", "127.0.0.1:2223"], 4),
        ([f"[::1]:{port}" for port in range(2000, 2012)], 1),
        (["a-0.gang.default.svc:2222", "a-1.gang.default.svc:2222"], 8),
    ],
)
def test_workers_on_one_host_share_its_processors(workers: list[str], cpus: int) -> None:
    assert own_cpus(8, workers, 0) == cpus


def test_tensorflow_starts_a_thread_for_each_processor_of_its_own() -> None:
    environ = {"TF_NUM_INTEROP_THREADS": "3"}
    tell_tensorflow(environ, own=2, present=8)
    assert environ == {"TF_NUM_INTEROP_THREADS": "3", "TF_NUM_INTRAOP_THREADS": "2"}


def test_tensorflow_is_told_nothing_where_the_machine_is_its_own() -> None:
    environ: dict[str, str] = {}
    tell_tensorflow(environ, own=8, present=8)
    assert environ == {}


def test_there_is_always_a_processor() -> None:
    assert usable_cpus() >= 1
