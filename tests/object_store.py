"""An object store for tests: a real one, with authentication, on this machine alone."""

from __future__ import annotations

import ctypes
import json
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import timedelta
from itertools import count
from pathlib import Path

from obstore import sign
from obstore.store import S3Store

KEY = "key-of-the-tests"
SECRET = "secret-of-the-tests"
READER_KEY = "key-of-a-reader"
READER_SECRET = "secret-of-a-reader"
_PATIENCE_SECONDS = 60.0
_PR_SET_PDEATHSIG = 1
_numbers = count(1)


@dataclass
class Server:
    """A SeaweedFS with S3 in front of it."""

    folder: Path
    ports: Sequence[int]
    storage: subprocess.Popen[bytes] | None = None
    gateway: subprocess.Popen[bytes] | None = None

    @property
    def endpoint(self) -> str:
        """URL of the S3 API."""
        return f"http://127.0.0.1:{self.ports[0]}"

    def environ(self, key: str = KEY, secret: str = SECRET) -> dict[str, str]:
        """What a Secret would set."""
        return {
            "AWS_ACCESS_KEY_ID": key,
            "AWS_SECRET_ACCESS_KEY": secret,
            "AWS_ENDPOINT_URL": self.endpoint,
            "AWS_REGION": "us-east-1",
        }

    def start(self) -> None:
        """Start the gateway, and what stores for it where that does not run, until it answers."""
        s3, master, volume, filer = self.ports[:4]
        if self.storage is None:
            self.storage = self._run(
                "server",
                "-filer",
                f"-dir={self.folder}",
                "-ip.bind=127.0.0.1",
                f"-master.port={master}",
                f"-master.port.grpc={self.ports[4]}",
                "-master.volumeSizeLimitMB=64",
                f"-volume.port={volume}",
                f"-volume.port.grpc={self.ports[5]}",
                # Each bucket takes some: without them a write is refused.
                "-volume.max=5000",
                f"-filer.port={filer}",
                f"-filer.port.grpc={self.ports[6]}",
                "-ip=127.0.0.1",
            )
        self.gateway = self._run(
            "s3",
            f"-config={self.folder / 's3.json'}",
            "-ip.bind=127.0.0.1",
            f"-port={s3}",
            f"-port.grpc={self.ports[7]}",
            "-port.iceberg=0",
            "-port.lance=0",
            "-autoCreateBucket=false",
            f"-filer=127.0.0.1:{filer}.{self.ports[6]}",
        )
        self._wait(lambda: self._try_to_write("warm"))

    def kill(self) -> None:
        """End the gateway at once: clients see a server that dies, and what is stored stays."""
        if self.gateway is not None:
            self.gateway.kill()
            self.gateway.wait()
            self.gateway = None

    def end(self) -> None:
        """End all of it."""
        self.kill()
        if self.storage is not None:
            self.storage.kill()
            self.storage.wait()
            self.storage = None

    def _run(self, *arguments: str) -> subprocess.Popen[bytes]:
        command = [str(Path(sys.executable).parent / "weed"), *arguments]
        with (self.folder / "log").open("ab") as log:
            return subprocess.Popen(
                command,
                stdout=log,
                stderr=log,
                cwd=self.folder,
                preexec_fn=_end_with_parent,  # noqa: PLW1509
            )

    def bucket(self) -> str:
        """A new bucket's name."""
        name = f"tests-{next(_numbers)}"
        self._make(name)
        return name

    def store(self, bucket: str) -> S3Store:
        """A bucket, as its owner sees it."""
        return S3Store(
            bucket,
            endpoint=self.endpoint,
            access_key_id=KEY,
            secret_access_key=SECRET,
            client_options={"allow_http": True},
            retry_config={"max_retries": 0},
        )

    def _make(self, name: str) -> None:
        url = sign(self.store(name), "PUT", "", timedelta(seconds=60))
        urllib.request.urlopen(urllib.request.Request(url, method="PUT"), timeout=5).close()

    def _try_to_write(self, name: str) -> bool:
        """Whether a bucket can be made and written; the first write makes its volumes."""
        try:
            self._make(name)
        except urllib.error.HTTPError as error:
            if error.code != 409:
                return False
        except OSError:
            return False
        try:
            self.store(name).put("warm", b"1")
        except Exception:
            return False
        return True

    def _wait(self, holds: Callable[[], bool]) -> None:
        deadline = time.monotonic() + _PATIENCE_SECONDS
        while not holds():
            assert self.gateway is not None
            log = (self.folder / "log").read_text()[-2000:]
            assert self.gateway.poll() is None, log
            assert time.monotonic() < deadline, log
            time.sleep(0.1)


@contextmanager
def running(folder: Path) -> Iterator[Server]:
    """A server on free ports, ended at the end."""
    identities = [
        _identity("owner", KEY, SECRET, ["Admin", "Read", "Write", "List"]),
        _identity("reader", READER_KEY, READER_SECRET, ["Read", "List"]),
    ]
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "s3.json").write_text(json.dumps({"identities": identities}))
    server = Server(folder, _free_ports(8))
    try:
        server.start()
        yield server
    finally:
        server.end()


def _end_with_parent() -> None:
    """Let a server end with the thread that starts it, whatever the tests end by."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def _identity(name: str, key: str, secret: str, actions: list[str]) -> dict[str, object]:
    credentials = [{"accessKey": key, "secretKey": secret}]
    return {"name": name, "credentials": credentials, "actions": actions}


def _free_ports(number: int) -> list[int]:
    with ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(number)]
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in sockets]
