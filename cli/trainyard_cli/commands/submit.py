"""`trainyard submit`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from trainyard_cli.commands.options import Context, Kubeconfig, Local, Namespace
from trainyard_cli.job_file import read_job
from trainyard_cli.kubectl import Access, find_kubectl


def submit(
    job_file: Annotated[
        Path, typer.Argument(metavar="JOB.yaml", help="The TrainingJob.", show_default=False)
    ],
    namespace: Namespace = None,
    context: Context = None,
    kubeconfig: Kubeconfig = None,
    local: Local = False,
) -> None:
    """Give a TrainingJob to a cluster: checks it, then `kubectl apply`."""
    job = read_job(job_file)
    kubectl = find_kubectl(Access(namespace, context, kubeconfig, local))
    typer.echo(kubectl.run("apply", "-f", str(job_file)).strip())
    typer.echo(f"Follow it: trainyard status {job.metadata.name} --watch")
