"""A control plane of its own, that may be killed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cluster import Cluster, started_cluster


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.integration)


@pytest.fixture
def cluster() -> Iterator[Cluster]:
    with started_cluster("chaos", "--control-plane-only") as cluster:
        cluster.install_crd()
        yield cluster
