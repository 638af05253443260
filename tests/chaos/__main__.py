"""`python -m tests.chaos`: the operator, while everything around it fails; for minutes or hours.

Needs root, and starts a cluster of its own. Exit code 1 where something was not as it has to be.
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import random
import signal
import sys
from pathlib import Path
from types import FrameType

from tests.chaos.cluster import access_to
from tests.chaos.plan import TROUBLES
from tests.chaos.run import Options, play
from tests.cluster import started_cluster

CLUSTER = "chaos"


def build_parser() -> argparse.ArgumentParser:
    """Returns the parser of the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.chaos", description=(__doc__ or "").splitlines()[0]
    )
    parser.add_argument("--seed", type=int, help="what goes wrong, and when; default: any")
    parser.add_argument("--jobs", type=int, default=300)
    parser.add_argument("--minutes", type=float, default=5.0, help="of trouble")
    parser.add_argument("--operators", type=int, choices=(1, 2), default=2)
    parser.add_argument(
        "--only", action="append", choices=TROUBLES, help="what goes wrong; default: everything"
    )
    parser.add_argument("--folder", type=Path, required=True, help="takes the operators' logs")
    return parser


def _stop(_number: int, _frame: FrameType | None) -> None:
    """As Ctrl-C, which asyncio takes in an orderly way."""
    signal.raise_signal(signal.SIGINT)


def main() -> int:
    """Plays one run; told to end, it ends what it has started first."""
    given = build_parser().parse_args()
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGTERM, _stop)
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stderr)
    seed = given.seed if given.seed is not None else random.randrange(1_000_000)
    print(f"seed {seed}, {given.jobs} jobs, {given.minutes:g} minutes", flush=True)
    given.folder.mkdir(parents=True, exist_ok=True)
    only = given.only or TROUBLES
    options = Options(seed, given.jobs, given.minutes * 60.0, given.operators, only)
    try:
        with started_cluster(CLUSTER, "--control-plane-only") as cluster:
            cluster.install_crd()
            history = asyncio.run(play(cluster, access_to(cluster), given.folder, options))
    except KeyboardInterrupt:
        return 130
    print(history.report() if history.violations else f"seed {seed}: all held")
    return 1 if history.violations else 0


if __name__ == "__main__":
    sys.exit(main())
