"""Each image has the packages that its part needs, in the versions that were tested."""

from __future__ import annotations

from pathlib import Path

import pytest
from packaging.requirements import Requirement

from trainyard_images import pip_access
from trainyard_images.errors import ImagesError
from trainyard_images.requirements import closure, read_pins


def required(root: Path, image: str) -> set[str]:
    """Names of an image's packages."""
    return set(read_pins((root / f"images/requirements/{image}.txt").read_text()))


def test_serving_has_no_tensorflow_and_the_operator_no_models(root: Path) -> None:
    trainer, serving = required(root, "trainer"), required(root, "serving")
    assert "tensorflow-cpu" in trainer
    assert not {"tensorflow", "tensorflow-cpu", "keras", "scikit-learn"} & serving
    assert "ai-edge-litert" in serving
    assert not {"numpy", "ai-edge-litert"} & required(root, "operator")


def test_versions_are_those_of_the_constraints(root: Path) -> None:
    pins = read_pins((root / "constraints.txt").read_text())
    for image in ("operator", "trainer", "serving"):
        found = read_pins((root / f"images/requirements/{image}.txt").read_text())
        assert found.items() <= pins.items()


def test_requirements_of_requirements_are_found() -> None:
    names = closure([Requirement("pydantic")])
    assert {"pydantic", "pydantic-core", "typing-extensions"} <= set(names)


def test_a_package_that_is_not_installed_is_named() -> None:
    with pytest.raises(ImagesError, match="no-such-package is not installed"):
        closure([Requirement("no-such-package")])


def test_pip_in_a_build_sees_what_pip_sees_here(tmp_path: Path) -> None:
    settings = {"index-url": "https://index.example/simple", "find-links": f"{tmp_path} /absent"}
    access = pip_access.PipAccess(settings, tmp_path / "bundle.pem")
    assert access.config == (
        "[global]\n"
        "index-url =\n    https://index.example/simple\n"
        f"find-links =\n    {tmp_path}\n    /absent\n"
        "cert = /run/secrets/ca.pem\n"
    )
    assert access.folders == [tmp_path]


def test_the_environment_wins_over_the_files_of_pip() -> None:
    listing = "global.index-url='a'\ninstall.index-url='b'\n:env:.index-url='c'\nfreeze.x='1'"
    assert pip_access.parse(listing) == {"index-url": "c"}
