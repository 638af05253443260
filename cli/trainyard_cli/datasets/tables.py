"""Tables of the examples, as csv: what a package brings in another form is written anew, always to
the same bytes.
"""

from __future__ import annotations

import csv
import io
import json
import tarfile
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Final

from trainyard_cli.datasets.catalogue import KnownSet
from trainyard_cli.datasets.debian import download_package
from trainyard_cli.datasets.npm import content_of, pack
from trainyard_cli.datasets.source import SourceFailed
from trainyard_cli.show.transfer import Transfer

_VEGA: Final = "vega-datasets@3.2.1"
_FORTUNES: Final = "fortunes"
_FORTUNES_FOLDER: Final = Path("usr/share/games/fortunes")
_CATEGORIES: Final = (
    "computers",
    "men-women",
    "platitudes",
    "songs-poems",
    "startrek",
    "zippy",
)


class ScikitLearn:
    """Breast cancer, Wisconsin: 569 tumours by 30 measures, which scikit-learn brings along."""

    title = "the installed scikit-learn"

    def fetch(self, known: KnownSet, folder: Path, transfer: Transfer) -> None:  # noqa: ARG002
        try:
            from sklearn import datasets
        except ImportError as error:
            raise SourceFailed("not installed") from error
        found: Any = datasets.load_breast_cancer()
        rows = (
            [*map(repr, measures.tolist()), found.target_names[kind]]
            for measures, kind in zip(found.data, found.target, strict=True)
        )
        _write(folder, known, [*found.feature_names, "diagnosis"], rows)


class VegaPenguins:
    """Palmer penguins: 344 birds, with categories and cells that nobody has filled in."""

    title = f"the npm package {_VEGA}"

    def fetch(self, known: KnownSet, folder: Path, transfer: Transfer) -> None:
        with tarfile.open(pack(_VEGA, folder, transfer)) as archive:
            content = content_of(archive, "package/data/penguins.json")
        birds: list[dict[str, Any]] = json.loads(content)
        names = list(birds[0])
        _write(folder, known, names, ([_cell(b[n]) for n in names] for b in birds))


class VegaWeather:
    """The weather in Seattle: 1,461 days from 2012 on, one after another."""

    title = f"the npm package {_VEGA}"

    def fetch(self, known: KnownSet, folder: Path, transfer: Transfer) -> None:
        (file,) = known.digests
        with tarfile.open(pack(_VEGA, folder, transfer)) as archive:
            (folder / file).write_bytes(content_of(archive, f"package/data/{file}"))


class DebianFortunes:
    """Short texts by what they are about, of Debian's fortunes."""

    title = f"the Debian package {_FORTUNES}"

    def fetch(self, known: KnownSet, folder: Path, transfer: Transfer) -> None:
        unpacked = download_package(_FORTUNES, folder, transfer) / _FORTUNES_FOLDER
        rows = []
        for category in _CATEGORIES:
            try:
                content = (unpacked / category).read_text(encoding="utf-8")
            except OSError as error:
                raise SourceFailed(f"the package has no {category}") from error
            texts = [" ".join(text.split()) for text in content.split("\n%\n")]
            rows += [[text, category] for text in texts if text]
        _write(folder, known, ["text", "category"], rows)


def _cell(value: object) -> str:
    return "" if value is None else str(value)


def _write(
    folder: Path, known: KnownSet, names: Sequence[str], rows: Iterable[Sequence[str]]
) -> None:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(names)
    writer.writerows(rows)
    (file,) = known.digests
    (folder / file).write_text(text.getvalue(), encoding="utf-8")
