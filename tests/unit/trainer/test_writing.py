"""Checkpoints are written beside the training, and none that matters is lost."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from tests.unit.trainer.test_checkpoints import LIKE, assert_same, folder_of, snapshot
from trainyard_trainer.errors import Diverged, StoreUnavailable
from trainyard_trainer.training import checkpoints
from trainyard_trainer.training.checkpoints.snapshot import Snapshot
from trainyard_trainer.training.checkpoints.writing import Writer


class Disk:
    """A disk that writes when the test lets it."""

    def __init__(self) -> None:
        self.begun = threading.Semaphore(0)
        self.may_write = threading.Semaphore(0)
        self.written: list[int] = []
        self.refuses: Exception | None = None

    def write(self, given: Snapshot) -> None:
        self.begun.release()
        assert self.may_write.acquire(timeout=10)
        if self.refuses is not None:
            raise self.refuses
        self.written.append(given.step)


def test_training_does_not_wait_for_the_disk_and_the_end_does() -> None:
    disk = Disk()
    with Writer(disk.write) as writer:
        writer.save(snapshot(10))
        assert disk.written == []
        disk.may_write.release()
    assert disk.written == [10]


def test_newer_one_replaces_the_one_that_waits() -> None:
    disk = Disk()
    with Writer(disk.write) as writer:
        writer.save(snapshot(10))
        assert disk.begun.acquire(timeout=10)
        for step in (20, 30, 40):
            writer.save(snapshot(step))
        disk.may_write.release(2)
        writer.drain()
        assert disk.written == [10, 40]


def test_drain_waits_for_what_is_being_written_and_for_what_waits() -> None:
    disk = Disk()
    drained = threading.Event()
    with Writer(disk.write) as writer:
        writer.save(snapshot(10))
        assert disk.begun.acquire(timeout=10)
        writer.save(snapshot(20))

        def wait() -> None:
            writer.drain()
            drained.set()

        waiter = threading.Thread(target=wait)
        waiter.start()
        disk.may_write.release()
        assert disk.begun.acquire(timeout=10)
        assert not drained.is_set()
        disk.may_write.release()
        waiter.join(10)
        assert drained.is_set()
    assert disk.written == [10, 20]


def test_drain_may_be_given_up() -> None:
    disk = Disk()
    with Writer(disk.write) as writer:
        writer.save(snapshot(10))
        writer.drain(seconds=0.05)
        assert disk.written == []
        disk.may_write.release()


def full_disk() -> Disk:
    disk = Disk()
    disk.refuses = StoreUnavailable("full")
    disk.may_write.release()
    return disk


def test_refusal_surfaces_at_the_next_save() -> None:
    writer = Writer(full_disk().write)
    writer.save(snapshot(10))
    with pytest.raises(StoreUnavailable, match="full"):
        writer.drain()
    with pytest.raises(StoreUnavailable, match="full"):
        writer.save(snapshot(20))


def fail(writer: Writer, error: Exception | None) -> None:
    """A training that ends with an error just after a checkpoint."""
    with writer:
        writer.save(snapshot(10))
        if error is not None:
            raise error


def test_refusal_surfaces_at_the_end() -> None:
    with pytest.raises(StoreUnavailable, match="full"):
        fail(Writer(full_disk().write), None)


def test_training_that_fails_leaves_its_last_checkpoint(tmp_path: Path) -> None:
    writer = Writer(lambda given: checkpoints.save(folder_of(tmp_path), given, 2))
    with pytest.raises(RuntimeError, match="boom"):
        fail(writer, RuntimeError("boom"))
    assert_same(checkpoints.load(folder_of(tmp_path), LIKE), snapshot(10))


def test_why_the_training_failed_is_told_and_not_what_the_disk_said_then() -> None:
    with pytest.raises(Diverged, match="no number"):
        fail(Writer(full_disk().write), Diverged("no number"))
