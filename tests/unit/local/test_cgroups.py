"""Control groups of both versions are found and made."""

from pathlib import Path

from trainyard_local import cgroups


def _version_one(root: Path) -> Path:
    for name in ("cpu", "memory", "pids", "cpuset"):
        (root / name).mkdir(parents=True)
        (root / name / "cgroup.procs").write_text("")
    (root / "cpuset/cpuset.cpus").write_text("0-1\n")
    (root / "cpuset/cpuset.mems").write_text("0\n")
    (root / "cpuacct").symlink_to(root / "cpu")
    return root


def test_a_new_cpuset_group_is_given_the_machines_processors(tmp_path: Path) -> None:
    root = _version_one(tmp_path / "v1")
    cgroups.create("trainyard-a", root)
    assert (root / "cpuset/trainyard-a/cpuset.cpus").read_text() == "0-1\n"
    assert cgroups.exists("trainyard-a", root)


def test_controllers_of_version_one_are_its_folders(tmp_path: Path) -> None:
    root = _version_one(tmp_path / "v1")
    assert cgroups.usable_controllers(root) >= {"cpu", "memory", "pids"}
    assert not cgroups.is_unified(root)


def test_controllers_of_version_two_are_switched_on_for_the_group(tmp_path: Path) -> None:
    (tmp_path / "cgroup.controllers").write_text("cpuset cpu io memory pids rdma\n")
    (tmp_path / "cgroup.subtree_control").write_text("")
    cgroups.create("trainyard-a", tmp_path)
    switched = (tmp_path / "trainyard-a/cgroup.subtree_control").read_text()
    assert switched == "+cpu +cpuset +io +memory +pids"


def test_processes_of_all_groups_below_are_found(tmp_path: Path) -> None:
    root = _version_one(tmp_path / "v1")
    pod = root / "memory/trainyard-a/kubepods/pod1"
    pod.mkdir(parents=True)
    (pod / "cgroup.procs").write_text("7\n9\n")
    assert cgroups.processes("trainyard-a", root) == {7, 9}
    assert cgroups.processes("trainyard-ab", root) == set()


def test_a_machine_without_control_groups_has_no_controllers(tmp_path: Path) -> None:
    assert cgroups.usable_controllers(tmp_path / "missing") == frozenset()
