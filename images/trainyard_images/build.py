"""Builds images; one whose tag is in the store already is not built again."""

from __future__ import annotations

import os
import re
import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from trainyard_images import base, catalogue, context, pip_access
from trainyard_images.catalogue import Image
from trainyard_images.console import Console
from trainyard_images.disk import require_disk
from trainyard_images.errors import CommandFailed, ImagesError
from trainyard_images.lock import held
from trainyard_images.places import Places
from trainyard_images.store import LOCAL, Store

_SHOWN = re.compile(
    r"(STEP|Collecting|Downloading|Installing|Removing|Compiling|Saving|COMMIT|ERROR)"
)


@dataclass(frozen=True)
class Order:
    """What is to be built.

    Attributes:
        root: the repository's root.
        names: of the images.
        base: an image to build on; None for the one that is made here.
        arguments: build arguments.
        tag: instead of the digest of the content.
        registry: to push to, as HOST:PORT.
    """

    root: Path
    names: Sequence[str]
    base: str | None
    arguments: Mapping[str, str]
    tag: str | None
    registry: str | None


@dataclass(frozen=True)
class Built:
    """An image as it can be pulled.

    Attributes:
        name: for example `trainer`.
        repository: with the registry that it was pushed to.
        tag: a digest of its content.
        bytes: its size.
    """

    name: str
    repository: str
    tag: str
    bytes: int


def build(places: Places, order: Order, console: Console) -> list[Built]:
    """Builds the images of an order, and pushes them where it says so.

    Raises:
        ImagesError: a build or a push failed; the images that were built stay.
    """
    store = Store(places)
    with held(places.lock, console):
        identity = order.base or base.ensure(places, store, console).identity
        images = [catalogue.find(order.root, name) for name in order.names]
        return [_provide(places, store, order, image, identity, console) for image in images]


def _provide(
    places: Places, store: Store, order: Order, image: Image, identity: str, console: Console
) -> Built:
    digest = context.tag_of(order.root, image, identity, order.arguments)
    name = f"{LOCAL}/{image.repository}:{digest}"
    if store.find(name) is None:
        _build(places, store, order, image, digest, console)
    made = store.find(name)
    assert made is not None
    tag = order.tag or digest
    names = [f"{LOCAL}/{image.repository}:{wanted}" for wanted in dict.fromkeys((tag, "latest"))]
    if missing := [wanted for wanted in names if wanted not in made.names]:
        store.tag(made.identity, missing)
    repository = image.repository
    if order.registry:
        repository = f"{order.registry}/{image.repository}"
        with console.step(f"{image.name}: pushing {repository}:{tag}") as step:
            for pushed in dict.fromkeys((tag, "latest")):
                store.push(name, f"{repository}:{pushed}", step.detail)
    return Built(image.name, repository, tag, made.bytes)


def _build(
    places: Places, store: Store, order: Order, image: Image, tag: str, console: Console
) -> None:
    require_disk(places.images, image.needed_disk if _is_first(store, image) else 1 << 29)
    store.clear_leftovers()
    with (
        _folder(places.work) as work,
        console.step(f"{image.name}: building {image.repository}:{tag}") as step,
    ):
        context.assemble(order.root, image, _made(work / "context"))
        arguments = {**order.arguments, "BASE": order.base or base.base_name()}
        try:
            store.buildah(
                f"building {image.name}",
                *("bud", "--isolation=chroot", "--layers", "--force-rm"),
                "--pull-never" if order.base is None else "--pull",
                *(f"--build-arg={key}={value}" for key, value in sorted(arguments.items())),
                *_pip_options(work),
                f"--file={image.dockerfile}",
                f"--tag={LOCAL}/{image.repository}:{tag}",
                str(work / "context"),
                say=lambda line: step.detail(line[:100]) if _SHOWN.match(line) else None,
            )
        except CommandFailed as failure:
            raise _explained(failure, image) from failure


def _pip_options(work: Path) -> list[str]:
    """Options that let pip see what this machine's pip sees, while the build runs."""
    access = pip_access.read(os.environ)
    config, bundle = work / "pip.conf", work / "ca.pem"
    config.touch(mode=0o600)
    config.write_text(access.config)
    bundle.write_bytes(access.certificates.read_bytes() if access.certificates else b"")
    mounts = [f"--volume={folder}:{folder}:ro" for folder in access.folders]
    return [f"--secret=id=pip.conf,src={config}", f"--secret=id=ca.pem,src={bundle}", *mounts]


def _explained(failure: CommandFailed, image: Image) -> ImagesError:
    """What a failed build means, by what it said."""
    said = "\n".join(failure.lines)
    if "No space left on device" in said:
        hint = "The disk is full: make room, or set TRAINYARD_CACHE to a folder that has it."
    elif "CERTIFICATE_VERIFY_FAILED" in said:
        hint = "The network has certificates of its own: set PIP_CERT to their bundle."
    elif re.search(r"NewConnectionError|Temporary failure|ReadTimeout|ConnectTimeout", said):
        hint = "pip cannot reach its index: check the network, or set PIP_INDEX_URL."
    elif "from versions: none" in said:
        hint = "pip's index cannot be reached, or is not the right one: check PIP_INDEX_URL."
    elif "No matching distribution" in said:
        hint = f"pip's index has not all that images/requirements/{image.name}.txt asks for."
    else:
        return failure
    return ImagesError(f"{failure}\n{hint}")


def _is_first(store: Store, image: Image) -> bool:
    """Whether there is no build of the image whose layers could be used again."""
    prefix = f"{LOCAL}/{image.repository}:"
    return not any(name.startswith(prefix) for found in store.images() for name in found.names)


def _made(folder: Path) -> Path:
    folder.mkdir()
    return folder


@contextmanager
def _folder(work: Path) -> Iterator[Path]:
    """An empty folder that is gone afterwards, and with it those of builds that were killed.

    Only the holder of the lock comes here, so that nobody else's is removed.
    """
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir(parents=True)
    with tempfile.TemporaryDirectory(dir=work) as folder:
        yield Path(folder)
