"""Programs that a build starts are followed, ended with it, and their failures explained."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from trainyard_images import catalogue
from trainyard_images.build import _explained
from trainyard_images.command import run
from trainyard_images.disk import require_disk
from trainyard_images.errors import CommandFailed, ImagesError


def test_each_line_of_a_program_is_shown_while_it_runs() -> None:
    seen: list[str] = []
    run("talking", ["sh", "-c", "echo one; echo two >&2"], say=seen.append)
    assert sorted(seen) == ["one", "two"]


def test_a_failure_shows_the_last_lines() -> None:
    script = "for i in $(seq 100); do echo line $i; done; exit 3"
    with pytest.raises(CommandFailed, match="exit code 3") as caught:
        run("counting", ["sh", "-c", script], say=lambda _: None)
    assert "line 100" in str(caught.value)
    assert "line 50\n" not in str(caught.value)


def test_an_interrupt_ends_what_the_program_has_started(root: Path, tmp_path: Path) -> None:
    alive = tmp_path / "alive"
    script = f"(while true; do date > {alive}; sleep 0.05; done) & wait"
    code = f"from trainyard_images.command import run; run('x', ['sh', '-c', {script!r}], print)"
    parent = subprocess.Popen(
        [sys.executable, "-c", code], cwd=root / "images", stderr=subprocess.DEVNULL
    )
    deadline = time.monotonic() + 20
    while not alive.exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    parent.send_signal(signal.SIGINT)
    assert parent.wait(20) != 0
    alive.unlink()
    time.sleep(0.3)
    assert not alive.exists()


@pytest.mark.parametrize(
    ("said", "hint"),
    [
        ("OSError: [Errno 28] No space left on device", "TRAINYARD_CACHE"),
        ("ssl.SSLError: CERTIFICATE_VERIFY_FAILED", "PIP_CERT"),
        ("ERROR: Could not find a version (from versions: none)", "PIP_INDEX_URL"),
        ("ERROR: No matching distribution found for h11==99.9", "requirements/serving.txt"),
    ],
)
def test_a_failed_build_says_what_to_do(root: Path, said: str, hint: str) -> None:
    failure = CommandFailed("building serving", 1, [said])
    assert hint in str(_explained(failure, catalogue.find(root, "serving")))
    assert said in str(_explained(failure, catalogue.find(root, "serving")))


def test_a_full_disk_is_noticed_before_the_build(tmp_path: Path) -> None:
    require_disk(tmp_path / "not" / "yet" / "there", 1)
    with pytest.raises(ImagesError, match="TRAINYARD_CACHE"):
        require_disk(tmp_path, 1 << 60)
