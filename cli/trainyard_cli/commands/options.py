"""The options of all commands that speak to a cluster."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

Code = Annotated[
    Path | None,
    typer.Option(
        metavar="DIR",
        help="Folder with Python code of your own, which is packed and named by its digest: for "
        "model.custom, training.loss and training.callbacks.",
        show_default=False,
    ),
]
Namespace = Annotated[
    str | None,
    typer.Option(
        "--namespace", "-n", help="Namespace; by default the context's.", show_default=False
    ),
]
Context = Annotated[
    str | None,
    typer.Option(help="Context of the kubeconfig; by default its current.", show_default=False),
]
Kubeconfig = Annotated[
    Path | None,
    typer.Option(help="The kubeconfig; by default kubectl's.", show_default=False),
]
Local = Annotated[
    bool, typer.Option("--local", help="The local cluster, that 'trainyard cluster up' runs.")
]
