"""`trainyard data`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from trainyard_cli.datasets.catalogue import KNOWN, find_set
from trainyard_cli.datasets.get import fetch_into
from trainyard_cli.show.transfer import Transfer

data_app = typer.Typer(
    help="Fetch the data sets of the examples.", no_args_is_help=True, rich_markup_mode="markdown"
)
_NAMES = ", ".join(known.name for known in KNOWN)


@data_app.callback()
def data() -> None:
    """Fetch the data sets of the examples."""


@data_app.command()
def get(
    name: Annotated[
        str, typer.Argument(metavar="NAME", help=f"One of: {_NAMES}.", show_default=False)
    ],
    to: Annotated[
        Path, typer.Option(metavar="DIR", help="Folder for its files.", show_default=False)
    ],
) -> None:
    """Fetch a data set, from the first place that has it: pictures as idx, tables as csv.

    The files are checked against known sha256 digests, wherever they come from.
    """
    known = find_set(name)
    fetch_into(to, known, Transfer())
