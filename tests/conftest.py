"""What tests of all kinds share."""

from __future__ import annotations

import signal
from collections.abc import Iterator

import pytest

from tests.object_store import Server, running


def pytest_configure() -> None:
    """Let programs hear Ctrl-C: a shell that starts the tests in the background lets all that comes
    of them ignore it.
    """
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session")
def object_store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One S3 server for all tests; each takes a bucket of its own."""
    with running(tmp_path_factory.mktemp("object-store")) as server:
        yield server
