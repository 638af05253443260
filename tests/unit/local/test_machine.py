"""A machine that cannot run a cluster is refused in one line that says why."""

from dataclasses import replace
from pathlib import Path

import pytest

from trainyard_local.errors import Refused
from trainyard_local.machine import GIBIBYTE, Machine, reason_against

GOOD = Machine(
    system="Linux",
    is_root=True,
    has_overlayfs=True,
    can_unshare_network=True,
    controllers=frozenset({"cpu", "memory", "pids", "cpuset"}),
    disk_folder=Path("/var"),
    free_disk=20 * GIBIBYTE,
    missing_programs=(),
    has_apt=True,
)


def test_a_good_machine_is_not_refused() -> None:
    assert reason_against(GOOD) is None


def test_missing_programs_are_no_reason_where_apt_can_bring_them() -> None:
    assert reason_against(replace(GOOD, missing_programs=("runc",))) is None


@pytest.mark.parametrize(
    ("machine", "words"),
    [
        (replace(GOOD, system="Darwin"), "needs Linux, and this is Darwin"),
        (replace(GOOD, is_root=False), "needs root .*sudo"),
        (replace(GOOD, has_overlayfs=False), "overlayfs"),
        (replace(GOOD, can_unshare_network=False), "network namespace"),
        (replace(GOOD, controllers=frozenset({"cpu"})), "control groups for memory, pids"),
        (replace(GOOD, free_disk=5 * GIBIBYTE), "/var has 5.0 GB free, and it takes 8"),
        (replace(GOOD, missing_programs=("runc", "nft"), has_apt=False), "runc, nft missing"),
    ],
)
def test_each_lack_is_named(machine: Machine, words: str) -> None:
    reason = reason_against(machine)
    assert reason is not None
    with pytest.raises(Refused, match=words):
        raise Refused(reason)


def test_the_control_plane_alone_needs_nothing_of_containers() -> None:
    bare = replace(GOOD, has_overlayfs=False, controllers=frozenset())
    assert reason_against(bare, runs_pods=False) is None
    assert reason_against(replace(bare, is_root=False), runs_pods=False) is not None


def test_what_matters_most_is_named_first() -> None:
    hopeless = replace(GOOD, system="Darwin", is_root=False, has_overlayfs=False)
    assert "Linux" in (reason_against(hopeless) or "")


def test_a_refusal_is_one_line_that_names_the_way_out() -> None:
    message = str(Refused("it needs root"))
    assert message == "cannot run a cluster here: it needs root; use 'trainyard run' instead"
    assert Refused.exit_code == 3
