"""The commands of `trainyard cluster`. Each reads its arguments and hands over."""

from __future__ import annotations

import json
import signal
import sys
from types import FrameType
from typing import Annotated, NoReturn

import typer
from rich.console import Console as RichConsole
from rich.table import Table

from trainyard_local import gpus, images, nodebuild, status, volumes
from trainyard_local.console import Console
from trainyard_local.down import down as take_down
from trainyard_local.errors import ClusterError, Interrupted
from trainyard_local.extent import Extent
from trainyard_local.places import Roots
from trainyard_local.status import ClusterStatus
from trainyard_local.up import check_machine, prepare_machine
from trainyard_local.up import up as bring_up

PROGRAM = "trainyard cluster"

app = typer.Typer(
    name=PROGRAM,
    help="Run a real one-node Kubernetes on a machine that has none.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

Name = Annotated[str, typer.Option(help="The cluster's name; clusters stand side by side.")]


@app.command()
def up(
    name: Name = "trainyard",
    fresh: Annotated[
        bool, typer.Option("--fresh", help="Forget the cluster's objects first; images stay.")
    ] = False,
    control_plane_only: Annotated[
        bool,
        typer.Option("--control-plane-only", help="Only an API server and the controllers."),
    ] = False,
    scheduler: Annotated[
        bool,
        typer.Option("--scheduler", help="With --control-plane-only: and a scheduler."),
    ] = False,
    audit: Annotated[
        str | None,
        typer.Option(help="Note down what this user asks the API server for.", metavar="USER"),
    ] = None,
) -> None:
    """Bring the cluster up: from nothing, or after a crash or a restart of the machine."""
    bring_up(
        Roots.from_environment(),
        name,
        Console(),
        Extent(control_plane_only, scheduler, audit),
        fresh=fresh,
    )


@app.command()
def down(
    name: Name = "trainyard",
    purge: Annotated[
        bool, typer.Option("--purge", help="Remove the cluster's state as well.")
    ] = False,
) -> None:
    """Stop everything of the cluster. Its objects and images stay for the next `up`."""
    take_down(Roots.from_environment(), name, Console(), purge=purge)


@app.command("status")
def show_status(
    name: Name = "trainyard",
    output: Annotated[str, typer.Option("--output", "-o", help="'text' or 'json'.")] = "text",
) -> None:
    """Show the cluster's programs and addresses. Exit code 1 unless it is up."""
    found = status.look(Roots.from_environment(), name)
    if output == "json":
        print(json.dumps(found.to_json(), indent=2))
    elif output == "text":
        _print_status(found)
    else:
        raise typer.BadParameter("choose 'text' or 'json'", param_hint="--output")
    if not (found.state == "up" and found.ready):
        raise typer.Exit(1)


@app.command()
def load(
    image: Annotated[str, typer.Argument(help="An image archive, or a name that buildah knows.")],
    name: Name = "trainyard",
) -> None:
    """Bring an image into the cluster; prints its name in the cluster's registry."""
    print(*images.load(Roots.from_environment(), name, image, Console()), sep="\n")


@app.command()
def kubeconfig(name: Name = "trainyard") -> None:
    """Print the path of the cluster's kubeconfig."""
    places = Roots.from_environment().cluster(name)
    if not places.kubeconfig.exists():
        raise ClusterError(f"there is no cluster '{name}'; make it by 'trainyard cluster up'")
    print(places.kubeconfig)


@app.command()
def volume(
    claim: Annotated[str, typer.Argument(help="The name of the claim.")],
    namespace: Annotated[str, typer.Option(help="The claim's namespace.")] = "default",
    size: Annotated[str, typer.Option(help="What the claim says; not enforced.")] = "10Gi",
    name: Name = "trainyard",
) -> None:
    """Make a volume claim backed by a folder of this machine; prints the folder."""
    print(volumes.create(Roots.from_environment(), name, claim, namespace, size))


@app.command("gpus")
def advertise_gpus(
    count: Annotated[int, typer.Argument(help="How many.")], name: Name = "trainyard"
) -> None:
    """Let the node claim GPUs that it does not have, for tests of scheduling."""
    gpus.advertise(Roots.from_environment(), name, count)


@app.command()
def build() -> None:
    """Only build the cluster's programs; prints their folder."""
    print(nodebuild.build(Roots.from_environment(), Console()))


@app.command()
def install() -> None:
    """Only install the system packages that are missing."""
    roots = Roots.from_environment()
    check_machine(roots)
    prepare_machine(roots, Console())


def main() -> NoReturn:
    """Runs the command line; errors end in one message and their exit code."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _interrupt)
    try:
        app(prog_name=PROGRAM)
    except (ClusterError, Interrupted) as error:
        print(f"{PROGRAM}: {error}", file=sys.stderr)
        sys.exit(error.exit_code)
    sys.exit(0)


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    raise Interrupted


def _print_status(found: ClusterStatus) -> None:
    console = RichConsole(highlight=False)
    ready = "ready" if found.ready else "not ready"
    console.print(f"{found.name}: [bold]{found.state}[/bold], API server {ready}")
    for title, value in (
        ("API server", found.server),
        ("registry", found.registry),
        ("kubeconfig", found.kubeconfig),
        ("programs", found.bin_dir),
        ("logs", found.logs_dir),
    ):
        if value:
            console.print(f"  {title:<11}{value}", soft_wrap=True)
    if not found.components:
        return
    table = Table(box=None, pad_edge=False)
    for column in ("program", "state", "pid"):
        table.add_column(column, overflow="fold")
    for part in found.components:
        state = "running" if part.alive else "[red]stopped[/red]"
        table.add_row(part.name, state, str(part.pid or ""))
    console.print(table)
