"""`trainyard run` with a program that only pretends: what it makes of lines and exit codes."""

from __future__ import annotations

import io
import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from rich.console import Console

from trainyard_api.status import TrainingJobStatus
from trainyard_cli.errors import CliError, WrongInput
from trainyard_cli.local_run.messages import Foreign, Happened, Refused, parse_message
from trainyard_cli.local_run.program import Program, Request
from trainyard_cli.local_run.session import Job, Session
from trainyard_cli.local_run.view import PeopleView


def status_line(status: TrainingJobStatus) -> str:
    return json.dumps({"type": "status", "status": status.to_dict()})


def pretend(lines: list[str], *, code: int = 0, stderr: str = "", wait: bool = False) -> list[str]:
    """A program that says `lines`, and ends; with `wait`, when it is interrupted."""
    program = f"""
import signal, sys
stopped = []
signal.signal(signal.SIGINT, lambda *_: stopped.append(1))
for line in {lines!r}:
    print(line, flush=True)
sys.stderr.write({stderr!r})
while {wait} and not stopped:
    signal.pause()
sys.exit({code})
"""
    return [sys.executable, "-c", program]


def follow(command: list[str], output: Path) -> tuple[int, str]:
    written = io.StringIO()
    job = Job(output / "job.yaml", "fashion", output)
    view = PeopleView("fashion", Console(file=written, width=80))
    with Program(command) as program, view:
        code = Session(job, program, view, once=True).follow()
    return code, written.getvalue()


def without_serving(status: TrainingJobStatus) -> TrainingJobStatus:
    return status.model_copy(update={"serving": None})


def test_success_ends_with_the_tables_and_zero(done: TrainingJobStatus, tmp_path: Path) -> None:
    code, text = follow(pretend([status_line(without_serving(done))]), tmp_path)
    assert code == 0
    assert "precision" in text
    assert "won" in text


def test_failure_ends_with_reason_logs_and_one(failed: TrainingJobStatus, tmp_path: Path) -> None:
    code, text = follow(pretend([status_line(failed)], code=1), tmp_path)
    assert code == 1
    assert "Failed: GateFailed" in text
    assert "pods/*/log" in text


def test_events_show_as_they_come(done: TrainingJobStatus, tmp_path: Path) -> None:
    event = {"type": "Warning", "reason": "Preempted", "message": "pod 0 was told\nto stop"}
    lines = [json.dumps({"type": "event", "event": event}), status_line(without_serving(done))]
    _, text = follow(pretend(lines), tmp_path)
    assert "Preempted: pod 0 was told to stop" in text


def test_refused_job_is_wrong_input_and_names_the_problem(tmp_path: Path) -> None:
    line = json.dumps({"type": "refused", "problems": ["--mount x: write CLAIM=FOLDER"]})
    with pytest.raises(WrongInput, match="write CLAIM=FOLDER") as raised:
        follow(pretend([line], code=2), tmp_path)
    assert raised.value.exit_code == 2


def test_a_breakdown_shows_the_programs_last_words(tmp_path: Path) -> None:
    with pytest.raises(CliError, match=r"(?s)exit code 7.*ValueError: odd"):
        follow(pretend([], code=7, stderr="ValueError: odd"), tmp_path)


def test_a_job_that_was_done_before_shows_its_results_again(
    done: TrainingJobStatus, tmp_path: Path
) -> None:
    (tmp_path / "status.json").write_text(json.dumps(without_serving(done).to_dict()))
    code, text = follow(pretend([]), tmp_path)
    assert code == 0
    assert "precision" in text


def test_interrupt_ends_the_program_in_order_and_says_how_to_go_on(
    running: TrainingJobStatus, tmp_path: Path
) -> None:
    threading.Timer(1.0, os.kill, (os.getpid(), signal.SIGINT)).start()
    code, text = follow(pretend([status_line(running)], code=1, wait=True), tmp_path)
    assert code == 130
    assert "Stopping; training saves first" in text
    assert "run the same command to go on" in text


def test_second_interrupt_kills(running: TrainingJobStatus, tmp_path: Path) -> None:
    stubborn = pretend([status_line(running)], wait=True)
    stubborn[-1] = stubborn[-1].replace("stopped.append(1)", "None")
    for seconds in (1.0, 1.5):
        threading.Timer(seconds, os.kill, (os.getpid(), signal.SIGINT)).start()
    code, text = follow(stubborn, tmp_path)
    assert code == 130
    assert "Killed; run the same command to go on" in text


@pytest.mark.skipif(sys.platform != "linux", reason="needs the parent's death signal")
def test_the_program_is_told_to_end_when_the_command_line_is_killed(tmp_path: Path) -> None:
    told = tmp_path / "told"
    program = (
        "import pathlib, signal, sys\n"
        f"told = pathlib.Path({str(told)!r})\n"
        "signal.signal(signal.SIGTERM, lambda *_: sys.exit(told.touch()))\n"
        "print(flush=True)\n"
        "signal.pause()\n"
    )
    command = [sys.executable, "-c", program]
    killed = (
        "import os, signal\n"
        "from trainyard_cli.local_run.program import Program\n"
        f"with Program({command!r}) as program:\n"
        "    program.next_line(10)\n"
        "    os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    subprocess.run([sys.executable, "-c", killed], timeout=20, check=False)
    deadline = time.monotonic() + 5
    while not told.exists() and time.monotonic() < deadline:
        time.sleep(0.02)
    assert told.exists()


def test_the_handlers_of_signals_are_as_before_afterwards(tmp_path: Path) -> None:
    before = signal.getsignal(signal.SIGINT)
    with pytest.raises(CliError):
        follow(pretend([], code=7), tmp_path)
    assert signal.getsignal(signal.SIGINT) is before


def test_lines_that_are_no_messages_are_kept_as_text() -> None:
    assert parse_message("2026 a library speaks\n") == Foreign("2026 a library speaks")
    assert parse_message('{"type": "later"}') == Foreign('{"type": "later"}')
    assert parse_message("[1]") == Foreign("[1]")


def test_messages_are_read() -> None:
    event = {"type": "Normal", "reason": "Trained", "message": "5 epochs"}
    happened = parse_message(json.dumps({"type": "event", "event": event}))
    assert isinstance(happened, Happened)
    assert happened.event.text == "Trained: 5 epochs"
    refused = parse_message(json.dumps({"type": "refused", "problems": ["a"]}))
    assert refused == Refused(("a",))


def test_the_command_carries_output_and_mounts() -> None:
    command = Request(Path("job.yaml"), Path("out"), ("a=b", "c=d")).command()
    wanted = ["job.yaml", "--output", "out", "--mount", "a=b", "--mount", "c=d"]
    assert command[3:] == wanted
