"""The stages as people see them."""

from __future__ import annotations

import io

from rich.console import Console

from trainyard_api.status import TrainingJobStatus
from trainyard_cli.show.display import LineDisplay, LiveDisplay, choose_display
from trainyard_cli.show.stages import describe_change, describe_progress, render_stages
from trainyard_cli.show.units import timestamp

NOW = timestamp("2026-03-01T10:00:39Z")


def rendered(status: TrainingJobStatus, width: int = 80) -> str:
    console = Console(file=io.StringIO(), width=width, force_terminal=False)
    with console.capture() as capture:
        console.print(render_stages("fashion", status, NOW))
    return capture.get()


def moved(status: TrainingJobStatus, **changes: object) -> TrainingJobStatus:
    assert status.progress is not None
    progress = status.progress.model_copy(update=changes)
    return status.model_copy(update={"progress": progress})


def test_running_stage_shows_epoch_loss_accuracy_and_time_left(
    running: TrainingJobStatus,
) -> None:
    text = rendered(running)
    assert "epoch 3 of 5, loss 0.3100, accuracy 0.8910, 33 s left" in text
    assert "42 %" in text
    assert "39 s" in text


def test_all_stages_show_from_the_beginning(running: TrainingJobStatus) -> None:
    text = rendered(running)
    assert [name for name in ("Train", "Compress", "Serve") if name in text] == [
        "Train",
        "Compress",
        "Serve",
    ]


def test_nothing_is_wider_than_the_terminal(
    running: TrainingJobStatus, done: TrainingJobStatus
) -> None:
    for width in (60, 80, 120):
        for status in (running, done):
            assert all(len(line) <= width for line in rendered(status, width).splitlines())


def test_finished_stage_shows_what_it_came_to_and_how_long_it_took(
    done: TrainingJobStatus,
) -> None:
    assert "1 min 05 s 5 epochs, 2345 steps" in rendered(done)


def test_restarts_show(running: TrainingJobStatus) -> None:
    restarts = running.restarts.model_copy(update={"infrastructure": 1})
    assert "1 restart" in rendered(running.model_copy(update={"restarts": restarts}))


def test_progress_without_a_message_names_the_epoch(running: TrainingJobStatus) -> None:
    progress = moved(running, message="").progress
    assert progress is not None
    assert describe_progress(progress).startswith("epoch 3 of 5, ")


def test_a_line_is_written_when_an_epoch_begins(running: TrainingJobStatus) -> None:
    after = moved(running, epoch=4, message="epoch 4 of 5")
    assert len(list(describe_change(running, after))) == 1


def test_no_line_is_written_for_another_percent(running: TrainingJobStatus) -> None:
    assert list(describe_change(running, moved(running, percent=43, step=960))) == []


def test_a_stage_that_ends_is_a_line(running: TrainingJobStatus, done: TrainingJobStatus) -> None:
    assert list(describe_change(running, done)) == ["Train: 5 epochs, 2345 steps"]


def test_a_pipe_gets_whole_lines_and_no_escape_codes(running: TrainingJobStatus) -> None:
    written = io.StringIO()
    display = choose_display("fashion", Console(file=written, width=40))
    with display:
        display.update(running)
        display.say("Trained: 5 epochs, and a text that is longer than forty columns are")
    assert isinstance(display, LineDisplay)
    assert "\x1b" not in written.getvalue()
    assert len(written.getvalue().splitlines()) == 2


def test_a_terminal_gets_a_live_display(running: TrainingJobStatus) -> None:
    written = io.StringIO()
    console = Console(file=written, width=80, force_terminal=True, color_system=None)
    display = choose_display("fashion", console)
    with display:
        display.update(running)
    assert isinstance(display, LiveDisplay)
    assert "epoch 3 of 5" in written.getvalue()
