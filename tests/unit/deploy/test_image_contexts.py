"""An image is built again when what is in it changes, and only then."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from trainyard_images import catalogue, context
from trainyard_images.errors import ImagesError

FOLDERS = ("api", "operator", "trainer", "serving", "images")


@pytest.fixture
def copy(root: Path, tmp_path: Path) -> Path:
    """A copy of what images are made of."""
    ignored = shutil.ignore_patterns("__pycache__")
    for name in FOLDERS:
        shutil.copytree(root / name, tmp_path / name, ignore=ignored)
    return tmp_path


def tags(root: Path) -> dict[str, str]:
    """The tag of each image."""
    return {
        name: context.tag_of(root, catalogue.find(root, name), "base", {})
        for name in catalogue.NAMES
    }


def changed(before: dict[str, str], after: dict[str, str]) -> set[str]:
    """Names of the images whose tag is another."""
    return {name for name in before if before[name] != after[name]}


@pytest.mark.parametrize(
    ("file", "images"),
    [
        ("operator/trainyard_operator/brain/decide.py", {"operator"}),
        ("trainer/trainyard_trainer/pod.py", {"trainer"}),
        ("serving/trainyard_serving/app.py", {"serving"}),
        ("api/trainyard_api/names.py", {"operator", "trainer", "serving"}),
        ("images/requirements/serving.txt", {"serving"}),
        ("images/install.sh", {"operator", "trainer", "serving"}),
        ("images/trainer.Dockerfile", {"trainer"}),
    ],
)
def test_a_change_gives_new_tags_to_the_images_it_is_in(
    copy: Path, file: str, images: set[str]
) -> None:
    before = tags(copy)
    with (copy / file).open("a") as stream:
        stream.write("# changed\n")
    assert changed(before, tags(copy)) == images


@pytest.mark.parametrize(
    "file",
    [
        "tests/unit/test_new.py",
        "docs/guide.md",
        "README.md",
        "pyproject.toml",
        "constraints.txt",
        "cli/trainyard_cli/main.py",
        "images/trainyard_images/build.py",
        "operator/trainyard_operator/__pycache__/decide.cpython-311.pyc",
    ],
)
def test_other_files_rebuild_nothing(copy: Path, file: str) -> None:
    before = tags(copy)
    (copy / file).parent.mkdir(parents=True, exist_ok=True)
    (copy / file).write_text("changed")
    assert tags(copy) == before


def test_times_rebuild_nothing(copy: Path) -> None:
    before = tags(copy)
    os.utime(copy / "operator/trainyard_operator/brain/decide.py", (0, 0))
    assert tags(copy) == before


def test_base_and_arguments_are_part_of_the_tag(root: Path) -> None:
    image = catalogue.find(root, "trainer")
    gpu = {"TENSORFLOW": "tensorflow[and-cuda]"}
    found = {
        context.tag_of(root, image, "base", {}),
        context.tag_of(root, image, "other", {}),
        context.tag_of(root, image, "base", gpu),
    }
    assert len(found) == 3


def test_a_context_holds_what_the_dockerfile_copies_and_nothing_else(
    root: Path, tmp_path: Path
) -> None:
    for name in catalogue.NAMES:
        folder = tmp_path / name
        folder.mkdir()
        image = catalogue.find(root, name)
        context.assemble(root, image, folder)
        lines = image.dockerfile.read_text().splitlines()
        copied = {w for line in lines if line.startswith("COPY ") for w in line.split()[1:-1]}
        assert copied == set(image.sources)
        assert all((folder / path).exists() for path in copied)
        assert not list(folder.rglob("__pycache__"))


def test_a_missing_source_is_named(copy: Path) -> None:
    (copy / "images/requirements/serving.txt").unlink()
    with pytest.raises(ImagesError, match=r"images/requirements/serving\.txt is missing"):
        tags(copy)


def test_images_run_as_a_user_without_rights(root: Path) -> None:
    for name in catalogue.NAMES:
        lines = catalogue.find(root, name).dockerfile.read_text().splitlines()
        assert "USER 65532:65532" in lines
        assert "ARG BASE=python:3.11-slim-bookworm" in lines


def test_images_are_built_with_nothing_but_the_standard_library(root: Path) -> None:
    # -I -S: no packages of this environment, and only the folder that is named.
    code = f"import sys; sys.path.insert(0, {str(root / 'images')!r}); import trainyard_images.cli"
    command = [sys.executable, "-I", "-S", "-c", code]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
