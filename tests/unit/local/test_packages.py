"""What a cluster needs is looked for by program, and services stay asleep."""

from pathlib import Path

import pytest

from trainyard_local import packages
from trainyard_local.packages import Need


def test_a_program_that_is_there_is_not_missing() -> None:
    here, gone = Need("sh", "dash"), Need("no-such-program-here", "nothing")
    assert packages.missing([here, gone]) == [gone]


def test_control_plane_alone_needs_the_network_tools_only() -> None:
    assert {need.program for need in packages.needs(runs_pods=False)} == {"ip", "nsenter"}
    assert {"containerd", "runc"} <= {need.program for need in packages.needs(runs_pods=True)}


def test_new_services_are_masked_and_existing_ones_left_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(packages, "UNITS", tmp_path)
    monkeypatch.setattr(packages, "POLICY", tmp_path / "policy-rc.d")
    (tmp_path / "old.service").write_text("mine")
    needs = [Need("a", "a", service="new"), Need("b", "b", service="old")]
    with packages.held_back(needs):
        assert (tmp_path / "policy-rc.d").exists()
    assert str((tmp_path / "new.service").readlink()) == "/dev/null"
    assert (tmp_path / "old.service").read_text() == "mine"
    assert not (tmp_path / "policy-rc.d").exists()


def test_a_policy_of_somebody_else_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packages, "UNITS", tmp_path / "none")
    monkeypatch.setattr(packages, "POLICY", tmp_path / "policy-rc.d")
    (tmp_path / "policy-rc.d").write_text("theirs")
    with packages.held_back([]):
        pass
    assert (tmp_path / "policy-rc.d").read_text() == "theirs"
