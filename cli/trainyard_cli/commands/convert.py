"""`trainyard convert`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from trainyard_api.documents import write_document
from trainyard_cli.convert import NotConvertible
from trainyard_cli.convert import convert as converted
from trainyard_cli.errors import WrongInput


def convert(
    file: Annotated[
        Path,
        typer.Argument(metavar="FILE", help="YAML with one TFJob.", show_default=False),
    ],
    output: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Where to write the TrainingJob; by default to standard output.",
            show_default=False,
        ),
    ] = None,
) -> None:
    """Turn a TFJob of Kubeflow (kubeflow.org/v1) into a TrainingJob.

    Chief and Worker become one gang that runs the same image and command; volumes, environment
    and scheduling go into its template, restarts and deadlines into runPolicy. What is left out
    or means something else now is told on standard error, a line each, with the reason.

    A TFJob that no TrainingJob stands for, such as one with parameter servers, is refused with
    exit code 2, with the field and what to change. What is written can be run as it is:
    `trainyard run`, `trainyard submit`.
    """
    try:
        result = converted(file.read_text())
    except NotConvertible as error:
        raise WrongInput(f"{file}: {error}") from error
    except OSError as error:
        raise WrongInput(f"{file}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise WrongInput(f"{file} is not a text file") from error
    text = write_document(result.job)
    if output is None:
        typer.echo(text, nl=False)
    else:
        try:
            output.write_text(text)
        except OSError as error:
            raise WrongInput(f"--output {output}: {error.strerror}") from error
    for note in result.notes:
        typer.echo(str(note), err=True)
