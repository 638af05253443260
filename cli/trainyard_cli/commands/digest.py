"""`trainyard digest`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from trainyard_api.digests import artifact_sha256
from trainyard_cli.errors import WrongInput


def digest(
    path: Annotated[
        Path,
        typer.Argument(metavar="PATH", help="A file, or a folder as a whole.", show_default=False),
    ],
) -> None:
    """Print the sha256 of a file or a folder, as results and status have it.

    A program of your own reports it for its model. A folder's digest is that of the lines
    `DIGEST  RELATIVE/PATH` of its files, sorted by path, each with a newline.
    """
    if not path.exists():
        raise WrongInput(f"{path}: there is no such file or folder")
    if not path.is_file() and not path.is_dir():
        raise WrongInput(f"{path}: is neither a file nor a folder")
    try:
        typer.echo(artifact_sha256(path))
    except OSError as error:
        raise WrongInput(f"{error.filename or path}: {error.strerror}") from error
