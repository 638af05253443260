"""What a process said at its end begins with its exception, however much it printed after it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from trainyard_operator.hands.processes.last_words import (
    LOG_BYTES,
    MESSAGE_BYTES,
    last_words,
    termination_message,
)
from trainyard_operator.hands.processes.process import PodProcess

CALLS = 'Traceback (most recent call last):\n  File "train.py", line 3, in <module>\n    fit()\n'


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "log"


def test_the_first_line_of_the_exception_and_the_last_lines_of_the_log_are_kept(log: Path) -> None:
    noise = "".join(f"{step}/60 0.0 0.0 0.0 0.0 0.0\n" for step in range(3000))
    log.write_text(f"{noise}{CALLS}UnavailableError: Graph execution error:\n{noise}the end\n")
    said = last_words(log)
    assert said.startswith("UnavailableError: Graph execution error:\n0/60 0.0")
    assert "\n[...]\n" in said
    assert said.endswith("0.0\nthe end")
    assert len(said.encode()) <= LOG_BYTES
    assert all(line.count("0.0") in (0, 5) for line in said.splitlines()), "whole lines only"


def test_of_several_exceptions_the_last_is_told(log: Path) -> None:
    log.write_text(f"{CALLS}KeyError: 'a'\n\nDuring handling ...:\n\n{CALLS}ValueError: b\n")
    assert last_words(log) == "ValueError: b"


def test_without_an_exception_it_is_the_end_of_the_log(log: Path) -> None:
    log.write_text("x" * 5000 + "Killed\n")
    said = last_words(log)
    assert len(said) == LOG_BYTES
    assert said.endswith("xxKilled\n")


@pytest.mark.parametrize("end", ["", CALLS, CALLS.strip(), f"{CALLS}ValueError: " + "x" * 9000])
def test_any_end_of_a_log_gives_words_of_bounded_length(log: Path, end: str) -> None:
    log.write_text(f"begun\n{end}")
    assert 0 < len(last_words(log).encode()) <= LOG_BYTES


def test_any_bytes_may_be_in_a_log(log: Path) -> None:
    log.write_bytes(CALLS.encode() + b"OSError: caf\xe9" + b"\xff" * 5000)
    assert last_words(log).startswith("OSError: caf")


def test_a_termination_message_of_any_size_is_read_from_its_end(log: Path) -> None:
    log.write_text("x" * 100_000 + "end")
    assert termination_message(log) == "x" * (MESSAGE_BYTES - 3) + "end"


def test_what_is_no_file_has_no_words(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "log")
    (tmp_path / "termination-log").mkdir()
    process = PodProcess({"metadata": {"name": "p"}}, tmp_path, exit_code=1)
    assert process.message() == ""
