"""A job with all its stages, in a cluster that obeys at once."""

from __future__ import annotations

import pytest

from tests.unit.operator.fake_cluster import FakeCluster, make_job


@pytest.fixture
def cluster() -> FakeCluster:
    return FakeCluster(make_job(compression={}, serving={"replicas": 2}))
