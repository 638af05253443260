"""Files that follow from others are current, and a stale one is noticed."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
import yaml

from trainyard_images import rendering
from trainyard_images.generate import chart_crd, generate
from trainyard_images.places import Places

COPIED = ("api", "charts", "manifests", "images/requirements")


@pytest.fixture
def copy(root: Path, tmp_path: Path) -> Path:
    """A copy of all that generated files depend on."""
    for name in COPIED:
        ignored = shutil.ignore_patterns("__pycache__")
        shutil.copytree(root / name, tmp_path / name, ignore=ignored)
    for name in ("pyproject.toml", "constraints.txt"):
        shutil.copy(root / name, tmp_path / name)
    return tmp_path


@pytest.fixture
def no_helm(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Places:
    """Places of a machine without helm."""
    monkeypatch.setattr("shutil.which", lambda _: None)
    return Places(tmp_path / "cache")


def test_generated_files_are_current(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code = generate(root, Places.from_environment(), check=True)
    assert code == 0, f"run: python -m trainyard_images generate\n{capsys.readouterr().out}"


def test_a_change_of_the_chart_is_noticed_without_helm(copy: Path, no_helm: Places) -> None:
    assert generate(copy, no_helm, check=True) == 0
    values = copy / "charts/trainyard/values.yaml"
    values.write_text(values.read_text().replace("memory: 512Mi", "memory: 1Gi"))
    assert generate(copy, no_helm, check=True) == 1


def test_check_shows_the_difference_and_writes_nothing(
    copy: Path, no_helm: Places, capsys: pytest.CaptureFixture[str]
) -> None:
    crd = copy / "manifests/crd.yaml"
    crd.write_text(crd.read_text().replace("shortNames", "longNames"))
    assert generate(copy, no_helm, check=True) == 1
    assert "+    shortNames:" in capsys.readouterr().out
    assert "longNames" in crd.read_text()


def test_generating_repairs_what_was_edited_by_hand(copy: Path, no_helm: Places) -> None:
    crd = copy / "manifests/crd.yaml"
    wanted = crd.read_text()
    crd.write_text("edited")
    with pytest.raises(rendering.HelmMissing):
        generate(copy, no_helm, check=False)
    assert crd.read_text() == wanted


def test_the_chart_keeps_the_crd_when_it_is_uninstalled(root: Path) -> None:
    lines = (root / "charts/trainyard/templates/crd.yaml").read_text().splitlines()
    assert lines[0] == "{{- if .Values.crds.install }}"
    assert lines[-1] == "{{- end }}"
    crd = yaml.safe_load("\n".join(lines[1:-1]))
    assert crd["metadata"]["annotations"] == {"helm.sh/resource-policy": "keep"}


def test_braces_of_a_description_are_not_taken_for_a_template() -> None:
    text = chart_crd("kind: CustomResourceDefinition\nmetadata:\n  name: a{{b\n")
    assert 'name: a{{ "{{" }}b' in text


def test_kustomization_names_the_generated_files(root: Path) -> None:
    folder = root / "manifests"
    resources = yaml.safe_load((folder / "kustomization.yaml").read_text())["resources"]
    assert {"crd.yaml", "operator.yaml"} <= set(resources)
    assert all((folder / name).is_file() for name in resources)
