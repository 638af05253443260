"""The one TFJob of a file, which may have its claims and Services beside it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from trainyard_api.documents import NotYaml, read_documents
from trainyard_cli.convert.outcome import Block, NotConvertible, Note

_API_VERSION: Final = "kubeflow.org/v1"
_KIND: Final = "TFJob"


def find_tfjob(text: str) -> tuple[Block, list[Note]]:
    """The TFJob in a YAML text, and what stands beside it.

    Raises:
        NotConvertible: it is no YAML, or has not exactly one TFJob of the version that is known.
    """
    try:
        documents = read_documents(text)
    except NotYaml as error:
        raise NotConvertible("file", str(error)) from error
    objects = [item for document in documents for item in _objects(document)]
    found = [item for item in objects if item.get("kind") == _KIND]
    if not found:
        kinds = ", ".join(sorted({str(item.get("kind", "no kind")) for item in objects}))
        raise NotConvertible(
            "kind",
            f"holds no {_KIND} (but {kinds or 'nothing'}); only a {_KIND} "
            f"can be converted: apiVersion: {_API_VERSION}, kind: {_KIND}",
        )
    if len(found) > 1:
        names = ", ".join(map(_name, found))
        raise NotConvertible(
            "file", f"has {len(found)} TFJobs ({names}); give each in a file of its own"
        )
    version = found[0].get("apiVersion")
    if version != _API_VERSION:
        raise NotConvertible(
            "apiVersion",
            f"is {version}; only {_API_VERSION} is known: bring the job to it first "
            "(cleanPodPolicy and the like stand in spec.runPolicy there)",
        )
    beside = [item for item in objects if item is not found[0]]
    return found[0], [
        Note(f"{item.get('kind', 'document')} {_name(item)}", "left out: apply it as before")
        for item in beside
    ]


def _objects(document: object) -> Iterator[Block]:
    """The objects of a document; `kubectl get -o yaml` gives several as one List."""
    if not isinstance(document, dict):
        raise NotConvertible("file", f"holds a {type(document).__name__}, and no {_KIND}")
    items = document.get("items")
    if str(document.get("kind", "")).endswith("List") and isinstance(items, list):
        for item in items:
            yield from _objects(item)
    else:
        yield document


def _name(item: Block) -> str:
    metadata = item.get("metadata")
    name = metadata.get("name") if isinstance(metadata, dict) else None
    return str(name or "without a name")
