"""The closing tables, and what is shown beside them."""

from __future__ import annotations

import io

import pytest
from rich.console import Console, RenderableType

from trainyard_api.status import TrainingJobStatus
from trainyard_cli.show.ending import render_failure, render_results, show_endpoint
from trainyard_cli.show.units import count, difference, duration, microseconds


def rendered(what: RenderableType, width: int = 80) -> str:
    console = Console(file=io.StringIO(), width=width)
    with console.capture() as capture:
        console.print(what)
    return capture.get()


def row(text: str, name: str) -> list[str]:
    return next(line.split() for line in text.splitlines() if line.startswith(f"{name} "))


def test_the_original_shows_its_four_metrics(done: TrainingJobStatus) -> None:
    lines = rendered(render_results(done)).splitlines()
    heads = next(line for line in lines if line.startswith("accuracy"))
    assert heads.split() == ["accuracy", "precision", "recall", "f1", "examples", "gates"]
    assert "  0.8943     0.8945  0.8943  0.8941    10,000  passed" in lines


def test_each_model_has_a_row_and_the_winner_is_named(done: TrainingJobStatus) -> None:
    text = rendered(render_results(done))
    assert row(text, "original") == ["original", "1,690,896", "0.8943", "536"]
    expected = ["int8", "433,000", "3.9x", "0.8942", "0.0001", "32.0", "16.8x", "won"]
    assert row(text, "int8") == expected
    assert row(text, "float16")[-1] == "accepted"


def test_a_refused_candidate_says_why(done: TrainingJobStatus) -> None:
    text = " ".join(rendered(render_results(done)).split())
    assert "int4 was refused: accuracy 0.8000 is 0.0943 below the original" in text


def test_it_is_said_when_no_candidate_was_accurate_enough(done: TrainingJobStatus) -> None:
    assert done.compression is not None
    compression = done.compression.model_copy(update={"withinBudget": False})
    status = done.model_copy(update={"compression": compression})
    assert "No candidate was accurate enough" in rendered(render_results(status))


def test_tables_fit_eighty_columns(done: TrainingJobStatus) -> None:
    assert all(len(line) <= 80 for line in rendered(render_results(done)).splitlines())


def test_a_failure_shows_reason_message_and_logs(failed: TrainingJobStatus) -> None:
    text = rendered(render_failure(failed, "out/pods/*/log"))
    assert "Failed: GateFailed" in text
    assert "accuracy 0.8943 is below the minimum 0.95" in text
    assert "logs: out/pods/*/log" in text


def test_brackets_in_a_message_are_text_and_no_markup(failed: TrainingJobStatus) -> None:
    condition = failed.conditions[0].model_copy(update={"message": "spec.gates[0] [red] is odd"})
    status = failed.model_copy(update={"conditions": [condition]})
    assert "spec.gates[0] [red] is odd" in rendered(render_failure(status, ""))


def test_a_command_is_not_broken_at_the_terminals_edge() -> None:
    command = f"curl -d @{'x' * 90} http://127.0.0.1:8080/v1/models/m:predict"
    console = Console(file=io.StringIO(), width=80)
    with console.capture() as capture:
        show_endpoint(console, "http://127.0.0.1:8080", [command])
    assert f"  {command}\n" in capture.get()


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.2, "0 s"), (59.4, "59 s"), (59.6, "1 min 00 s"), (185, "3 min 05 s"), (4320, "1 h 12 min")],
)
def test_durations_read_well(seconds: float, text: str) -> None:
    assert duration(seconds) == text


def test_numbers_read_well() -> None:
    assert count(1690896) == "1,690,896"
    assert difference(-0.00001) == "0.0000"
    assert difference(-0.0042) == "-0.0042"
    assert (microseconds(1.64), microseconds(536.4)) == ("1.6", "536")
