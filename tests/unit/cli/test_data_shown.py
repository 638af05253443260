"""What is shown of the data: what was learned, from how many rows, and what was noticed."""

from __future__ import annotations

import io
from typing import Any

from rich.console import Console

from trainyard_api.status import DataStatus, TrainingJobStatus
from trainyard_cli.show.ending import render_results


def shown(done: TrainingJobStatus, **data: Any) -> list[str]:
    given = DataStatus.model_validate(
        {"task": "classification", "rows": {"train": 1200, "validation": 150, "test": 151}} | data
    )
    console = Console(file=io.StringIO(), width=100)
    with console.capture() as capture:
        console.print(render_results(done.model_copy(update={"data": given})))
    return [line.rstrip() for line in capture.get().splitlines()]


def test_task_classes_and_rows_by_part_are_one_line(done: TrainingJobStatus) -> None:
    first = shown(done, targets=["cat", "dog"], targetCount=2)[0]
    head = "Data: classification of 2 classes (cat, dog)"
    assert first == f"{head}; 1,200 training, 150 validation, 151 test rows"


def test_many_classes_are_counted_and_the_first_are_named(done: TrainingJobStatus) -> None:
    names = [f"c{number}" for number in range(64)]
    text = " ".join(shown(done, targets=names, targetCount=1000))
    assert "1,000 classes (c0, c1, c2, c3, c4 and 995 more)" in text


def test_a_regression_names_its_numbers(done: TrainingJobStatus) -> None:
    lines = shown(done, task="regression", targets=["price"], targetCount=1)
    assert lines[0].startswith("Data: regression of 1 number (price); 1,200 training")


def test_several_labels_and_anomalies_are_named(done: TrainingJobStatus) -> None:
    lines = shown(done, task="multi_label", targets=["red", "round"], targetCount=2)
    assert lines[0].startswith("Data: multi_label of 2 labels (red, round); 1,200 training")
    lines = shown(done, task="reconstruction", targets=["fine", "broken"], targetCount=2)
    assert lines[0].startswith("Data: reconstruction (normal fine, anomalies broken); 1,200")
    assert shown(done, task="reconstruction")[0].startswith("Data: reconstruction; 1,200")


def test_notes_stand_below_the_first_ones_and_how_many_more(done: TrainingJobStatus) -> None:
    lines = shown(done, notes=[f"note {number} [of it]" for number in range(11)])
    assert lines[1] == "  - note 0 [of it]"
    assert lines[8] == "  - note 7 [of it]"
    assert lines[9] == "  3 more in status.data.notes"


def test_a_job_of_which_no_data_is_known_shows_its_tables_alone(done: TrainingJobStatus) -> None:
    console = Console(file=io.StringIO(), width=100)
    with console.capture() as capture:
        console.print(render_results(done))
    assert "Data:" not in capture.get()
