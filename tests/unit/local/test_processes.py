"""A process is known again, and a number that was given to another process is not."""

import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from trainyard_local import processes
from trainyard_local.processes import Mark


@pytest.fixture
def sleeper() -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    yield process
    process.kill()
    process.wait()


def test_name_of_a_process_may_hold_brackets_and_spaces() -> None:
    text = "42 (a) b (c)) S 1 42 42 0 -1 0 0 0 0 0 0 0 0 0 20 0 1 0 98765 0 0"
    assert processes.parse_stat(text) == ("S", 98765)


def test_own_process_is_alive() -> None:
    assert processes.is_alive(processes.mark_of(os.getpid()))


def test_recycled_number_is_not_ours() -> None:
    mark = processes.mark_of(os.getpid())
    assert mark is not None
    assert not processes.is_alive(replace(mark, start=mark.start - 1))


def test_a_mark_of_an_earlier_boot_is_not_ours() -> None:
    mark = processes.mark_of(os.getpid())
    assert mark is not None
    assert not processes.is_alive(replace(mark, boot="another"))


def test_a_process_that_nobody_collected_counts_as_ended(
    sleeper: subprocess.Popen[bytes],
) -> None:
    mark = processes.mark_of(sleeper.pid)
    sleeper.kill()
    assert processes.wait_until(lambda: not processes.is_alive(mark), 5)


def test_nobody_elses_process_is_ended(sleeper: subprocess.Popen[bytes]) -> None:
    mark = processes.mark_of(sleeper.pid)
    assert mark is not None
    processes.kill([replace(mark, start=mark.start + 1)])
    processes.end([replace(mark, boot="another")])
    assert sleeper.poll() is None


def test_ending_takes_force_after_patience() -> None:
    stubborn = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN);"
    process = subprocess.Popen(
        [sys.executable, "-c", f"{stubborn} print('on', flush=True); time.sleep(60)"],
        stdout=subprocess.PIPE,
    )
    assert process.stdout is not None
    process.stdout.readline()
    mark = processes.mark_of(process.pid)
    assert mark is not None
    processes.end([mark], patience=0.1)
    assert process.wait() == -9
    process.stdout.close()


def test_marks_come_back_as_they_were_kept(tmp_path: Path) -> None:
    mark = Mark(7, 11, "boot")
    processes.write_mark(tmp_path / "pids/etcd.pid", mark)
    assert processes.read_mark(tmp_path / "pids/etcd.pid") == mark


@pytest.mark.parametrize(
    "content", ["", "{", "12", '{"pid": 1}', '{"pid":"x","start":1,"boot":""}']
)
def test_a_damaged_pid_file_names_no_process(tmp_path: Path, content: str) -> None:
    (tmp_path / "etcd.pid").write_text(content)
    assert processes.read_mark(tmp_path / "etcd.pid") is None


def test_programs_of_the_cluster_see_no_proxy() -> None:
    seen = processes.clean_environment({"HTTPS_PROXY": "x", "no_proxy": "y", "HOME": "/h"})
    assert seen["HOME"] == "/h"
    assert not [name for name in seen if "proxy" in name.lower()]


def test_a_started_program_outlives_and_writes_its_log(tmp_path: Path) -> None:
    mark = processes.start(
        [sys.executable, "-c", "print('hello', flush=True); import time; time.sleep(60)"],
        tmp_path / "p.pid",
        tmp_path / "p.log",
    )
    try:
        assert os.getsid(mark.pid) == mark.pid
        assert processes.wait_until(lambda: (tmp_path / "p.log").read_text() == "hello\n", 10)
    finally:
        processes.kill([mark])
    assert not processes.is_alive(processes.read_mark(tmp_path / "p.pid"))
