"""What tests of all kinds share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.object_store import Server, running


@pytest.fixture(scope="session")
def object_store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One S3 server for all tests; each takes a bucket of its own."""
    with running(tmp_path_factory.mktemp("object-store")) as server:
        yield server
