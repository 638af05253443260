"""`trainyard status`."""

from __future__ import annotations

import time
from typing import Annotated

import typer
from rich.console import Console

from trainyard_cli.cluster_job import ENDED, follow, show_end, status_of
from trainyard_cli.commands.options import Context, Kubeconfig, Local, Namespace
from trainyard_cli.errors import FAILED
from trainyard_cli.kubectl import Access, find_kubectl
from trainyard_cli.show.stages import render_stages


def status(
    name: Annotated[str, typer.Argument(metavar="NAME", help="The job.", show_default=False)],
    namespace: Namespace = None,
    context: Context = None,
    kubeconfig: Kubeconfig = None,
    local: Local = False,
    watch: Annotated[
        bool, typer.Option("--watch", "-w", help="Follow the job until it has ended.")
    ] = False,
) -> None:
    """Show a job of a cluster: stages, progress, results, endpoint.

    Exit code 1 if the job has failed.
    """
    kubectl = find_kubectl(Access(namespace, context, kubeconfig, local))
    console = Console(highlight=False)
    document = kubectl.job(name)
    if watch and status_of(document).phase not in ENDED:
        document = follow(kubectl, name, console)
    else:
        console.print(render_stages(name, status_of(document), time.time()))
    show_end(document, console)
    if status_of(document).phase == "Failed":
        raise typer.Exit(FAILED)
