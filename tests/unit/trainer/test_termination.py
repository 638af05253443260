"""The termination message, and how errors end the program."""

from pathlib import Path

import pytest

from trainyard_api.exit_codes import ExitCode
from trainyard_api.results import MAX_BYTES, parse_termination_message
from trainyard_trainer import errors, termination
from trainyard_trainer.__main__ import main


@pytest.mark.parametrize(
    ("kind", "code", "reason"),
    [
        (errors.InvalidSpec, ExitCode.INVALID, "InvalidSpec"),
        (errors.InvalidData, ExitCode.INVALID, "InvalidData"),
        (errors.PeerLost, ExitCode.PEER_LOST, "PeerLost"),
        (errors.StoreUnavailable, ExitCode.STORE_UNAVAILABLE, "StoreUnavailable"),
        (errors.InvalidResult, ExitCode.INVALID, "InvalidResult"),
        (errors.ModelRejected, ExitCode.INVALID, "ModelRejected"),
        (errors.Diverged, ExitCode.DIVERGED, "Diverged"),
        (errors.ProgramFailed, ExitCode.FAILED, "ProgramFailed"),
    ],
)
def test_failure_is_written_with_its_reason(
    tmp_path: Path, kind: type[errors.TrainerError], code: ExitCode, reason: str
) -> None:
    log = tmp_path / "log"
    termination.write_failure(kind("too bad"), {"TRAINYARD_TERMINATION_LOG": str(log)})
    message = parse_termination_message(log.read_text())

    assert message is not None
    assert message.failure is not None
    assert (message.failure.reason, message.failure.message) == (reason, "too bad")
    assert kind.exit_code == code


def test_long_failure_fits(tmp_path: Path) -> None:
    log = tmp_path / "log"
    error = errors.ProgramFailed("ä" * 10_000)
    termination.write_failure(error, {"TRAINYARD_TERMINATION_LOG": str(log)})

    assert len(log.read_bytes()) <= MAX_BYTES


def test_termination_log_that_cannot_be_written_does_not_raise(tmp_path: Path) -> None:
    away = str(tmp_path / "no" / "log")
    termination.write_failure(errors.PeerLost("gone"), {"TRAINYARD_TERMINATION_LOG": away})
    assert not (tmp_path / "no").exists()


def test_help_names_variables_and_exit_codes(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["--help"])
    text = capsys.readouterr().out

    assert caught.value.code == 0
    assert "TRAINYARD_STORAGE" in text
    assert all(f"{code:d} " in text for code in ExitCode), "each exit code is explained"
