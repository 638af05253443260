"""A way to the API server that can be cut without either end being told."""

from __future__ import annotations

import contextlib
import re
import socket
import threading
from pathlib import Path
from urllib.parse import urlsplit


class Link:
    """Forwards connections to the API server until it is cut. Use as `with`."""

    def __init__(self, kubeconfig: Path, folder: Path) -> None:
        """Args:
        kubeconfig: of the API server.
        folder: takes the kubeconfig by which others go through the link.
        """
        text = kubeconfig.read_text()
        found = re.search(r"server: (\S+)", text)
        assert found is not None
        server = urlsplit(found[1])
        self._server = (str(server.hostname), server.port or 443)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._whole = threading.Event()
        self._whole.set()
        self._open = True
        port = self._listener.getsockname()[1]
        self.kubeconfig = folder / "kubeconfig-link"
        self.kubeconfig.write_text(text.replace(found[1], f"https://127.0.0.1:{port}"))

    def __enter__(self) -> Link:
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._open = False
        self._whole.set()
        self._listener.close()

    def cut(self) -> None:
        """From now on nothing arrives, and nothing is refused."""
        self._whole.clear()

    def mend(self) -> None:
        """What was held up arrives."""
        self._whole.set()

    def _accept(self) -> None:
        while self._open:
            try:
                here, _ = self._listener.accept()
                there = socket.create_connection(self._server)
            except OSError:
                continue
            for source, target in ((here, there), (there, here)):
                threading.Thread(target=self._pass_on, args=(source, target), daemon=True).start()

    def _pass_on(self, source: socket.socket, target: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while self._open and (data := source.recv(65536)):
                self._whole.wait()
                target.sendall(data)
        for end in (source, target):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
