"""`trainyard`: the command line as a whole."""

from __future__ import annotations

import sys
from typing import NoReturn

import typer

from trainyard_cli.commands.cluster import cluster
from trainyard_cli.commands.convert import convert
from trainyard_cli.commands.data import data_app
from trainyard_cli.commands.demo import demo
from trainyard_cli.commands.digest import digest
from trainyard_cli.commands.predict import predict
from trainyard_cli.commands.run import run
from trainyard_cli.commands.status import status
from trainyard_cli.commands.submit import submit
from trainyard_cli.errors import INTERRUPTED, CliError

_PASS_THROUGH = {
    "ignore_unknown_options": True,
    "allow_extra_args": True,
    "allow_interspersed_args": False,
}

app = typer.Typer(
    name="trainyard",
    help="Train, compress and serve TensorFlow models: one YAML file, here or on Kubernetes.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",
)
app.command()(run)
app.command()(submit)
app.command()(status)
app.command()(predict)
app.command()(digest)
app.command()(convert)
app.command()(demo)
app.add_typer(data_app, name="data")
app.command(context_settings=_PASS_THROUGH, add_help_option=False)(cluster)


def main() -> NoReturn:
    """Runs the command line; what the user can mend ends in one message, never a traceback."""
    for stream in (sys.stdout, sys.stderr):
        # A terminal that cannot show a sign gets a '?' instead of a traceback.
        stream.reconfigure(errors="replace")  # type: ignore[union-attr]
    try:
        app(prog_name="trainyard")
    except CliError as error:
        print(f"trainyard: {error}", file=sys.stderr)
        sys.exit(error.exit_code)
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)
    except BrokenPipeError:
        # The reader of our output has gone; there is nobody left to tell.
        sys.stderr.close()
        sys.exit(1)
    sys.exit(0)
