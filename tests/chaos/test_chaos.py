"""The operator keeps its promises while everything around it fails; `make chaos` is longer."""

from __future__ import annotations

import asyncio
from pathlib import Path

from tests.chaos.cluster import access_to
from tests.chaos.run import Options, play
from tests.cluster import Cluster

SHORT = Options(seed=177, jobs=40, seconds=28.0, end_seconds=45.0)


def test_all_promises_hold_while_everything_fails(cluster: Cluster, tmp_path: Path) -> None:
    history = asyncio.run(play(cluster, access_to(cluster), tmp_path, SHORT))
    assert not history.violations, history.report()
