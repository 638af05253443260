"""Folders can be moved by the environment, and names that would break paths are refused."""

from pathlib import Path

import pytest

from trainyard_local.errors import ComponentFailed, UsageError, telling_lines
from trainyard_local.places import Roots


def test_environment_moves_cache_and_state() -> None:
    moved = Roots.from_environment({"HOME": "/h", "TRAINYARD_CACHE": "/c", "TRAINYARD_STATE": "/s"})
    assert (moved.cache, moved.state) == (Path("/c"), Path("/s"))


def test_defaults_lie_under_the_home_folder() -> None:
    roots = Roots.from_environment({"HOME": "/h"})
    assert roots.cache == Path("/h/.cache/trainyard")
    assert roots.state == Path("/h/.local/share/trainyard")


@pytest.mark.parametrize("name", ["", "A", "a/b", "..", "-a", "a-", "a" * 31, "a b"])
def test_names_that_cannot_name_a_cluster_are_refused(name: str) -> None:
    with pytest.raises(UsageError, match="cannot name a cluster"):
        Roots.from_environment({"HOME": "/h"}).cluster(name)


def test_socket_path_is_short_wherever_the_state_lies() -> None:
    places = Roots.from_environment({"TRAINYARD_STATE": "/" + "x" * 200}).cluster("a" * 30)
    assert len(str(places.containerd_socket)) < 100


def test_a_failure_shows_the_end_of_the_log_and_where_it_is(tmp_path: Path) -> None:
    log = tmp_path / "etcd.log"
    log.write_text("".join(f"line {n}\n" for n in range(100)))
    message = str(ComponentFailed("etcd", "ended", log, "Do this."))
    assert "etcd ended. Do this." in message
    assert "line 99" in message
    assert "line 84" not in message
    assert str(log) in message


def test_the_stacks_after_a_panic_do_not_hide_its_reason() -> None:
    lines = ["starting", "cannot open the database", "panic: no database", "", "goroutine 1:", "f"]
    assert telling_lines(lines, 2) == ["cannot open the database", "panic: no database"]
