"""Kernel settings that the kubelet changes are given back, when the last cluster goes."""

from pathlib import Path

import pytest

from trainyard_local import kernel


@pytest.fixture
def sysctl(tmp_path: Path) -> Path:
    for name in ("vm/overcommit_memory", "kernel/panic"):
        (tmp_path / "sys" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "sys" / name).write_text("0\n")
    return tmp_path / "sys"


def _file(folder: Path, cluster: str) -> Path:
    (folder / cluster).mkdir(exist_ok=True)
    return folder / cluster / "kernel.json"


def test_settings_are_given_back(tmp_path: Path, sysctl: Path) -> None:
    file = _file(tmp_path, "a")
    kernel.remember(file, [], sysctl)
    (sysctl / "kernel/panic").write_text("10")
    kernel.restore(file, [file], sysctl)
    assert (sysctl / "kernel/panic").read_text() == "0"


def test_the_last_cluster_gives_back_what_was_before_the_first(
    tmp_path: Path, sysctl: Path
) -> None:
    first, second = _file(tmp_path, "a"), _file(tmp_path, "b")
    kernel.remember(first, [], sysctl)
    (sysctl / "kernel/panic").write_text("10")
    kernel.remember(second, [first], sysctl)
    kernel.restore(first, [first, second], sysctl)
    assert (sysctl / "kernel/panic").read_text() == "10"
    first.unlink()
    kernel.restore(second, [second], sysctl)
    assert (sysctl / "kernel/panic").read_text() == "0"
