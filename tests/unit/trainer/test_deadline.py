"""What holds the interpreter's lock is bounded too."""

import subprocess
import sys

import pytest

from trainyard_api.exit_codes import ExitCode

HOLD_THE_LOCK = "import ctypes; ctypes.PyDLL(None).usleep(1_000_000 * {seconds})"
PROGRAM = """
from trainyard_api.exit_codes import ExitCode
from trainyard_trainer.training.gang.deadline import ends_after
with ends_after({bound}, ExitCode.PEER_LOST):
    {body}
{after}
"""


def run(bound: float, body: str, after: str = "") -> int:
    program = PROGRAM.format(bound=bound, body=body, after=after)
    return subprocess.run([sys.executable, "-c", program], timeout=60, check=False).returncode


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux has such timers")
def test_a_process_that_holds_the_interpreters_lock_ends_with_the_code() -> None:
    assert run(0.2, HOLD_THE_LOCK.format(seconds=50)) == ExitCode.PEER_LOST


def test_what_ends_in_time_is_left_alone() -> None:
    assert run(0.2, "pass", after="import time; time.sleep(0.6)") == 0


def test_an_error_within_takes_the_bound_away_too() -> None:
    body = "raise SystemExit(3)"
    assert run(0.2, body) == 3
