"""The host that Keras downloads its data sets from."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import httpx

from trainyard_cli.datasets.catalogue import MNIST, KnownSet
from trainyard_cli.datasets.npz import convert
from trainyard_cli.datasets.source import TIMEOUT_SECONDS, SourceFailed, unpack_gzip
from trainyard_cli.show.transfer import Transfer

_ROOT: Final = "https://storage.googleapis.com/tensorflow/tf-keras-datasets"


class KerasHost:
    """One archive for MNIST, the four gzip files for Fashion-MNIST."""

    title = "the Keras data host"

    def fetch(self, known: KnownSet, folder: Path, transfer: Transfer) -> None:
        if known is MNIST:
            archive = folder / "mnist.npz"
            _download("mnist.npz", archive, transfer)
            convert(archive, folder)
            return
        for name in known.digests:
            packed = folder / f"{name}.gz"
            _download(packed.name, packed, transfer)
            unpack_gzip(packed, folder / name)


def _download(name: str, target: Path, transfer: Transfer) -> None:
    url = f"{_ROOT}/{name}"
    try:
        with (
            httpx.stream("GET", url, timeout=TIMEOUT_SECONDS, follow_redirects=True) as response,
            target.open("wb") as file,
            transfer.step(name) as advance,
        ):
            response.raise_for_status()
            length = response.headers.get("Content-Length")
            for chunk in response.iter_bytes():
                file.write(chunk)
                advance(file.tell(), int(length) if length else None)
    except httpx.HTTPStatusError as error:
        raise SourceFailed(f"{url} answers {error.response.status_code}") from error
    except httpx.HTTPError as error:
        raise SourceFailed(f"no answer ({str(error) or type(error).__name__})") from error
