"""Two commands that would spoil each other's work come one after the other."""

import threading
from pathlib import Path

from trainyard_local.console import Console
from trainyard_local.lock import held


def test_the_second_waits_for_the_first(tmp_path: Path) -> None:
    file = tmp_path / "state/.a.lock"
    order: list[str] = []
    inside = threading.Event()

    def second() -> None:
        inside.wait()
        with held(file, Console(), "changes 'a'"):
            order.append("second")

    thread = threading.Thread(target=second)
    thread.start()
    with held(file, Console(), "changes 'a'"):
        inside.set()
        thread.join(0.2)
        order.append("first")
    thread.join(5)
    assert order == ["first", "second"]
