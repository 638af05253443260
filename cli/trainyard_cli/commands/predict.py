"""`trainyard predict`."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from trainyard_api.names import PORT_SERVING
from trainyard_cli.commands.options import Context, Kubeconfig, Local, Namespace
from trainyard_cli.datasets.catalogue import class_names
from trainyard_cli.datasets.idx import read_test_part
from trainyard_cli.endpoint import Endpoint, find_endpoint, request_body
from trainyard_cli.errors import CliError
from trainyard_cli.kubectl import Access, find_kubectl
from trainyard_cli.show.units import share

_ADDRESS_SIGNS = frozenset(":/.")
"""What an address has and a job's name has not."""


def predict(
    target: Annotated[
        str,
        typer.Argument(
            metavar="URL_OR_NAME",
            help="The endpoint's URL, or the name of a job in a cluster.",
            show_default=False,
        ),
    ],
    data: Annotated[
        Path,
        typer.Option(metavar="DIR", help="Folder with idx files.", show_default=False),
    ],
    count: Annotated[int, typer.Option(min=1, help="How many test images to send.")] = 8,
    namespace: Namespace = None,
    context: Context = None,
    kubeconfig: Kubeconfig = None,
    local: Local = False,
) -> None:
    """Send real test images to an endpoint; shows predictions beside labels."""
    access = Access(namespace, context, kubeconfig, local)
    with _reach(target, access) as endpoint:
        show_predictions(endpoint, data, count)


def show_predictions(endpoint: Endpoint, data: Path, count: int) -> None:
    """Send the first test images of a folder; show predictions beside labels.

    Raises:
        CliError: the endpoint does not answer, or not with a prediction for each image.
    """
    part = read_test_part(data, count)
    predictions = endpoint.predict(request_body(part.images))
    if len(predictions) != len(part.labels):
        raise CliError(f"sent {len(part.labels)} rows, got {len(predictions)} predictions")
    answers = [_best(scores) for scores in predictions]
    _show(answers, part.labels, class_names(part.labels_digest))


@contextmanager
def _reach(target: str, access: Access) -> Iterator[Endpoint]:
    """The endpoint at a URL, or that of a job by way of a port forwarded to its Service."""
    if _ADDRESS_SIGNS & set(target):
        yield find_endpoint(target if "://" in target else f"http://{target}")
        return
    kubectl = find_kubectl(access)
    serving = kubectl.job(target)["spec"].get("serving")
    if serving is None:
        raise CliError(f"job {target} has no spec.serving: nothing answers")
    model = serving.get("name") or target
    with kubectl.forward(model, serving.get("port", PORT_SERVING)) as url:
        yield Endpoint(url, model)


def _best(scores: object) -> tuple[int, float]:
    """The class with the highest score, and the score."""
    if not isinstance(scores, list) or not scores:
        raise CliError("the endpoint's predictions are no lists of scores by class")
    best = max(range(len(scores)), key=lambda index: scores[index])
    return best, float(scores[best])


def _show(answers: list[tuple[int, float]], labels: list[int], names: tuple[str, ...]) -> None:
    table = Table()
    table.add_column("image", justify="right")
    table.add_column("label")
    table.add_column("prediction")
    table.add_column("score", justify="right")
    for index, ((answer, score), label) in enumerate(zip(answers, labels, strict=True)):
        prediction = Text(_name(answer, names), "green" if answer == label else "red")
        table.add_row(str(index), _name(label, names), prediction, share(score))
    console = Console(highlight=False)
    console.print(table)
    right = sum(answer == label for (answer, _), label in zip(answers, labels, strict=True))
    console.print(f"{right} of {len(labels)} right ({right / len(labels):.1%})")


def _name(index: int, names: tuple[str, ...]) -> str:
    return names[index] if index < len(names) else str(index)
