"""What the tests of images, manifests and chart share."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[3]
# Images are built before anything of Trainyard is installed: their package is never installed.
sys.path.insert(0, str(ROOT / "images"))

Manifest = dict[str, Any]


@pytest.fixture(scope="session")
def root() -> Path:
    """The repository's root."""
    return ROOT


@pytest.fixture(scope="session")
def operator_manifests() -> list[Manifest]:
    """The objects of manifests/operator.yaml: the chart with its default values."""
    return list(yaml.safe_load_all((ROOT / "manifests/operator.yaml").read_text()))


@pytest.fixture(scope="session")
def crd() -> Manifest:
    """The CRD as users apply it."""
    loaded: Manifest = yaml.safe_load((ROOT / "manifests/crd.yaml").read_text())
    return loaded


@pytest.fixture(scope="session")
def helm_template() -> Callable[..., list[Manifest]]:
    """Renders the chart with values; skips the test where there is no helm."""
    from trainyard_images import rendering
    from trainyard_images.places import Places

    try:
        helm = rendering.find_helm(Places.from_environment())
    except rendering.HelmMissing as error:
        pytest.skip(str(error))

    def render(**values: Any) -> list[Manifest]:
        return rendering.template(ROOT / "charts/trainyard", helm, values)

    return render
