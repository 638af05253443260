"""A build is known by what it is made from, and its progress can be read."""

from pathlib import Path

import pytest

from trainyard_local import nodebuild, toolchain
from trainyard_local.errors import ClusterError
from trainyard_local.nodebuild import Versions


def _source(folder: Path) -> Path:
    folder.mkdir()
    (folder / "go.mod").write_text("module m\n\ngo 1.24.0\n")
    (folder / "go.sum").write_text("")
    (folder / "main.go").write_text("package main\n")
    return folder


def test_digest_changes_with_any_source_file(tmp_path: Path) -> None:
    source = _source(tmp_path / "go")
    first = nodebuild.digest(source)
    assert nodebuild.digest(source) == first
    (source / "pause").mkdir()
    (source / "pause/main.go").write_text("package main\n")
    second = nodebuild.digest(source)
    (source / "go.sum").write_text("x")
    assert len({first, second, nodebuild.digest(source)}) == 3


def test_digest_does_not_depend_on_where_the_source_lies(tmp_path: Path) -> None:
    one, other = _source(tmp_path / "one"), _source(tmp_path / "other")
    assert nodebuild.digest(one) == nodebuild.digest(other)


def test_without_the_source_it_says_where_to_run_from(tmp_path: Path) -> None:
    with pytest.raises(ClusterError, match="from a checkout"):
        nodebuild.digest(tmp_path)


def test_versions_are_the_ones_that_the_module_pins() -> None:
    versions = nodebuild.pinned_versions((nodebuild.SOURCE / "go.mod").read_text())
    assert versions.kubernetes.startswith("v1.")
    assert versions.helm.startswith("v4.")


def test_a_module_without_kubernetes_is_refused() -> None:
    with pytest.raises(ClusterError, match=r"k8s\.io/kubernetes"):
        nodebuild.pinned_versions("module m\n")


def test_programs_report_the_pinned_versions() -> None:
    flags = nodebuild.link_flags(Versions(kubernetes="v1.34.4", helm="v4.0.5"))
    assert "-X k8s.io/component-base/version.gitVersion=v1.34.4" in flags
    assert "-X k8s.io/component-base/version.gitMinor=34" in flags


@pytest.mark.parametrize(
    ("line", "counts"),
    [
        ("k8s.io/kubernetes/pkg/kubelet", True),
        ("runtime", True),
        ("go: downloading k8s.io/api v0.34.4", False),
        ("# trainyard.dev/local/node", False),
        ("./main.go:7:2: undefined: x", False),
        ("", False),
    ],
)
def test_only_compiled_packages_count_as_progress(line: str, counts: bool) -> None:
    assert nodebuild.is_package(line) is counts


def test_progress_never_shows_more_done_than_there_is() -> None:
    assert nodebuild.progress(10, "a/b").startswith("10 of about 3100")
    assert nodebuild.progress(5000, "a/b").startswith("5000 of about 5000")


def test_newer_go_does_and_older_does_not() -> None:
    needed = toolchain.needed_version("module m\n\ngo 1.24.6\n")
    assert toolchain.parse_version("go version go1.26.1 linux/amd64") >= needed
    assert toolchain.parse_version("go version go1.19.8 linux/amd64") < needed
    assert toolchain.parse_version("nonsense") < needed
