"""Writes the files that follow from others, or says which are stale.

The CRD follows from the models of the API, the rendered manifests from the chart, the images'
requirements from the pinned versions. They are in the repository all the same: a user applies
them, and a reviewer sees in a diff what a change does to them.
"""

from __future__ import annotations

import difflib
import sys
from dataclasses import dataclass
from pathlib import Path

from trainyard_images import rendering, requirements
from trainyard_images.catalogue import NAMES
from trainyard_images.command import run
from trainyard_images.places import Places

CHART = "charts/trainyard"
OPERATOR = "manifests/operator.yaml"
CRD = "manifests/crd.yaml"
CHART_CRD = f"{CHART}/templates/crd.yaml"


@dataclass(frozen=True)
class Generated:
    """A file that follows from others.

    Attributes:
        path: relative to the repository's root.
        content: what it has to hold.
    """

    path: str
    content: str


def generate(root: Path, places: Places, *, check: bool) -> int:
    """Brings all generated files up to date.

    Args:
        root: the repository's root.
        places: where helm may be.
        check: write nothing, and show what would change.

    Returns:
        0, or 1 where `check` found a stale file.
    """
    stale = 0
    for file in _before_chart(root):
        stale += _bring(root, file, check=check)
    stale += _bring(root, _rendered(root, places, check=check), check=check)
    if stale and check:
        print("stale; write them by 'python -m trainyard_images generate'", file=sys.stderr)
    return 1 if stale and check else 0


def chart_crd(crd: str) -> str:
    """The CRD as a template of the chart.

    A template, and not in the chart's folder `crds`: helm never upgrades what is there. It is kept
    when the chart is uninstalled, because with it all jobs would be deleted.
    """
    text = crd.replace("{{", '{{ "{{" }}')
    kept = "metadata:\n  annotations:\n    helm.sh/resource-policy: keep\n"
    return (
        "{{- if .Values.crds.install }}\n" + text.replace("metadata:\n", kept, 1) + "{{- end }}\n"
    )


def _before_chart(root: Path) -> list[Generated]:
    # In a process of its own: this program needs nothing of Trainyard's to be installed.
    crd = run(
        "generating the CRD",
        [sys.executable, "-m", "trainyard_api.crd"],
        environment={"PYTHONPATH": str(root / "api")},
    )
    return [
        Generated(CRD, crd),
        Generated(CHART_CRD, chart_crd(crd)),
        *(
            Generated(f"images/requirements/{name}.txt", requirements.render(root, name))
            for name in NAMES
        ),
    ]


def _rendered(root: Path, places: Places, *, check: bool) -> Generated:
    """The rendered manifests. To check them without helm, their digest of the chart has to do."""
    chart = root / CHART
    try:
        return Generated(OPERATOR, rendering.render(chart, rendering.find_helm(places)))
    except rendering.HelmMissing:
        if not check:
            raise
        _, _, rest = (root / OPERATOR).read_text().partition("---\n")
        return Generated(OPERATOR, f"{rendering.header(rendering.chart_digest(chart))}---\n{rest}")


def _bring(root: Path, file: Generated, *, check: bool) -> bool:
    """Writes a file if it is stale, or shows the difference; returns whether it was stale."""
    path = root / file.path
    old = path.read_text() if path.exists() else ""
    if old == file.content:
        return False
    if check:
        lines = difflib.unified_diff(
            old.splitlines(),
            file.content.splitlines(),
            file.path,
            f"{file.path} (wanted)",
            n=2,
            lineterm="",
        )
        print("\n".join(lines))
    else:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(file.content)
        print(f"written: {file.path}")
    return True
