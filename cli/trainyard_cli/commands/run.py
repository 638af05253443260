"""`trainyard run`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from trainyard_api.names import MANAGER
from trainyard_api.spec import TrainingJob
from trainyard_cli.commands.options import Code
from trainyard_cli.errors import WrongInput
from trainyard_cli.job_file import read_job, served_name
from trainyard_cli.local_run.program import Program, Request
from trainyard_cli.local_run.session import Job, Session
from trainyard_cli.local_run.view import JsonView, PeopleView, View
from trainyard_cli.own_code import pack

OUTPUT_ROOT = Path("trainyard-run")


def run(
    job_file: Annotated[
        Path, typer.Argument(metavar="JOB.yaml", help="The TrainingJob.", show_default=False)
    ],
    output: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            help="Folder for status, models and logs; by default trainyard-run/NAME.",
            show_default=False,
        ),
    ] = None,
    mount: Annotated[
        list[str] | None,
        typer.Option(
            metavar="CLAIM=DIR",
            help="Folder that stands for a volume claim: pvc://CLAIM/... Repeatable.",
            show_default=False,
        ),
    ] = None,
    code: Code = None,
    once: Annotated[
        bool, typer.Option("--once", help="End when the endpoint has answered a prediction.")
    ] = False,
    json: Annotated[
        bool, typer.Option("--json", help="Print JSON lines (status, events) for programs.")
    ] = False,
) -> None:
    """Run a TrainingJob here, as local processes: no cluster, no root.

    Trains, evaluates, compresses and serves as a cluster would, then serves on loopback until
    Ctrl-C where the job has a serving block. Ctrl-C during training saves a checkpoint; the same
    command goes on from there.

    Exit codes: 0 Succeeded, 1 Failed, 2 wrong input, 130 stopped before the end.
    """
    job = read_job(job_file)
    _check_manager(job, job_file)
    folder = output or OUTPUT_ROOT / job.metadata.name
    archive = pack(code).write_below(folder / "code") if code is not None else None
    request = Request(job_file, folder, tuple(mount or ()), archive)
    known = Job(job_file, served_name(job), folder)
    view: View = JsonView() if json else PeopleView(job.metadata.name, Console(highlight=False))
    with Program(request.command()) as program, view:
        exit_code = Session(known, program, view, once=once).follow()
    raise typer.Exit(exit_code)


def _check_manager(job: TrainingJob, job_file: Path) -> None:
    """A job of another manager is never begun here: waiting for it would not end."""
    manager = job.spec.runPolicy.managedBy
    if manager != MANAGER:
        raise WrongInput(
            f"{job_file}: spec.runPolicy.managedBy: leaves the job to {manager}; "
            "to run it here, leave the field out"
        )
