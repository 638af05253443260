"""`trainyard demo`."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from rich.console import Console

from trainyard_cli.datasets.catalogue import find_set
from trainyard_cli.datasets.get import fetch_into
from trainyard_cli.demo.checkout import Checkout, find_checkout
from trainyard_cli.demo.programs import NoClusterHere
from trainyard_cli.demo.story import Story
from trainyard_cli.errors import INTERRUPTED
from trainyard_cli.show.transfer import Transfer


def demo() -> None:
    """Run the main job on a real cluster on this machine, from data to predictions.

    Everything that is missing is installed and built; a second demo takes what is there. Where
    the machine does not allow a cluster, the same job runs as local processes.
    """
    checkout = find_checkout()
    console = Console(highlight=False)
    try:
        Story(checkout, console).tell()
    except NoClusterHere:
        _run_without_cluster(checkout, console)
    except KeyboardInterrupt:
        console.print("\nInterrupted. Run the demo again: it goes on with what is there.")
        sys.exit(INTERRUPTED)


def _run_without_cluster(checkout: Checkout, console: Console) -> None:
    """The same job by `trainyard run`, on the same data."""
    datasets = Path("datasets").resolve()
    known = find_set("fashion-mnist")
    fetch_into(datasets / known.name, known, Transfer())
    command = ["run", str(checkout.job), "--mount", f"datasets={datasets}"]
    console.print(f"Running the same job here: trainyard {' '.join(command)}", soft_wrap=True)
    sys.stdout.flush()
    os.execv(sys.argv[0], [sys.argv[0], *command])
