"""Where the demo finds the chart and the examples: in the checkout that it is run from."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from trainyard_cli.errors import CliError


@dataclass(frozen=True)
class Checkout:
    """A checkout of Trainyard."""

    root: Path

    @property
    def chart(self) -> Path:
        """The Helm chart."""
        return self.root / "charts" / "trainyard"

    @property
    def job(self) -> Path:
        """The main job."""
        return self.root / "manifests" / "examples" / "fashion-mnist.yaml"


def find_checkout() -> Checkout:
    """The checkout that this package is installed from.

    Raises:
        CliError: the package was installed without its checkout.
    """
    checkout = Checkout(Path(__file__).resolve().parents[3])
    if not checkout.chart.is_dir() or not checkout.job.is_file():
        raise CliError("the demo needs a checkout of Trainyard: clone it, and run 'make demo'")
    return checkout
